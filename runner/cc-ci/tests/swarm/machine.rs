//! Machines, settings and programs that are not as they should be.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use journal::event::{Event, Outcome, Stage};
use journal::exit::Exit;

use super::support::{Said, arguments, cc_ci, left, own_state, repositories, state};
use super::way::{Disk, Way};

fn custom_html(reference: &str) -> Vec<String> {
    arguments("custom-html", &repositories().join("custom-html"), reference)
}

fn code(exit: Exit) -> Option<i32> {
    Some(i32::from(exit.code()))
}

#[test]
fn an_engine_that_is_not_there_is_named_at_once() {
    let output = cc_ci(&state())
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .args(custom_html("main"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), code(Exit::Infrastructure), "{text}");
    assert!(text.contains("/nonexistent/docker.sock") && text.contains("look at:"), "{text}");
}

#[test]
fn a_domain_that_is_too_long_is_refused_with_the_room_that_there_is() {
    let output = cc_ci(&state())
        .env("CCCI_BASE_DOMAIN", "a-very-long-base-domain.example.org")
        .args(custom_html("main"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), code(Exit::Usage), "{text}");
    assert!(text.contains("use a base domain of at most"), "{text}");
}

#[test]
fn what_is_mistyped_is_a_usage_error() {
    for arguments in [
        vec!["run", "Custom_HTML"],
        vec!["run", "custom-html", "--ref", "--upload-pack=x"],
        vec!["run", "custom-html", "--ref", "$(reboot)"],
        vec!["run", "custom-html", "--pr", "x"],
        vec!["run", "custom-html", "--source", "/nonexistent"],
        vec!["plan", "custom-html", "--source", "no-such-folder"],
        vec!["bogus"],
    ] {
        let output = cc_ci(&state()).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), code(Exit::Usage), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    for command in ["lint", "coverage"] {
        let output = cc_ci(&state()).args([command, "custom-htlm"]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), code(Exit::Usage), "{told}");
        assert!(
            told.contains("custom-htlm has no folder in") && told.contains("did you mean \"custom-html\"?"),
            "{told}"
        );
    }
}

/// `cc-ci … | head` is no failure, and what a full disk has cut is never taken for the whole.
#[test]
fn a_reader_that_goes_is_no_failure_and_a_full_disk_is_one() {
    for words in
        [vec!["docs"], vec!["status", "--json"], vec!["coverage"], vec!["reap", "--run", "20260101-000000-aaaa"]]
    {
        let (reader, gone) = std::io::pipe().unwrap();
        drop(reader);
        let left = cc_ci(&state()).args(&words).stdout(gone).output().unwrap();
        assert_eq!((left.status.code(), &*left.stderr), (code(Exit::Passed), &b""[..]), "{words:?}: {left:?}");
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let cut = cc_ci(&state()).args(&words).stdout(full).output().unwrap();
        let told = String::from_utf8_lossy(&cut.stderr);
        assert_eq!(cut.status.code(), code(Exit::Infrastructure), "{words:?}: {told}");
        assert!(told.contains("what was written to it is cut"), "{words:?}: {told}");
    }
    // A log that nobody can write to ends nothing either.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = cc_ci(&state()).env("CCCI_LOG", "trace").args(["status", "--json"]).stderr(full).output().unwrap();
    assert_eq!(status.status.code(), code(Exit::Passed));
    assert!(status.stdout.starts_with(b"{"), "{status:?}");
}

/// An abra that says all is well and deploys nothing after the first time.
#[test]
fn an_upgrade_that_abra_only_claims_did_not_move() {
    let dir = tempfile::tempdir().unwrap();
    let liar = dir.path().join("abra");
    let real = Path::new(env!("CARGO_BIN_EXE_cc-ci")).with_file_name("abra-lite");
    let script = format!(
        "#!/bin/sh\nif [ \"$1 $2\" = 'app deploy' ]; then\n  if [ -e {0}/once ]; then exit 0; fi\n  touch {0}/once\nfi\nexec {1} \"$@\"\n",
        dir.path().display(),
        real.display()
    );
    testbed::executable(&liar, &script).unwrap();
    let said =
        Said::of(cc_ci(&state()).env("CCCI_ABRA", &liar).args(custom_html("good/readme-only")).output().unwrap());
    assert_eq!(said.decided(), "did-not-move", "{}", said.verdict().line);
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

/// A registry that answers, and has nothing.
#[test]
fn an_image_that_its_registry_does_not_have_is_missing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let count = stream.read(&mut request).unwrap_or(0);
                let is_ping = request[..count].starts_with(b"GET /v2/ ");
                let (status, body) = if is_ping {
                    ("200 OK", "{}")
                } else {
                    ("404 Not Found", r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
                };
                let head = "Content-Type: application/json\r\nDocker-Distribution-Api-Version: registry/2.0\r\nConnection: close";
                let _ = write!(stream, "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            });
        }
    });
    let image = format!("127.0.0.1:{port}/nginx:9.9.9");
    let built = testbed::repos::Source::load("custom-html").unwrap().builder().unwrap();
    let built =
        built.at("good/new-release").unwrap().replace("compose.yml", "testbed.invalid/nginx:1.22.1-3", &image).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let repository = dir.path().join("repository");
    built.commit("An image that is not there").branch("missing").build(&repository).unwrap();
    let said = Said::of(cc_ci(&state()).args(arguments("custom-html", &repository, "missing")).output().unwrap());
    assert_eq!(said.decided(), "image-missing", "{}", said.verdict().line);
    assert_eq!(said.code, i32::from(Exit::Recipe.code()));
    assert!(said.verdict().line.contains(&image), "{}", said.verdict().line);
}

/// A way to the engine that can be cut.
#[test]
fn an_engine_that_goes_away_in_the_middle_is_no_fault_of_the_recipe() {
    let way = Way::to(Path::new("/var/run/docker.sock"));
    let arguments = custom_html("broken/ignores-sigterm");
    let mut child = cc_ci(&state())
        .env("DOCKER_HOST", way.host())
        .args(&arguments)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut records: Vec<journal::event::Record> = Vec::new();
    for line in lines {
        let record: journal::event::Record = serde_json::from_str(&line.unwrap()).unwrap();
        // In the middle of the upgrade every connection is cut, and new ones work again.
        let deploys = |call: &journal::event::AbraCall| call.args.iter().any(|word| word == "deploy");
        if matches!(&record.event, Event::AbraCalled { stage: Stage::Upgrade, call } if deploys(call)) {
            way.cut();
        }
        records.push(record);
    }
    let status = child.wait().unwrap();
    let said = Said { code: status.code().unwrap_or(-1), records, stderr: String::new() };
    assert_eq!(said.decided(), "engine-restarted", "{}", said.verdict().line);
    assert_eq!(said.code, i32::from(Exit::Infrastructure.code()));
    assert_eq!(said.outcome(Stage::Teardown), Some(Outcome::Passed));
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

#[test]
fn a_disk_that_is_full_from_the_start_is_named() {
    let state = own_state();
    let _disk = Disk::below(state.path(), "64k");
    let output = cc_ci(state.path()).args(custom_html("broken/paused")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), code(Exit::Infrastructure), "{text}");
    assert!(text.contains("the disk is full"), "{text}");
}

#[test]
fn a_disk_that_fills_up_in_a_run_is_named_and_everything_is_torn_down() {
    let state = own_state();
    let disk = Disk::below(state.path(), "8m");
    let mut child = cc_ci(state.path())
        .args(custom_html("broken/data-lost"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut records: Vec<journal::event::Record> = Vec::new();
    for line in lines {
        let record: journal::event::Record = serde_json::from_str(&line.unwrap()).unwrap();
        if matches!(record.event, Event::StageStarted { stage: Stage::Install, .. }) {
            disk.fill();
        }
        records.push(record);
    }
    let said = Said { code: child.wait().unwrap().code().unwrap_or(-1), records, stderr: String::new() };
    assert_eq!(said.decided(), "disk-full", "{}", said.verdict().line);
    assert_eq!(said.code, i32::from(Exit::Infrastructure.code()));
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

#[test]
fn a_state_folder_that_is_not_the_worlds_is_no_fault_of_the_recipe() {
    let state = tempfile::tempdir().unwrap();
    let said = Said::of(cc_ci(state.path()).args(custom_html("broken/rolled-back")).output().unwrap());
    assert_eq!(said.decided(), "world-incomplete", "{}", said.verdict().line);
    assert!(said.verdict().decided_by.as_ref().unwrap().fault.failure.look_at.contains("CCCI_STATE"));
}

#[test]
fn up_twice_makes_nothing_the_second_time_and_doctor_finds_nothing_bad() {
    let images = |command: &mut std::process::Command| {
        command
            .env("CCCI_TRAEFIK_IMAGE", "testbed.invalid/traefik:3.7.15")
            .env("CCCI_BOT_IMAGE", "testbed.invalid/backup-bot:1");
    };
    let mut up = cc_ci(&state());
    images(&mut up);
    let output = up.args(["up", "--json"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !text.contains("\"made\""), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let output = cc_ci(&state()).args(["doctor", "--json"]).output().unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{findings:#}");
    assert!(findings.as_array().unwrap().len() >= 10, "{findings:#}");
}

#[test]
fn doctor_tells_what_mends_a_machine_without_an_engine() {
    let output = cc_ci(&state()).env("DOCKER_HOST", "unix:///nonexistent/docker.sock").arg("doctor").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), code(Exit::Infrastructure));
    assert!(text.contains("BAD") && text.contains("fix:"), "{text}");
}

#[test]
fn a_report_is_made_again_from_the_journal_alone() {
    let state = own_state();
    let output = cc_ci(state.path()).args(custom_html("broken/invalid-compose")).output().unwrap();
    assert_eq!(output.status.code(), code(Exit::Recipe));
    let folder = std::fs::read_dir(state.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    for (format, file) in [("html", "report.html"), ("junit", "junit.xml")] {
        let again = cc_ci(state.path())
            .arg("report")
            .arg(folder.join("journal.jsonl"))
            .args(["--format", format])
            .output()
            .unwrap();
        assert!(again.status.success());
        assert_eq!(again.stdout, std::fs::read(folder.join(file)).unwrap(), "{format}");
    }
}
