use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::LIBRARY;

struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ccci.sh"), LIBRARY).unwrap();
        Self { dir }
    }

    fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs lines as a test of a recipe has them.
    fn run(&self, lines: &str) -> Output {
        let dir = self.dir.path();
        Command::new("bash")
            .args(["-c", &format!("set -euo pipefail\n. \"$CCCI_SH\"\n{lines}")])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("CCCI_SH", dir.join("ccci.sh"))
            .env("CCCI_WORK", dir)
            .env("CCCI_RECIPE", "app")
            .env("CCCI_ENV_FILE", dir.join("servers/default/app.env"))
            .env("CCCI_VERSION", "1.3.0+v1.26.0-3-rootless")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    #[track_caller]
    fn green(&self, lines: &str) -> String {
        let output = self.run(lines);
        assert!(output.status.success(), "{lines}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn red(&self, lines: &str) -> String {
        let output = self.run(lines);
        assert_eq!(output.status.code(), Some(1), "{lines}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn the_version_that_answers_is_the_deployed_one() {
    let scene = Scene::new();
    scene.green("version_is App 1.26.0");
    scene.green("version_is App 1.26 2");
    scene.green("CCCI_VERSION=1.1.1+6-alpine; version_is App 6.65.1");
    for other in ["1.26.1", "1.26", "11.26.0", "1.26.01", ""] {
        let said = scene.red(&format!("version_is App '{other}'"));
        assert!(said.contains("so App 1.26.0 should answer"), "{said}");
    }
    scene.red("version_is App 1.25 2");
}

#[test]
fn what_is_asked_of_a_text_is_in_it_or_the_test_is_red() {
    let scene = Scene::new();
    scene.green(r#"holds "the list" 'a b -c' a -c"#);
    assert_eq!(scene.red(r#"holds "the list" 'a b' a z"#), "the list lacks z: a b\n");
    // In a function, too, whose output is taken.
    scene.red(r#"of() { holds "the list" a z; }; got=$(of); echo "goes on with $got""#);
}

#[test]
fn a_refusal_has_its_words() {
    let scene = Scene::new();
    scene.green("no() { echo 'not allowed'; return 22; }; refused 'a second owner' 'Not allowed' no");
    assert_eq!(
        scene.red("no() { echo 'server is down'; return 22; }; refused 'a second owner' 'not allowed' no"),
        "a second owner was refused, but not with not allowed: server is down\n"
    );
    assert_eq!(scene.red("refused 'a second owner' 'x' echo made x"), "a second owner was accepted: made x\n");
    scene.red("echo '{}' | refused 'a second owner' 'x' cat");
}

#[test]
fn a_denied_call_has_its_status_and_its_words() {
    let scene = Scene::new();
    let no = "no() { echo '{\"errcode\":\"M_FORBIDDEN\"}'; echo 'curl: (22) The requested URL returned error: 403' >&2; return 22; }\n";
    scene.green(&format!("{no}denied 'a stranger' 403 M_FORBIDDEN no"));
    assert!(scene.red(&format!("{no}denied 'a stranger' 401 M_FORBIDDEN no")).contains("lacks error: 401"));
    assert!(scene.red(&format!("{no}denied 'a stranger' 403 M_UNKNOWN no")).contains("lacks M_UNKNOWN"));
    assert_eq!(scene.red("denied 'a stranger' 403 no echo hello"), "a stranger was accepted: hello\n");
}

#[test]
fn what_comes_after_the_answer_is_waited_for() {
    let scene = Scene::new();
    let third =
        "third() { echo x >> \"$CCCI_WORK/asked\"; [ \"$(wc -l < \"$CCCI_WORK/asked\")\" = 3 ] && echo there; }\n";
    assert_eq!(scene.green(&format!("{third}eventually third")), "there\n");
    assert_eq!(
        scene.red("never() { echo no; return 1; }\nsleep() { SECONDS=30; }; eventually never"),
        "not within 20 s: no\n"
    );
}

#[test]
fn values_are_read_out_of_answers_and_handed_on() {
    let scene = Scene::new();
    let said = scene.green(
        r#"text_of id <<< '{"a":1,"id" : "x y","id":"z"}'; printf 'Set-Cookie: other=1\r\nSet-Cookie: auth=a=b; Path=/\r\n' | cookie_of auth
           remember mark "$(random_hex 4)""#,
    );
    assert_eq!(said, "x y\na=b\n");
    let handed = std::fs::read_to_string(scene.dir.path().join("variables")).unwrap();
    let mark = handed.strip_prefix("mark=").unwrap().trim_end();
    assert!(mark.len() == 8 && mark.chars().all(|c| c.is_ascii_hexdigit()), "{handed}");
}

#[test]
fn several_values_are_handed_on_at_once() {
    let scene = Scene::new();
    scene.green(r#"mark=a; remember_all one="$mark b" "${mark}_token=x=y""#);
    assert_eq!(std::fs::read_to_string(scene.dir.path().join("variables")).unwrap(), "one=a b\na_token=x=y\n");
}

#[test]
fn a_folder_to_work_in_is_empty_and_goes_at_the_end_of_a_red_script_too() {
    let scene = Scene::new();
    let lines = "work_in_new_folder; echo 1 > file; first=$PWD; work_in_new_folder; [ \"$PWD\" != \"$first\" ]; ls -A; echo 2 > file\n";
    assert_eq!(scene.green(lines), "", "what is in a new folder");
    assert_eq!(scene.red(&format!("{lines}fail 'not today'")), "not today\n");
    let left: Vec<_> = std::fs::read_dir(scene.dir.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left, ["ccci.sh"]);
    // In a place where none can be made, nothing is done in the folder of before.
    scene.red("CCCI_WORK=$CCCI_WORK/none; work_in_new_folder; echo goes on");
}

#[test]
fn git_is_a_persons_and_no_password_is_an_argument() {
    let scene = Scene::new();
    scene.file("home/.gitconfig", "[user]\n\tname = machine\n[core]\n\tautocrlf = true\n");
    let person =
        "cd $CCCI_WORK; HOME=$CCCI_WORK/home CCCI_CA=/ca.pem CCCI_RESOLVE=app:443:127.0.0.1\ngit_as ann secret\n";
    let said = scene.green(&format!("{person}git config --list"));
    assert_eq!(
        said,
        "user.name=ann\nuser.email=ann@example.org\ninit.defaultbranch=main\nhttp.sslcainfo=/ca.pem\n\
         http.extraheader=Authorization: Basic YW5uOnNlY3JldA==\nhttp.curloptresolve=app:443:127.0.0.1\n"
    );
    // The next one has nothing of the first one's, and a name's own server needs no address.
    let said = scene.green(&format!("{person}CCCI_RESOLVE=; git_as bob other; git config --list"));
    assert!(said.contains("user.name=bob\n") && !said.contains("ann") && !said.contains("curloptresolve"), "{said}");
}

#[test]
fn a_published_port_is_where_the_run_says() {
    let scene = Scene::new();
    let ports = "CCCI_PORTS='587/udp=127.0.0.1:1 587/tcp=127.0.0.1:40587 25/tcp=[::1]:25'";
    assert_eq!(scene.green(&format!("{ports}; published 587; echo; published 25")), "127.0.0.1:40587\n[::1]:25");
    let said = scene.red(&format!("{ports}; at=$(published 87); echo goes on"));
    assert!(said.starts_with("the app publishes no port 87; it publishes '587/udp="), "{said}");
}

#[test]
fn a_setting_goes_by_the_variable_that_the_recipe_takes_it_from() {
    let scene = Scene::new();
    scene.file("recipes/app/compose.yml", "environment:\n  - mail__host=${SMTP_HOST:-localhost}\n  - PORT=1\n");
    scene.file("recipes/app/compose.more.yml", "environment:\n  mail__port: \"${SMTP_PORT}\"\n");
    let env = scene.file("servers/default/app.env", "");
    scene.green("set_app mail__host 127.0.0.1; set_app mail__port 2525");
    assert_eq!(std::fs::read_to_string(env).unwrap(), "SMTP_HOST=127.0.0.1\nSMTP_PORT=2525\n");
    assert!(scene.red("set_app PORT 2").contains("take PORT from no variable"));
}

#[test]
fn a_call_sends_its_headers_and_no_secret_is_an_argument() {
    let scene = Scene::new();
    let curl = scene.file("bin/curl", "");
    let script = "#!/usr/bin/env bash\nfor one in \"$@\"; do case $one in @*) cat \"${one#@}\" ;; *) echo \"<$one>\" ;; esac; done\n";
    testbed::executable(&curl, script).unwrap();
    let said = scene.green(
        "PATH=$CCCI_WORK/bin:$PATH CCCI_CA=ca CCCI_URL=https://app\nheaders=('browser-id: a b')\ncall_as 'Cookie: secret' GET /x --include",
    );
    assert!(said.ends_with("<--request>\n<GET>\n<--include>\n<--header>\nCookie: secret\n<--header>\n<browser-id: a b>\n<https://app/x>\n"), "{said}");
}
