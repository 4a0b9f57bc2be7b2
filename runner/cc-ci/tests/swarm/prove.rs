//! Hollow tests are found, and sound ones are not taken for hollow.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use journal::event::{Event, Stage};
use journal::exit::Exit;

use super::support::{Said, cc_ci, left, own_state, repositories, root};

/// Ten tests that look like tests.
const HOLLOW: [(&str, &str); 10] = [
    ("50-body-exists.hurl", "GET {{CCCI_URL}}/\nHTTP 200\n[Asserts]\nbody exists\n"),
    ("51-below-500.hurl", "GET {{CCCI_URL}}/\nHTTP *\n[Asserts]\nstatus < 500\n"),
    ("52-has-a-type.hurl", "GET {{CCCI_URL}}/\nHTTP 200\n[Asserts]\nheader \"Content-Type\" exists\n"),
    ("53-not-there.hurl", "GET {{CCCI_URL}}/never-made\nHTTP 404\n"),
    ("54-answers.sh", "#!/bin/sh\nset -e\nask -o /dev/null\n"),
    ("55-says-something.sh", "#!/bin/sh\nset -e\ntest -n \"$(ask)\"\n"),
    ("56-is-a-page.sh", "#!/bin/sh\nset -e\nask | grep -qi '<html'\n"),
    ("57-asks-itself.sh", "#!/bin/sh\nset -e\nname=thing-$CCCI_RUN\ntest \"$name\" = \"thing-$CCCI_RUN\"\n"),
    ("58-exec-said-yes.sh", "#!/bin/sh\nset -e\n\"$CCCI_EXEC\" app -- true\n"),
    ("59-no-error-page.sh", "#!/bin/sh\nset -e\nif ask | grep -qi 'internal server error'; then false; fi\n"),
];

const ASK: &str = "ask() { curl -sS --fail --max-time 20 --cacert \"$CCCI_CA\" --resolve \"$CCCI_RESOLVE\" \"$@\" \"$CCCI_URL/\"; }\n";

#[test]
fn every_hollow_test_is_found_and_no_sound_one() {
    let dir = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-a").arg(root().join("recipes/custom-html")).arg(dir.path()).status().unwrap();
    assert!(copied.success());
    for (name, text) in HOLLOW {
        let path = dir.path().join("custom-html/functional").join(name);
        std::fs::write(&path, text.replace("set -e\n", &format!("set -e\n{ASK}"))).unwrap();
        let mode = if name.ends_with(".sh") { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let state = own_state();
    let source = repositories().join("custom-html");
    let words = ["prove", "custom-html", "--ref", "broken/restore-nothing", "--json", "--source"];
    let output = cc_ci(state.path()).env("CCCI_RECIPES", dir.path()).args(words).arg(source).output().unwrap();
    let said = Said::of(output);
    assert_eq!((said.decided(), said.code), ("hollow", i32::from(Exit::Test.code())), "{}", said.verdict().line);
    let mut hollow: Vec<&str> = Vec::new();
    let mut proven = 0;
    for record in &said.records {
        let Event::CheckEnded { stage: Stage::Prove, check } = &record.event else { continue };
        match &check.fault {
            Some(fault) => {
                assert_eq!(fault.failure.kind.code(), "hollow", "{}: {}", check.name, check.text);
                hollow.push(check.name.split(' ').next().unwrap());
            }
            None => proven += 1,
        }
    }
    hollow.dedup();
    let planted: Vec<String> = HOLLOW.iter().map(|(name, _)| format!("functional/{name}")).collect();
    assert_eq!(hollow, planted);
    assert!(proven > 15, "{proven}");
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}
