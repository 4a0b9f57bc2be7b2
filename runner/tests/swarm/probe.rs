//! `cc-ci doctor --probe-abra` against abra-lite, as it is and doing the other thing everywhere.

use harness::abra::{Answer, BEHAVIOURS, Probed};

use super::support::{cc_ci, otherwise, own_state};

#[test]
fn abra_is_asked_what_it_does_and_the_answers_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    for does_other in [false, true] {
        let state = own_state();
        let mut command = cc_ci(state.path());
        command.args(["doctor", "--probe-abra", "--json"]);
        if does_other {
            command.env("CCCI_ABRA", otherwise(dir.path()));
        }
        let said = command.output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let probed: Probed = serde_json::from_slice(&said.stdout).unwrap();
        assert!(probed.answers.len() >= 10, "{probed:?}");
        for (name, answer) in &probed.answers {
            let row = BEHAVIOURS.iter().find(|row| row.name == name).unwrap();
            let wanted = if does_other && row.otherwise.is_some() { Answer::Otherwise } else { Answer::AsTold };
            assert_eq!(*answer, wanted, "{name}");
        }
        assert_eq!(Probed::read(state.path(), &probed.version), Some(probed));
        let left: Vec<_> = std::fs::read_dir(state.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("probe-")), "{left:?}");
    }
}
