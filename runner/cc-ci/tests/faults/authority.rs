//! Another `cc-ci up` changes the authority of the world's certificates under a run.

use base::failure::Cause;
use journal::event::{Event, Outcome, Stage};
use journal::exit::Exit;

use super::held::Held;
use super::scene::scene;
use super::support::{Said, copies};

/// The tests that come after it get no answer that they could trust. Each of them is red, and none by the recipe.
#[test]
fn a_world_that_changes_its_authority_under_a_run_is_no_fault_of_the_recipe() {
    let scene = scene();
    // Without a judge: what another `cc-ci up` changes is the world itself.
    let (state, source) = (scene.state(), copies(1));
    let mut held = Held::start(scene.run(state.path(), source.path(), "n/0", "functional/"));
    held.until(|event| matches!(event, Event::Progress { text, .. } if text.starts_with("runs functional/")));
    // Its own state folder has no authority yet, so it makes one.
    let other = tempfile::tempdir().unwrap();
    let up = scene.cc_ci(other.path()).arg("up").output().unwrap();
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    while held.peek().is_some() {
        held.take();
    }
    let code = held.child.wait().unwrap().code().unwrap();
    let said = Said { code, records: held.records, stderr: String::new() };
    assert_eq!(said.decided(), "world-incomplete", "{}", said.verdict().line);
    assert_eq!(said.code, i32::from(Exit::Infrastructure.code()));
    let red = said.records.iter().filter_map(|record| match &record.event {
        Event::CheckEnded { stage: Stage::Functional, check, .. } if check.outcome == Outcome::Failed => Some(check),
        _ => None,
    });
    for check in red {
        let fault = check.fault.as_ref().unwrap();
        assert_eq!(fault.cause, Cause::Infrastructure, "{}: {}", check.name, fault.failure.what);
        assert!(fault.failure.what.contains("so nothing is known of the app"), "{}", fault.failure.what);
    }
    assert_eq!(said.outcome(Stage::Teardown), Some(Outcome::Passed));
    // The next test finds the world that it knows.
    scene.settled();
}
