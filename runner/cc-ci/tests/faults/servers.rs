//! A server whose traefik and backup bot are its operator's own, deployed as abra deploys those recipes, and `cc-ci up` and
//! a run beside them. And the world of `cc-ci up` when an image is built anew under the same name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use host::certificate::issue;
use journal::event::{Event, Outcome};
use serde_json::{Value, json};

use super::engine::Engine;
use super::scene::scene;
use super::support::{Said, arguments, cc_ci, repositories};

const BASE: &str = "ci.example.org";
const TRAEFIK: &str = "testbed.invalid/traefik:3.7.15";
const BOT: &str = "testbed.invalid/backup-bot:1";
const OWN_TESTS: &str = "testbed.invalid/own-tests:1";
const IMAGES: [&str; 5] = [TRAEFIK, BOT, OWN_TESTS, "testbed.invalid/nginx:1.22.1-2", "testbed.invalid/nginx:1.22.1-3"];
/// Where this system has its authorities.
const STORE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What traefik has in files, as the recipe has it: two entrypoints, and the certificate for every name.
const STATIC: &str = r#"{"entryPoints": {"web": {"address": ":80"}, "web-secure": {"address": ":443"}},
    "providers": {"swarm": {"endpoint": "unix:///var/run/docker.sock", "exposedByDefault": false, "network": "proxy"},
                  "file": {"filename": "/etc/traefik/file-provider.yml"}},
    "global": {"checkNewVersion": false, "sendAnonymousUsage": false}}"#;
const DYNAMIC: &str = r#"{"tls": {"stores": {"default": {"defaultCertificate":
    {"certFile": "/run/secrets/ssl_cert", "keyFile": "/run/secrets/ssl_key"}}}}}"#;

/// A server, its swarm, and what its operator deployed.
struct Server {
    engine: Engine,
    // After the engine, which keeps its data there.
    folder: tempfile::TempDir,
}

impl Server {
    fn make() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut engine = Engine::new(folder.path(), 4);
        engine.on();
        engine.load(&IMAGES);
        engine.lines(&["swarm", "init", "--advertise-addr", &engine.address().to_string()]);
        engine.lines(&["network", "create", "-d", "overlay", "--attachable", "proxy"]);
        let server = Self { engine, folder };
        server.deploys_traefik();
        server.deploys_bot();
        // With a service's first container come a volume, and the bridge of all swarm's containers.
        let until = Instant::now() + Duration::from_secs(60);
        while server.engine.lines(&["ps", "-q"]).len() < 2 {
            assert!(Instant::now() < until, "{:?}", server.engine.lines(&["service", "ls"]));
        }
        server
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The recipe traefik with a wildcard certificate, whose authority is one that a system may trust.
    fn deploys_traefik(&self) {
        let issued = issue("An authority", &[format!("*.{BASE}")], Duration::from_secs(86400)).unwrap();
        let system = std::fs::read_to_string(STORE).unwrap();
        self.file("store.pem", &format!("{}\n{}", system.trim_end(), issued.authority));
        self.file("authority.pem", &issued.authority);
        let stack = "traefik_ci_example_org";
        for (name, value) in [("ssl_cert", &issued.certificate), ("ssl_key", &issued.key)] {
            let file = self.file(name, value);
            self.engine.lines(&["secret", "create", &format!("{stack}_{name}_v1"), file.to_str().unwrap()]);
        }
        let config =
            |name: &str, text: &str| json!({ "name": format!("{stack}_{name}_v1"), "file": self.file(name, text) });
        let secret = |name: &str| json!({ "external": true, "name": format!("{stack}_{name}_v1") });
        let port = |number: u16| json!({ "target": number, "published": number, "mode": "host" });
        self.deploy(
            stack,
            &json!({
                "services": { "app": {
                    "image": TRAEFIK, "command": ["--configFile=/etc/traefik/traefik.yml"],
                    "ports": [port(80), port(443)], "networks": ["proxy"], "secrets": ["ssl_cert", "ssl_key"],
                    "volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro"],
                    "configs": [
                        { "source": "traefik_yml", "target": "/etc/traefik/traefik.yml" },
                        { "source": "file_provider_yml", "target": "/etc/traefik/file-provider.yml" },
                    ],
                    "deploy": labels(stack, "traefik", &[]),
                } },
                "networks": { "proxy": { "external": true } },
                "configs": {
                    "traefik_yml": config("traefik_yml", STATIC),
                    "file_provider_yml": config("file_provider_yml", DYNAMIC),
                },
                "secrets": { "ssl_cert": secret("ssl_cert"), "ssl_key": secret("ssl_key") },
            }),
        );
    }

    fn deploys_bot(&self) {
        let root = &self.engine.lines(&["info", "--format", "{{.DockerRootDir}}"])[0];
        let stack = "backups_ci_example_org";
        let volumes = [
            "/var/run/docker.sock:/var/run/docker.sock".to_owned(),
            format!("{root}/volumes:/var/lib/docker/volumes"),
            "backups:/backups".to_owned(),
        ];
        let deploy = labels(stack, "backup-bot-two", &[("coop-cloud.backupbot.enabled", "true")]);
        let app = json!({ "image": BOT, "volumes": volumes, "deploy": deploy });
        self.deploy(stack, &json!({ "services": { "app": app }, "volumes": { "backups": {} } }));
    }

    fn deploy(&self, stack: &str, compose: &Value) {
        let mut compose = compose.clone();
        compose["version"] = json!("3.8");
        let file = self.file(&format!("{stack}.yml"), &compose.to_string());
        self.engine.lines(&["stack", "deploy", "-c", file.to_str().unwrap(), stack]);
    }

    /// Everything that the swarm keeps, by its kind and name: what it is, and not what it does at the moment.
    fn kept(&self) -> BTreeMap<String, Value> {
        let mut kept = BTreeMap::new();
        for (kind, what) in [
            ("service", &["ID", "Spec"][..]),
            ("secret", &["ID", "Spec"]),
            ("config", &["ID", "Spec"]),
            ("network", &["Id", "Name", "Driver", "Options", "Labels", "Attachable"]),
            ("volume", &["Name", "Driver", "Labels", "Mountpoint"]),
        ] {
            for id in self.engine.lines(&[kind, "ls", "-q"]) {
                let text = self.engine.lines(&[kind, "inspect", &id]).join("\n");
                let object = serde_json::from_str::<Value>(&text).unwrap()[0].take();
                let name = object["Spec"]["Name"].as_str().or(object["Name"].as_str()).unwrap();
                let value: Value = what.iter().map(|part| ((*part).to_owned(), object[*part].clone())).collect();
                kept.insert(format!("{kind} {name}"), value);
            }
        }
        kept
    }

    /// The program on this server, in a system that trusts the authority of its certificate, or in this one, which does not.
    fn cc_ci(&self, state: &Path, is_trusted: bool, words: &[&str]) -> Command {
        let mut inner = cc_ci(state);
        inner.args(words);
        let store = if is_trusted { self.folder.path().join("store.pem") } else { PathBuf::from(STORE) };
        let mut command = Command::new("unshare");
        let script = format!("mount --bind \"$0\" {STORE} && exec \"$@\"");
        command.args(["--mount", "--propagation", "private", "sh", "-c", &script]).arg(store);
        command.arg(inner.get_program()).args(inner.get_args()).current_dir(inner.get_current_dir().unwrap());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .env("DOCKER_HOST", self.engine.host())
            .env("CCCI_BASE_DOMAIN", BASE)
            .env("CCCI_ADDRESS", self.engine.address().to_string())
            .env("CCCI_TRAEFIK_IMAGE", TRAEFIK)
            .env("CCCI_BOT_IMAGE", BOT)
            .env("CCCI_OWN_TESTS_IMAGE", OWN_TESTS)
            .env("CCCI_APPROVED", self.file("approved", "custom-html\n"))
            // What would stand for the system's store.
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .env_remove("CURL_CA_BUNDLE");
        command
    }

    fn up(&self, state: &Path) -> Vec<(String, String)> {
        steps(self.cc_ci(state, true, &["up", "--json"]).output().unwrap())
    }
}

/// What abra adds to a recipe's service, and more labels.
fn labels(stack: &str, recipe: &str, more: &[(&str, &str)]) -> Value {
    let mut labels = json!({
        format!("coop-cloud.{stack}.recipe"): recipe, format!("coop-cloud.{stack}.chaos"): "false",
        format!("coop-cloud.{stack}.version"): "1.0.0+1",
    });
    more.iter().for_each(|(name, value)| labels[*name] = json!(value));
    // The kernel may have no IPVS.
    json!({ "endpoint_mode": "dnsrr", "labels": labels })
}

/// What `cc-ci up` did: each step with what became of it.
fn steps(said: Output) -> Vec<(String, String)> {
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8(said.stdout).unwrap();
    let step = |line: &str| {
        let step: Value = serde_json::from_str(line).unwrap();
        (step["name"].as_str().unwrap().to_owned(), step["done"].as_str().unwrap().to_owned())
    };
    text.lines().map(step).collect()
}

/// What differs.
fn differing(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> String {
    let names: Vec<&String> =
        before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name)).collect();
    format!("{names:?}")
}

fn made(steps: &[(String, String)]) -> Vec<&str> {
    steps
        .iter()
        .filter(|(_, done)| !matches!(done.as_str(), "kept" | "already-there"))
        .map(|(name, _)| &**name)
        .collect()
}

#[test]
fn beside_a_traefik_and_a_bot_of_the_servers_own_there_is_a_route_and_nothing_else() {
    // The other tests look for processes that are left below this one.
    let _alone = scene();
    let server = Server::make();
    let before = server.kept();
    let state = server.folder.path().join("state");
    let steps = server.up(&state);
    assert_eq!(made(&steps), ["route"], "{steps:?}");
    let kept = |name: &str| assert!(steps.contains(&(name.to_owned(), "kept".to_owned())), "{name}: {steps:?}");
    kept("traefik of this server (traefik_ci_example_org_app), with its own certificates");
    kept("backup bot of this server (backups_ci_example_org_app)");

    let mut after = server.kept();
    assert!(after.remove("service cc-ci-world_route").is_some());
    assert!(
        after == before,
        "services, secrets, configs, networks and volumes are as they were: {}",
        differing(&before, &after)
    );
    let folder = state.join("world").join(BASE);
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["world.yml"], "no authority, no certificate and no key");

    // What an earlier world left: an authority that signed nothing here.
    let other = issue("Another authority", &[BASE.to_owned()], Duration::from_secs(86400)).unwrap();
    std::fs::write(folder.join("ca.pem"), other.authority).unwrap();
    assert_eq!(made(&server.up(&state)), Vec::<&str>::new());
    let levels = |is_trusted| {
        let said = server.cc_ci(&state, is_trusted, &["doctor", "--json"]).output().unwrap();
        let findings: Vec<Value> = serde_json::from_slice(&said.stdout).unwrap();
        let of = |check: &str| findings.iter().find(|one| one["check"] == check).unwrap().clone();
        [of("traefik"), of("HTTPS"), of("route"), of("backup bot")]
    };
    for finding in levels(true) {
        assert_eq!(finding["level"], "ok", "{finding:#}");
    }

    // Hurl, scripts, Rust tests with a browser, and the recipe's own tests behind the fence.
    let source = repositories().join("custom-html");
    // A whole run: the recipe's own tests are no part of one that is asked for in part.
    let words = arguments("custom-html", &source, "good/own-tests");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = Said::of(server.cc_ci(&state, true, &words).output().unwrap());
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    let passed = |name: &str| {
        let is_it = |event: &Event| matches!(event, Event::CheckEnded { check, .. } if check.name.ends_with(name) && check.outcome == Outcome::Passed);
        assert!(said.records.iter().any(|record| is_it(&record.event)), "{name} did not pass");
    };
    let tests =
        ["install.answers", "20-content-types.hurl", "10-write-and-fetch.sh", "10-page.rs", "own: tests/10-page.sh"];
    tests.into_iter().for_each(passed);

    // A system that does not trust the server's authority, also where an earlier world left that very one.
    std::fs::copy(server.folder.path().join("authority.pem"), folder.join("ca.pem")).unwrap();
    let [traefik, https, ..] = levels(false);
    assert_eq!((&traefik["level"], &https["level"]), (&json!("ok"), &json!("bad")), "{https:#}");
    assert!(https["mend"].as_str().unwrap().contains("that this system trusts"), "{https:#}");

    let down = server.cc_ci(&state, true, &["down"]).output().unwrap();
    assert!(down.status.success(), "{}", String::from_utf8_lossy(&down.stderr));
    let after = server.kept();
    assert!(after == before, "{}", differing(&before, &after));
}

#[test]
fn an_image_that_is_built_anew_under_the_same_name_is_deployed_and_told() {
    let scene = scene();
    let engine = &scene.engine;
    let up = || steps(scene.cc_ci(&scene.world).args(["up", "--json"]).output().unwrap());
    let id = || engine.lines(&["image", "inspect", "--format", "{{.Id}}", BOT])[0].clone();
    let running = || {
        let label = "label=com.docker.swarm.service.name=cc-ci-world_backup-bot";
        let container = engine.lines(&["ps", "--no-trunc", "-q", "--filter", label])[0].clone();
        engine.lines(&["inspect", "--format", "{{.Image}}", &container])[0].clone()
    };
    let old = id();
    assert_eq!((made(&up()), running()), (Vec::new(), old.clone()));
    let container = engine.lines(&["create", BOT])[0].clone();
    engine.lines(&["commit", "--change", "LABEL built=anew", &container, BOT]);
    engine.lines(&["rm", &container]);
    let new = id();
    assert_ne!(old, new);
    let told = up();
    assert_eq!(
        made(&told),
        [format!("{BOT}, which means another image now").as_str(), "traefik, backup bot and route"]
    );
    assert!(told.iter().any(|(_, done)| done == "updated"), "{told:?}");
    assert_eq!(running(), new);
    assert_eq!(made(&up()), Vec::<&str>::new());
    engine.lines(&["tag", &old, BOT]);
    up();
    assert_eq!(running(), old);
}

/// What restic says in the bot's container, and not what a table says that it says.
#[test]
fn a_repository_that_does_not_open_is_told_by_doctor_and_before_a_run_deploys() {
    let scene = scene();
    let label = "label=com.docker.swarm.service.name=cc-ci-world_backup-bot";
    let bot = scene.engine.lines(&["ps", "-q", "--filter", label])[0].clone();
    let inside = |script: &str| scene.engine.lines(&["exec", &bot, "sh", "-ec", script]);
    inside(
        "[ -e /backups/password ] || echo right >/backups/password; [ -e $RESTIC_REPOSITORY/config ] || restic init",
    );
    let state = scene.state();
    let backups = || {
        let said = scene.cc_ci(state.path()).args(["doctor", "--json"]).output().unwrap();
        let findings: Vec<Value> = serde_json::from_slice(&said.stdout).unwrap();
        findings.into_iter().find(|one| one["check"] == "backups").unwrap()
    };
    assert_eq!(backups()["level"], "ok", "{:#}", backups());
    inside("mv /backups/password /backups/right; echo wrong >/backups/password");
    let finding = backups();
    let mut words = arguments("custom-html", &repositories().join("custom-html"), "good/new-release");
    words.extend(["--only".to_owned(), "backup".to_owned()]);
    let said = Said::of(scene.cc_ci(state.path()).args(words).output().unwrap());
    inside("mv /backups/right /backups/password");
    let text = finding["what"].as_str().unwrap();
    assert!(finding["level"] == "bad" && finding["line"] == 6 && text.contains("wrong password"), "{finding:#}");
    assert_eq!(said.decided(), "backup-bot-unusable", "{}", said.verdict().line);
    let is_deploy = |event: &Event| matches!(event, Event::AbraCalled { call, .. } if call.args.iter().any(|word| word == "deploy"));
    assert!(!said.records.iter().any(|record| is_deploy(&record.event)), "it deployed");
    assert_eq!(backups()["level"], "ok");
}
