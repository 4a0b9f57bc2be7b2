//! The JUnit report: a suite for each stage, with a case for each check and one for the stage itself, and first a suite
//! for the verdict, so that the file is red whenever the run is.

use std::time::Duration;

use base::failure::Failure;
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use journal::event::{CheckResult, Fault, Outcome};
use journal::fold::{RunView, StageView};
use journal::text::{Bounds, block, clean, one_line, seconds};
use journal::tone::Tone;

const EVIDENCE: Bounds = Bounds { lines: 200, columns: 1_000 };

/// Renders a run as JUnit XML. `remarks` are those of its journal.
///
/// # Errors
/// None is known: characters that XML forbids are removed.
pub fn render(view: &RunView, remarks: &[String]) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new(format!("cc-ci {}", view.started.recipe));
    report.set_time(Duration::from_millis(view.took_ms));
    report.timestamp = view.at.to_string().parse().ok();
    report.add_test_suite(verdict_suite(view, remarks));
    for stage in &view.stages {
        report.add_test_suite(stage_suite(view, stage));
    }
    report.to_string()
}

fn verdict_suite(view: &RunView, remarks: &[String]) -> TestSuite {
    let started = &view.started;
    let mut suite = TestSuite::new("verdict");
    suite.set_time(Duration::from_millis(view.took_ms));
    let facts = [
        ("run", started.run.to_string()),
        ("recipe", started.recipe.to_string()),
        ("commit", started.head.to_string()),
        ("base", started.base.clone().unwrap_or_default()),
        ("domain", started.domain.to_string()),
        ("cc-ci", started.cc_ci.clone()),
    ];
    for (name, value) in facts {
        suite.add_property(Property::new(name, one_line(&value, 200)));
    }
    let decided = view.verdict.as_ref().and_then(|verdict| verdict.decided_by.as_ref());
    let fault = decided.map(|decision| &decision.fault);
    let status = status(view.tone(), fault, &view.line());
    let mut case = case(view, "verdict", "verdict", status, Some(view.took_ms));
    if !remarks.is_empty() {
        case.set_system_out(clean(&remarks.join("\n")));
    }
    suite.add_test_case(case);
    suite
}

fn stage_suite(view: &RunView, stage: &StageView) -> TestSuite {
    let name = stage.stage.name();
    let mut suite = TestSuite::new(name);
    suite.set_time(Duration::from_millis(stage.took_ms.unwrap_or(0)));
    let result = stage.result();
    let fault = result.and_then(|result| result.fault.as_ref());
    let text = match stage.tone() {
        Tone::NoEnd => format!("the run was killed during {name}"),
        Tone::NotReached => format!("the run did not reach {name}"),
        _ => stage.reason().unwrap_or_default().to_owned(),
    };
    suite.add_test_case(case(view, name, name, status(stage.tone(), fault, &text), stage.took_ms));
    for check in &stage.checks {
        let tone = Tone::from(check.outcome);
        let status = match (tone, &check.fault) {
            // It could not be tried and has no culprit, so no reader of the file may count it as a failure.
            (Tone::Blocked, None) => status(Tone::Skipped, None, &format!("blocked: {}", check.text)),
            (tone, fault) => status(tone, fault.as_ref(), &check.text),
        };
        let mut one = case(view, name, &check.name, status, Some(check.took_ms));
        one.add_property(Property::new("origin", check.origin.name()));
        let out = system_out(check);
        if !out.is_empty() {
            one.set_system_out(out);
        }
        suite.add_test_case(one);
    }
    for (check, reason) in stage.unseen_opt_outs() {
        let text = format!("opt-out: {reason}");
        suite.add_test_case(case(view, name, check, status(Tone::Skipped, None, &text), None));
    }
    if !stage.notes.is_empty() {
        suite.set_system_out(block(&stage.notes.join("\n"), EVIDENCE));
    }
    suite
}

/// A green check's evidence, and the lines of a check's requests.
fn system_out(check: &CheckResult) -> String {
    let shown = (check.outcome == Outcome::Passed && !check.text.is_empty()).then(|| one_line(&check.text, 1_000));
    let requests = check.shown.exchanges.iter().map(|exchange| {
        let times = if exchange.times > 1 { format!(", {} times", exchange.times) } else { String::new() };
        let status = exchange.status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
        let status = if exchange.error.is_empty() { status } else { format!("no answer: {}", exchange.error) };
        let line = format!("{} {}: {status}, {}{times}", exchange.method, exchange.url, seconds(exchange.took_ms));
        one_line(&line, 700)
    });
    let more = (check.shown.exchanges_left_out > 0).then(|| format!("and {} more", check.shown.exchanges_left_out));
    shown.into_iter().chain(requests).chain(more).collect::<Vec<_>>().join("\n")
}

fn case(view: &RunView, stage: &str, name: &str, status: TestCaseStatus, ms: Option<u64>) -> TestCase {
    let mut case = TestCase::new(one_line(name, 200), status);
    case.set_classname(format!("{}.{stage}", view.started.recipe));
    if let Some(ms) = ms {
        case.set_time(Duration::from_millis(ms));
    }
    case
}

/// Failed is a failure; a check that could not run or did not end is an error; neither is green.
fn status(tone: Tone, fault: Option<&Fault>, text: &str) -> TestCaseStatus {
    let mut status = match tone {
        Tone::Passed => return TestCaseStatus::success(),
        Tone::Skipped => TestCaseStatus::skipped(),
        Tone::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Tone::Blocked | Tone::Cancelled | Tone::NoEnd | Tone::NotReached => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    let Some(Fault { cause, failure: Failure { kind, what, look_at, detail, files: _ } }) = fault else {
        status.set_message(one_line(text, 1_000));
        status.set_type(tone.word());
        return status;
    };
    status.set_message(one_line(what, 1_000));
    status.set_type(kind.code());
    let mut description = format!("{} by {}\nlook at: {}", tone.word(), cause.words(), one_line(look_at, 1_000));
    if !detail.is_empty() {
        description = format!("{description}\n\n{}", block(detail, EVIDENCE));
    }
    status.set_description(description);
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::exit::Exit;
    use journal::fold::fold;
    use journal_fixtures as fixtures;

    #[test]
    fn the_file_of_a_failed_upgrade() {
        let view = fold(&fixtures::failed_upgrade()).unwrap();
        insta::assert_snapshot!(render(&view, &[]).unwrap());
    }

    #[test]
    fn the_file_of_a_killed_run() {
        let view = fold(&fixtures::killed()).unwrap();
        let remarks = ["line 40, the last one, is cut short and was left out".to_owned()];
        insta::assert_snapshot!(render(&view, &remarks).unwrap());
    }

    #[test]
    fn it_is_red_exactly_when_the_run_is() {
        for (name, records) in fixtures::all() {
            for end in 1..=records.len() {
                let view = fold(&records[..end]).unwrap();
                let xml = render(&view, &[]).unwrap();
                let red = xml.contains("<failure ") || xml.contains("<error ");
                assert_eq!(red, view.exit() != Exit::Passed, "{name} up to {end}");
            }
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        let xml = render(&fold(&fixtures::hostile()).unwrap(), &[fixtures::HOSTILE.into()]).unwrap();
        assert!(!xml.contains("<script") && !xml.contains("<img") && !xml.contains("]]>"));
        assert!(xml.chars().all(|c| !c.is_control() || c == '\n'), "control characters");
        assert!(xml.len() < 200_000, "{} bytes", xml.len());
    }
}
