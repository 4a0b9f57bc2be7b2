//! What the app is for, on live state: first by its interfaces, then as people see it.

use ::overlay::{OverlayFile, OverlayOutcome, OverlayResult};
use base::failure::{Failure, Kind};

use super::{answers, overlay, own_tests};
use crate::context::{Keep, StageRun, Step, Stopped};
use journal::event::Origin;

/// The folders whose tests run here, in their order.
const FOLDERS: [&str; 2] = ["functional", "browser"];

pub(super) async fn run(cx: &mut StageRun) -> Step {
    // A run of its own has asked on the way here; on a kept app this is the first that is asked, and [health] may have
    // changed since.
    if matches!(cx.run.keep, Keep::ByRun(_)) && cx.app.opted_out("install.answers").is_none() {
        answers::answers(cx, "functional.answers").await?;
    }
    overlay::tell_blocked(cx);
    if cx.run.rounds > 1 {
        return again_and_again(cx).await;
    }
    let mut red = false;
    for folder in FOLDERS {
        red |= overlay::run_all(cx, folder).await.is_err();
    }
    red |= own_tests::run(cx).await.is_err();
    if red { Err(Stopped) } else { Ok(()) }
}

/// Runs all tests several times over, to find those that come and go. One that does is red: nothing
/// that it says can be trusted.
async fn again_and_again(cx: &mut StageRun) -> Step {
    let files: Vec<OverlayFile> =
        FOLDERS.iter().filter_map(|folder| cx.app.overlays.checks.get(folder)).flatten().cloned().collect();
    let mut results: Vec<Vec<OverlayResult>> = vec![Vec::new(); files.len()];
    for round in 1..=cx.run.rounds {
        for (file, results) in files.iter().zip(&mut results) {
            cx.progress(format!("round {round} of {}: runs {}", cx.run.rounds, file.name));
            let context = overlay::context(cx, cx.time_left()).await;
            results.push(overlay::tried(cx, file, &context).await);
        }
    }
    let mut red = false;
    for (file, results) in files.iter().zip(results) {
        let took = results.iter().map(|result| result.took).sum();
        red |= match over_rounds(results) {
            Rounds::Same(result) => overlay::record(cx, &file.name, OverlayResult { took, ..result }).await.is_err(),
            Rounds::ComesAndGoes(what, detail) => {
                let failure = Failure::new(
                    Kind::ComesAndGoes,
                    format!("{} comes and goes: {what}", file.name),
                    "what differs between the rounds: time, order, leftovers of the round before",
                );
                cx.fail(&file.name, Origin::Overlay, failure.with_detail(detail), took);
                true
            }
        };
    }
    if red { Err(Stopped) } else { Ok(()) }
}

/// What several rounds of one test say together.
#[derive(Debug, PartialEq, Eq)]
enum Rounds {
    /// The same in all of them.
    Same(OverlayResult),
    /// Green and red: in words, and the first red round's detail.
    ComesAndGoes(String, String),
}

fn over_rounds(results: Vec<OverlayResult>) -> Rounds {
    let is_green = |result: &&OverlayResult| result.outcome == OverlayOutcome::Passed;
    let (rounds, green) = (results.len(), results.iter().filter(is_green).count());
    let first = results.iter().position(|result| !is_green(&result)).unwrap_or(0);
    let shown = results[first].clone();
    if green == 0 || green == rounds {
        let word = if green == 0 { "red" } else { "green" };
        return Rounds::Same(OverlayResult { text: format!("{word} in all {rounds} rounds: {}", shown.text), ..shown });
    }
    let at = first + 1;
    let what = format!("green in {green} of {rounds} rounds, red first in round {at}: {}", shown.text);
    Rounds::ComesAndGoes(what, shown.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(outcomes: &[OverlayOutcome]) -> Vec<OverlayResult> {
        let of = |(n, &outcome): (usize, &OverlayOutcome)| OverlayResult {
            outcome,
            text: format!("said {n}"),
            detail: format!("detail {n}"),
            files: Vec::new(),
            exchanges: Box::default(),
            took: std::time::Duration::ZERO,
        };
        outcomes.iter().enumerate().map(of).collect()
    }

    #[test]
    fn a_test_that_comes_and_goes_is_named_with_its_first_red_round() {
        use OverlayOutcome::{Broken, Failed, Passed};
        let Rounds::Same(green) = over_rounds(results(&[Passed, Passed])) else { panic!("green comes and goes") };
        assert_eq!((green.outcome, green.text.as_str()), (Passed, "green in all 2 rounds: said 0"));
        let Rounds::Same(red) = over_rounds(results(&[Failed, Broken])) else { panic!("red comes and goes") };
        assert_eq!((red.outcome, red.text.as_str()), (Failed, "red in all 2 rounds: said 0"));
        let what = "green in 2 of 3 rounds, red first in round 2: said 1".to_owned();
        assert_eq!(over_rounds(results(&[Passed, Failed, Passed])), Rounds::ComesAndGoes(what, "detail 1".to_owned()));
    }
}
