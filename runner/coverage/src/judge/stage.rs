//! The cells that a stage of a run shows.

use super::Case;
use super::pick::{Pick, pick};
use super::red::{Proof, Red};
use crate::{Cell, CellState, Check, Evidence, Feature, Rule, StageEvidence};
use journal::event::{Outcome, Stage};
use recipe_folder::recipe_toml::InjectedFault;

/// Checks without which a stage shows nothing; those of the data are added.
fn essential(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::Install => &["install.settled", "install.answers"],
        Stage::Upgrade => &["upgrade.settled", "upgrade.moved", "upgrade.answers"],
        Stage::Backup => &["backup.created", "backup.wiped", "backup.restored", "backup.answers"],
        Stage::Fresh => &["fresh.settled", "fresh.answers"],
        _ => &[],
    }
}

pub(super) fn cell(case: &Case<'_>, feature: Feature) -> Cell {
    let tests = case.promise.tests_of(feature);
    if let Some(cell) = promised(case, feature, &tests) {
        return cell;
    }
    let Some(stage) = feature.stage() else { return Cell::new(feature, CellState::Missing, "no stage shows it") };
    match pick(case, Some(stage)) {
        Pick::None => Cell::new(feature, CellState::Missing, "no run has shown it"),
        Pick::Other(run) => other(case, feature, run),
        Pick::Part(run) => part(case, feature, stage, &tests, run),
        Pick::Whole(run) => whole(case, feature, stage, &tests, run).by(case.shown(run)),
    }
}

/// Judges the folder alone: no test, a blocker, or an opt-out.
fn promised(case: &Case<'_>, feature: Feature, tests: &[&str]) -> Option<Cell> {
    let missing = |why: &str| match case.promise.missing.get(feature.name()) {
        Some(blocker) => Some(Cell::new(feature, CellState::Blocked, blocker)),
        None => Some(Cell::new(feature, CellState::Missing, why)),
    };
    match feature {
        Feature::Functional if tests.is_empty() => return missing("no test in functional/ or browser/"),
        Feature::Browser if tests.is_empty() => return missing("no test in browser/"),
        Feature::Faults if case.promise.faults.is_empty() => {
            return missing("recipe.toml switches no fault on");
        }
        Feature::Sso if !case.promise.sso => return missing("recipe.toml has no [sso]: no run logs in by a provider"),
        Feature::Sso if tests.is_empty() => {
            let why = "recipe.toml wires the app to a provider, and no test logs in";
            return Some(Cell::illusion(feature, Rule::SsoUntested, why));
        }
        _ => {}
    }
    let (check, reason) = case.promise.opted_out(feature.stage()?)?;
    let cell = Cell::illusion(feature, Rule::OptedOut, format!("recipe.toml opts out of {check}: {reason}"));
    Some(match pick(case, feature.stage()) {
        Pick::Whole(run) => cell.by(case.shown(run)),
        _ => cell,
    })
}

fn other(case: &Case<'_>, feature: Feature, run: &Evidence) -> Cell {
    let newest = case.repository.map_or("", |repository| &repository.head.as_str()[..7]);
    let why =
        format!("green at {}; nothing is shown of {newest}, the newest of the default branch", case.of_commit(run));
    Cell::new(feature, CellState::Stale, why).by(case.shown(run))
}

/// A part of a run: advisory if it included everything that the cell promises.
fn part(case: &Case<'_>, feature: Feature, stage: Stage, tests: &[&str], run: &Evidence) -> Cell {
    let asked = run.only.join(", ");
    let absent = run.seen(stage).map(|seen| not_run(seen, tests)).unwrap_or_default();
    let cell = match absent.is_empty() {
        false => {
            let why = format!("only a part of a run ({asked}) was green, without {}", list(&absent));
            Cell::illusion(feature, Rule::OnlyAPart, why)
        }
        true => {
            let cell = whole(case, feature, stage, tests, run);
            let why = format!("green in a part of a run ({asked}), which decides nothing about a change");
            if cell.state == CellState::Gating { Cell::new(feature, CellState::Advisory, why) } else { cell }
        }
    };
    cell.by(case.shown(run))
}

fn whole(case: &Case<'_>, feature: Feature, stage: Stage, tests: &[&str], run: &Evidence) -> Cell {
    let Some(seen) = run.seen(stage) else {
        return Cell::new(feature, CellState::Missing, "the run has no such stage");
    };
    let reason = seen.reason.clone().unwrap_or_else(|| "no reason given".to_owned());
    match seen.outcome {
        None => Cell::illusion(feature, Rule::EndedEarly, format!("the run was killed during {stage}")),
        Some(Outcome::Blocked) => Cell::new(feature, CellState::Blocked, reason),
        Some(Outcome::Skipped) if stage == Stage::Upgrade && run.base.is_none() => {
            Cell::new(feature, CellState::Blocked, reason)
        }
        // None of them applies to the recipe.
        Some(Outcome::Skipped) if seen.checks.iter().any(|check| check.outcome == Outcome::Blocked) => {
            Cell::new(feature, CellState::Blocked, reason)
        }
        Some(Outcome::Skipped) => Cell::illusion(feature, Rule::Skipped, format!("{stage} is skipped: {reason}")),
        Some(Outcome::Failed) => match early(case, feature, seen, tests) {
            Some(what) => Cell::illusion(feature, Rule::EndedEarly, format!("red: {reason}; {what}")),
            None => untested(case, feature, seen, tests, run).unwrap_or_else(|| {
                let green = |check: &Check| !tests.contains(&check.file()) || check.outcome == Outcome::Passed;
                let other = matches!(feature, Feature::Sso | Feature::Browser) && seen.checks.iter().all(green);
                let why = match other {
                    true => format!("green at {}, whose {stage} is red by another check", case.of_commit(run)),
                    false => format!("it bites, and is red at {}: {reason}", case.of_commit(run)),
                };
                Cell::new(feature, CellState::Gating, why)
            }),
        },
        Some(Outcome::Passed) => match early(case, feature, seen, tests) {
            Some(what) => Cell::illusion(feature, Rule::EndedEarly, format!("green, but {what}")),
            None => untested(case, feature, seen, tests, run).unwrap_or_else(|| {
                let remark = if tests.is_empty() { "" } else { Case::unprinted(run) };
                let faults = if feature == Feature::Faults { faults(case, seen) } else { String::new() };
                Cell::new(feature, CellState::Gating, format!("green at {}{faults}{remark}", case.of_commit(run)))
            }),
        },
    }
}

/// Planned tests that did not run, as text.
fn early(case: &Case<'_>, feature: Feature, seen: &StageEvidence, tests: &[&str]) -> Option<String> {
    let told = |name: &str| seen.checks.iter().any(|check| check.name == name);
    let mut absent: Vec<String> =
        essential(seen.stage).iter().filter(|name| !told(name)).map(|name| (*name).to_owned()).collect();
    if feature == Feature::Faults {
        let promised = case.promise.faults.iter().filter(|fault| of_fault(seen, **fault).next().is_none());
        absent.extend(promised.map(|fault| fault.check()));
    }
    // A cell is about its own files; other files of the stage belong to other cells.
    let mine = |name: &&String| tests.contains(&name.as_str()) || !matches!(feature, Feature::Sso | Feature::Browser);
    let planned = seen.planned.iter().filter(mine);
    absent.extend(planned.filter(|name| !seen.checks.iter().any(|check| check.file() == *name)).cloned());
    if let Some(check) = case.promise.data.as_ref().filter(|check| tests.contains(&check.as_str())) {
        let wants: &[&str] = match feature {
            Feature::Backup => &["wiped: ", "restored: "],
            Feature::Upgrade => &["upgrade: "],
            _ => &[],
        };
        let has = |begin: &str| seen.checks.iter().any(|c| c.name.starts_with(begin) && c.file() == check && c.ran());
        // Data that was added since the run is reported as such.
        let knows_data = seen.checks.iter().any(|c| c.file().starts_with("data/"));
        absent.extend(wants.iter().filter(|begin| knows_data && !has(begin)).map(|begin| format!("{begin}{check}")));
    }
    (!absent.is_empty()).then(|| format!("{} did not run: {}", planned_words(absent.len()), list(&absent)))
}

fn of_fault(seen: &StageEvidence, fault: InjectedFault) -> impl Iterator<Item = &Check> {
    let name = fault.check();
    seen.checks.iter().filter(move |check| match check.name.strip_prefix(&name) {
        Some(rest) => rest.is_empty() || rest.starts_with('.'),
        None => false,
    })
}

/// The faults that a stage injected, and those that it could not.
fn faults(case: &Case<'_>, seen: &StageEvidence) -> String {
    let is_blocked = |fault: &InjectedFault| of_fault(seen, *fault).any(|check| check.outcome == Outcome::Blocked);
    let names = |faults: Vec<&InjectedFault>| {
        let names: Vec<&str> = faults.into_iter().map(|fault| fault.name()).collect();
        names.join(", ")
    };
    let (blocked, made) = case.promise.faults.iter().partition(|fault| is_blocked(fault));
    let (blocked, made) = (names(blocked), names(made));
    let blocked = if blocked.is_empty() { blocked } else { format!("; blocked: {blocked}") };
    format!(" ({made}{blocked})")
}

/// Tests that a stage did not run.
fn not_run(seen: &StageEvidence, tests: &[&str]) -> Vec<String> {
    let ran = |test: &str| seen.checks.iter().any(|check| check.file() == test && check.ran());
    tests.iter().filter(|test| !ran(test)).map(|test| (*test).to_owned()).collect()
}

/// The other illusions of a stage that reached its end.
fn untested(case: &Case<'_>, feature: Feature, seen: &StageEvidence, tests: &[&str], run: &Evidence) -> Option<Cell> {
    let illusion = |rule, why: String| Some(Cell::illusion(feature, rule, why));
    let mine = |file: &str| tests.contains(&file) || !file.contains('/') || feature == Feature::Functional;
    let skipped = seen.checks.iter().find(|check| check.outcome == Outcome::Skipped && mine(check.file()));
    if let Some(check) = skipped {
        return illusion(Rule::Skipped, format!("{} is skipped: {}", check.name, check.text));
    }
    if feature == Feature::Backup && case.promise.data.is_none() {
        let why = "marker files in volumes were restored; the app's own data is not tested, since there is no data/";
        return illusion(Rule::NoData, why.to_owned());
    }
    if feature == Feature::Functional && tests.iter().filter(|test| !test.contains("health")).count() < 2 {
        return illusion(Rule::FewTests, format!("only {} shows what the app is for", list(tests)));
    }
    let absent = not_run(seen, tests);
    if !absent.is_empty() {
        return illusion(Rule::ChangedSinceRun, format!("added since the run: {}", list(&absent)));
    }
    let changed: Vec<&str> = tests.iter().copied().filter(|test| case.is_same(run, test) == Some(false)).collect();
    if !changed.is_empty() {
        return illusion(Rule::ChangedSinceRun, format!("changed since the run: {}", list(&changed)));
    }
    if let Some(release) = case.repository.and_then(|repository| repository.release.as_ref())
        && release.at > run.at
        && !case.repository.is_some_and(|repository| repository.same(&run.head, &release.commit))
    {
        let why = format!("release {} was made after this run, from another commit", release.name);
        return Some(Cell::new(feature, CellState::Stale, why));
    }
    bites(case, feature, tests)
}

/// Whether the tests can fail.
fn bites(case: &Case<'_>, feature: Feature, tests: &[&str]) -> Option<Cell> {
    let hollow = |test: &&&str| match case.proof(test) {
        Some(Proof::Hollow(run, _)) => case.is_same(run, test) != Some(false),
        _ => false,
    };
    if let Some(test) = tests.iter().find(hollow) {
        return Some(Cell::illusion(feature, Rule::Hollow, format!("{test} is green against an impostor")));
    }
    for (red, rule, words) in [
        (Red::Never, Rule::NeverRed, "green, and never seen red"),
        (Red::Before, Rule::ChangedSinceProven, "green, and seen red only before it was changed"),
    ] {
        let found: Vec<&str> = tests.iter().copied().filter(|test| case.red(test) == red).collect();
        if !found.is_empty() {
            return Some(Cell::illusion(feature, rule, format!("{words}: {}", list(&found))));
        }
    }
    None
}

fn planned_words(number: usize) -> String {
    if number == 1 { "1 planned check".to_owned() } else { format!("{number} planned checks") }
}

/// A list of names, shortened to fit on a line.
pub(super) fn list<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 3;
    let some: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", some.join(", ")),
        None => some.join(", "),
    }
}
