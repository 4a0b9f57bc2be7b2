//! Logins from a real Keycloak: one that stays between runs, and what a run's secrets leave behind.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_client::{Http, HttpConfig};
use journal::event::{Event, Outcome, Record, Stage};
use journal::exit::Exit;
use slots::{Claim, Claims, RealmLeases};
use swarm::Swarm;

use super::made::{Made, left_of, started};
use super::support::{cc_ci, kill_run, left, own_state};

const SSO: &str = "[sso]\nprovider = \"keycloak\"\nshare = true\nredirects = [\"/callback\"]\n";

/// A user of the run's realm gets a token; the wrong password gets none.
const LOGS_IN: &str = r#"
grant() {
  curl -sS --cacert "$CCCI_CA" --resolve "$CCCI_RESOLVE_DEPS" -K - "$CCCI_SSO_ISSUER/protocol/openid-connect/token" <<END
user = "$CCCI_SSO_CLIENT_ID:$CCCI_SSO_CLIENT_SECRET"
data = "grant_type=password&scope=openid&username=$CCCI_SSO_USER&password=$1"
END
}
grant "$CCCI_SSO_PASSWORD" | grep -q access_token
grant wrong | grep -q invalid_grant
curl -fsS --cacert "$CCCI_CA" --resolve "$CCCI_RESOLVE" "$CCCI_URL" >/dev/null
grep -q '"warm": *WARM' "$CCCI_DEPS_FILE"
"#;

fn with_swarm<T>(ask: impl AsyncFnOnce(Swarm) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { ask(Swarm::connect().await.unwrap()).await })
}

fn warm_one() -> Option<Claim> {
    with_swarm(async |swarm| Claims(&swarm).all().await.unwrap().into_iter().find(|claim| claim.warm.is_some()))
}

/// What the warm provider says when it is asked for a realm.
fn realm_status(state: &Path, run: &str) -> u16 {
    let ca = std::fs::read(state.join("world/ci.localhost/ca.pem")).unwrap();
    let resolve = vec![("ci.localhost".to_owned(), "127.0.0.1".parse().unwrap())];
    let http = Http::new(&HttpConfig { ca_pem: Some(ca), resolve }).unwrap();
    let url = format!("https://keycloak-warm.ci.localhost/realms/ci-{run}");
    with_swarm(async |_| http.get(&url, Instant::now() + Duration::from_secs(20)).await.unwrap().status)
}

/// There is one warm provider on a swarm at a time: whoever makes one holds this meanwhile.
pub(crate) fn only_warm_provider() -> MutexGuard<'static, ()> {
    static WARM: Mutex<()> = Mutex::new(());
    WARM.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the warm provider that a run of this state folder made.
pub(crate) struct EndWarm(pub(crate) PathBuf);

impl Drop for EndWarm {
    fn drop(&mut self) {
        if let Some(claim) = warm_one() {
            let _ = cc_ci(&self.0).args(["reap", "--run", claim.run.as_str()]).output();
        }
    }
}

#[test]
fn a_provider_stays_warm_and_each_run_has_a_realm_that_goes() {
    let made = |warm: &str| {
        let test = LOGS_IN.replace("WARM", warm);
        Made::new().keycloak().recipe("warmed", "custom-html", SSO).test("warmed", "functional/10-in.sh", &test)
    };
    let state = own_state();
    let words = ["run", "warmed", "--pr", "1", "--only", "functional", "--warm", "1h"];
    let first = made("true");
    let _alone = only_warm_provider();
    // Whatever happens below, nothing of this stays.
    let _end = EndWarm(state.path().to_owned());
    assert!(warm_one().is_none(), "another warm provider is on this swarm: this test cannot tell them apart");

    // The first run makes it.
    let said = made("false").run(state.path(), &words);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    assert_eq!(realm_status(state.path(), started(&said).run.as_str()), 404, "its realm went with the run");
    let claim = warm_one().expect("the provider stays");
    assert!(claim.kept_until.is_some());

    // The second uses it: nothing is deployed but the app.
    let said = first.run(state.path(), &words);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    let deploys = said.records.iter().filter(|record| matches!(record.event, Event::ComposeDeployed { .. })).count();
    assert_eq!(deploys, 1);
    assert_eq!(realm_status(state.path(), started(&said).run.as_str()), 404);
    assert_eq!(warm_one().unwrap().run, claim.run);

    // The third is killed: its realm is there until a janitor comes; the provider is not ended under it.
    let mut child =
        first.command(state.path(), &[&words[..], &["--json"]].concat()).stdout(Stdio::piped()).spawn().unwrap();
    let mut killed = None;
    for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
        match serde_json::from_str::<Record>(&line.unwrap()).unwrap().event {
            Event::RunStarted(started) => killed = Some(started),
            Event::StageStarted { stage: Stage::Install, .. } => break,
            _ => {}
        }
    }
    let killed = killed.unwrap();
    let in_use = first.command(state.path(), &["reap", "--run", claim.run.as_str()]).output().unwrap();
    assert!(String::from_utf8_lossy(&in_use.stdout).contains(&format!("run {} uses it", killed.run)));
    kill_run(child, state.path());
    assert_eq!(realm_status(state.path(), killed.run.as_str()), 200, "or this shows nothing");
    assert!(first.command(state.path(), &["reap"]).output().unwrap().status.success());
    assert_eq!(realm_status(state.path(), killed.run.as_str()), 404);
    assert_eq!(left(&killed.stack), Vec::<String>::new());
    assert!(warm_one().is_some(), "it is kept for others");

    let ended = first.command(state.path(), &["reap", "--run", claim.run.as_str()]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert_eq!(left(&claim.stack), Vec::<String>::new());
    let leases = with_swarm(async |swarm| RealmLeases(&swarm).all().await.unwrap());
    assert!(leases.iter().all(|lease| lease.stack != claim.stack));
}

/// Prints every secret of the run in every form that a careless test could, and copies each to a file
/// outside, together with what docker tells of its objects.
const LEAKS: &str = r#"
outside=OUTSIDE
quoted() { local s=${1//\\/\\\\}; printf '"%s"\n' "${s//\"/\\\"}"; }
percent() {
  local i c
  for ((i = 0; i < ${#1}; i++)); do
    c=${1:i:1}
    case $c in [a-zA-Z0-9.~_-]) printf %s "$c" ;; *) printf '%%%02X' "'$c" ;; esac
  done
  echo
}
leak() {
  printf '%s\n' "$1" >>"$outside/planted"
  printf 'plain %s\n' "$1"
  printf 'base64 %s\n' "$(printf %s "$1" | base64 -w0)"
  printf 'within %s\n' "$(printf 'user:%s!' "$1" | base64 -w0)"
  percent "$1"
  quoted "$1"
  echo "$1" >"$CCCI_WORK/$RANDOM.txt"
}
ask() { curl -sS --cacert "$CCCI_CA" --resolve "$CCCI_RESOLVE_DEPS" "$@"; }
curl -fsS --cacert "$CCCI_CA" --resolve "$CCCI_RESOLVE" "$CCCI_URL" >/dev/null
mkdir -p "$CCCI_ARTIFACTS"
answer=$(ask -K - "$CCCI_SSO_ISSUER/protocol/openid-connect/token" <<END
user = "$CCCI_SSO_CLIENT_ID:$CCCI_SSO_CLIENT_SECRET"
data = "grant_type=password&scope=openid&username=$CCCI_SSO_USER&password=$CCCI_SSO_PASSWORD"
END
)
member() { printf %s "$answer" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
ask -c "$CCCI_WORK/jar" -o /dev/null "$CCCI_SSO_ISSUER/protocol/openid-connect/auth?client_id=$CCCI_SSO_CLIENT_ID&response_type=code&scope=openid&redirect_uri=$CCCI_URL/callback"
cookie=$(awk 'NF >= 7 && length($7) > 12 { print $7; exit }' "$CCCI_WORK/jar")
for token in "$(member access_token)" "$(member refresh_token)" "$(member id_token)" "$cookie"; do
  test ${#token} -gt 12
  # A server made these: the test says that they are secret.
  printf '%s\n' "$token" >>"$CCCI_WORK/secrets"
  leak "$token"
done
stack=${CCCI_STACK/leaky/keycloak}
for of in app:admin_password db:db_password; do
  container=$(docker ps -q -f "label=com.docker.swarm.service.name=${stack}_${of%%:*}")
  leak "$(docker exec "$container" cat "/run/secrets/${of##*:}")"
done
for value in "$CCCI_SSO_CLIENT_SECRET" "$CCCI_SSO_PASSWORD" "$CCCI_SSO_PASSWORD2"; do leak "$value"; done
# One with everything that is written differently in an address and in JSON.
odd='p"lanted\ %/+&=é-'$RANDOM
printf '%s\n' "$odd" >>"$CCCI_WORK/secrets"
leak "$odd"
cp "$outside/planted" "$CCCI_ARTIFACTS/page.html"
# One that nobody says is secret: it looks like what it is.
untold=$(ask -K - "$CCCI_SSO_ISSUER/protocol/openid-connect/token" <<END
user = "$CCCI_SSO_CLIENT_ID:$CCCI_SSO_CLIENT_SECRET"
data = "grant_type=client_credentials"
END
)
echo "$untold"
printf %s "$untold" | sed 's/.*"access_token":"\([^"]*\)".*/\1/' >"$outside/untold"
{
  docker ps -aq | xargs -r docker inspect
  for kind in service config secret network volume; do docker $kind ls -q | xargs -r docker $kind inspect; done
} >"$outside/docker" 2>/dev/null || true
exit 1
"#;

/// The forms in which a value must be nowhere.
fn forms(value: &str) -> Vec<String> {
    let percent: String = value
        .bytes()
        .map(|b| match b {
            b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect();
    let json = serde_json::to_string(value).unwrap();
    let within = STANDARD.encode(format!("user:{value}!"));
    // What the neighbours do not change: five characters before are 40 bits, the next border is at 42.
    let within = within[7..within.len() - 4].to_owned();
    vec![
        value.to_owned(),
        STANDARD.encode(value).trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(value),
        within,
        percent,
        json.trim_matches('"').to_owned(),
    ]
}

/// Every file below a folder, as text.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
    found
}

/// What every process was started with, as long as the receiver's other end lives.
fn arguments_of_all(ended: &std::sync::mpsc::Receiver<()>) -> String {
    let mut seen = std::collections::BTreeSet::new();
    while ended.recv_timeout(Duration::from_millis(5)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            if let Ok(line) = std::fs::read(entry.path().join("cmdline")) {
                seen.insert(String::from_utf8_lossy(&line).replace('\0', " "));
            }
        }
    }
    seen.into_iter().collect::<Vec<_>>().join("\n")
}

#[test]
fn no_secret_of_a_run_is_found_anywhere_after_a_test_that_prints_them_all() {
    let outside = tempfile::tempdir().unwrap();
    let script = LEAKS.replace("OUTSIDE", outside.path().to_str().unwrap());
    let made =
        Made::new().keycloak().recipe("leaky", "custom-html", SSO).test("leaky", "functional/10-leaks.sh", &script);
    let state = own_state();
    let (end, ended) = std::sync::mpsc::channel();
    let watcher = std::thread::spawn(move || arguments_of_all(&ended));
    let words = ["run", "leaky", "--pr", "1", "--only", "functional", "--json"];
    let output = made.command(state.path(), &words).output().unwrap();
    drop(end);
    let processes = watcher.join().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    let said = super::support::Said::of(output);
    assert_eq!(said.code, i32::from(Exit::Test.code()), "{}\n{stderr}", said.verdict().line);
    assert_eq!(said.outcome(Stage::Functional), Some(Outcome::Failed));
    assert_eq!(left_of(&started(&said)), Vec::<String>::new());

    let planted = std::fs::read_to_string(outside.path().join("planted")).unwrap();
    let planted: Vec<&str> = planted.lines().collect();
    assert_eq!(planted.len(), 10, "four of the provider's making, two of the app's, three of the run's, an odd one");
    let docker = std::fs::read_to_string(outside.path().join("docker")).unwrap();
    assert!(docker.contains(started(&said).stack.as_str()), "docker told of the app");
    assert!(processes.contains("app secret generate"), "the list has what abra was called with");
    let mut places = files(state.path());
    places.push(("stdout".to_owned(), stdout));
    places.push(("stderr".to_owned(), stderr));
    places.push(("the process list".to_owned(), processes));
    places.push(("docker's objects".to_owned(), docker));
    assert!(places.iter().any(|(name, _)| name.ends_with("journal.jsonl")));
    assert!(places.iter().any(|(name, _)| name.ends_with("report.html")));
    assert!(places.iter().any(|(name, text)| name.ends_with("page.html") && text.contains("redacted")), "the artifact");
    for (number, value) in planted.iter().enumerate() {
        for form in forms(value) {
            for (name, text) in &places {
                assert!(!text.contains(&form), "secret {number} is in {name}, as {} characters", form.len());
            }
        }
    }
    let untold = std::fs::read_to_string(outside.path().join("untold")).unwrap();
    assert!(untold.trim().starts_with("eyJ"), "a token was given");
    for (name, text) in &places {
        assert!(!text.contains(untold.trim()), "the token that nobody told is in {name}");
    }
    // The search itself can fail: what was printed is there, without what was secret.
    let journal = places.iter().find(|(name, _)| name.ends_with("journal.jsonl")).unwrap();
    assert!(journal.1.contains("plain [redacted]") && journal.1.contains("base64 [redacted]"), "it was printed");
}
