//! `--only`: the requested part of a run. Pure.

use std::collections::BTreeSet;
use std::fmt;

use crate::event::Stage;

/// The requested parts; everything by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    parts: Vec<Part>,
    prove: bool,
    /// Tests that run because a selected one uses their results.
    needed: BTreeSet<String>,
}

/// A stage, or the checks of a folder or file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Stage(Stage),
    /// A prefix of a check's name, such as `functional/20`.
    Checks(String),
}

/// Stages that can be selected: the others belong to every run.
const STAGES: [Stage; 6] =
    [Stage::Install, Stage::Upgrade, Stage::Backup, Stage::Functional, Stage::Fresh, Stage::Faults];

impl Selection {
    /// Parses the values of `--only`: names of stages, `browser`, or names of tests with their folder.
    ///
    /// # Errors
    /// The first value that is neither.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let parts = words.iter().map(|word| part(word)).collect::<Result<_, _>>()?;
        Ok(Self { parts, prove: false, needed: BTreeSet::new() })
    }

    /// The same with proofs that the tests can fail.
    pub fn proven(self) -> Self {
        Self { prove: true, ..self }
    }

    /// Whether to prove that the tests can fail.
    pub fn proves(&self) -> bool {
        self.prove
    }

    /// The same with these tests as well, whose results selected ones use.
    pub fn with_needed(self, needed: BTreeSet<String>) -> Self {
        Self { needed, ..self }
    }

    /// Whether a test runs only because a selected one uses its results.
    pub fn is_needed(&self, name: &str) -> bool {
        self.needed.contains(name)
    }

    /// Whether everything is selected.
    pub fn is_whole(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a test runs, by its name with its folder.
    pub fn wants_check(&self, name: &str) -> bool {
        self.chose(name) || self.is_needed(name)
    }

    /// Whether a test is selected.
    pub fn chose(&self, name: &str) -> bool {
        let of_stage = |stage: Stage| name.split('/').next().and_then(stage_of) == Some(stage);
        self.is_whole()
            || self.parts.iter().any(|part| match part {
                Part::Stage(stage) => of_stage(*stage),
                Part::Checks(begin) => name.starts_with(begin.as_str()),
            })
    }

    /// Whether to prove that a test can fail. The stage functional alone, which `cc-ci prove` selects by default,
    /// stands for all tests: the other stages need not run for that.
    pub fn wants_proof(&self, name: &str) -> bool {
        self.parts == [Part::Stage(Stage::Functional)] || self.chose(name)
    }

    /// Whether this stage is selected, rather than part of every run.
    pub fn asks_for(&self, stage: Stage) -> bool {
        STAGES.contains(&stage)
            && (self.is_whole()
                || self.parts.iter().any(|part| match part {
                    Part::Stage(asked) => *asked == stage,
                    Part::Checks(begin) => begin.split('/').next().and_then(stage_of) == Some(stage),
                }))
    }

    /// Whether a stage runs, given its tests. Preparation, install and teardown belong to every run.
    pub fn wants_stage(&self, stage: Stage, checks: &[String]) -> bool {
        self.is_whole()
            || matches!(stage, Stage::Prepare | Stage::Slot | Stage::Dependencies | Stage::Install | Stage::Teardown)
            || (stage == Stage::Prove && self.prove)
            || self.parts.contains(&Part::Stage(stage))
            || checks.iter().any(|name| self.wants_check(name))
    }

    /// The first part that matches no test.
    pub fn unmet(&self, names: &[String]) -> Option<&str> {
        self.parts.iter().find_map(|part| match part {
            Part::Checks(begin) if !names.iter().any(|name| name.starts_with(begin.as_str())) => Some(begin.as_str()),
            _ => None,
        })
    }

    /// The values of `--only`.
    pub fn words(&self) -> Vec<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Stage(stage) => stage.to_string(),
                Part::Checks(begin) => begin.clone(),
            })
            .collect()
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(", "))
    }
}

/// The stage that runs a folder's tests.
fn stage_of(folder: &str) -> Option<Stage> {
    match folder {
        "browser" => Some(Stage::Functional),
        "reconfigure" => Some(Stage::Faults),
        _ => STAGES.into_iter().find(|stage| stage.name() == folder),
    }
}

fn part(word: &str) -> Result<Part, String> {
    if let Some(stage) = STAGES.into_iter().find(|stage| stage.name() == word) {
        return Ok(Part::Stage(stage));
    }
    let folder = word.split('/').next().unwrap_or_default();
    if stage_of(folder).is_some() {
        return Ok(Part::Checks(if word.contains('/') { word.to_owned() } else { format!("{word}/") }));
    }
    let names: Vec<&str> = STAGES.iter().map(|stage| stage.name()).collect();
    Err(format!("{word:?} is neither a stage ({}) nor a test such as functional/20-content.hurl", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(words: &[&str]) -> Selection {
        Selection::parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn nothing_asked_for_is_everything() {
        let all = only(&[]);
        assert!(all.wants_check("functional/x") && Stage::ALL.into_iter().all(|stage| all.wants_stage(stage, &[])));
    }

    #[test]
    fn a_test_brings_its_stage_and_no_other() {
        let one = only(&["functional/20"]);
        let names = ["functional/20-a.hurl".to_owned(), "functional/30-b.sh".to_owned()];
        assert!(one.wants_check(&names[0]) && !one.wants_check(&names[1]));
        assert!(one.wants_stage(Stage::Functional, &names) && one.wants_stage(Stage::Install, &[]));
        assert!(!one.wants_stage(Stage::Upgrade, &[]) && !one.wants_stage(Stage::Fresh, &[]));
        assert_eq!(one.unmet(&names), None);
        assert_eq!(one.unmet(&names[1..]), Some("functional/20"));
    }

    #[test]
    fn what_a_chosen_test_needs_runs_with_its_stage_and_is_not_proven() {
        let names = ["install/10-a.hurl", "upgrade/10-b.sh", "functional/20-c.hurl"].map(str::to_owned);
        let one = only(&["functional/20"]).with_needed([names[1].clone()].into());
        assert!(one.wants_check("upgrade/10-b.sh") && one.is_needed("upgrade/10-b.sh") && !one.is_needed(&names[2]));
        assert!(one.wants_stage(Stage::Upgrade, &names) && !one.wants_proof("upgrade/10-b.sh"));
        assert!(!one.wants_check("install/10-a.hurl") && one.words() == ["functional/20"]);
    }

    #[test]
    fn what_belongs_to_every_run_was_not_asked_for() {
        assert!(only(&[]).asks_for(Stage::Install) && !only(&[]).asks_for(Stage::Prepare));
        assert!(only(&["browser"]).asks_for(Stage::Functional) && !only(&["browser"]).asks_for(Stage::Install));
        assert!(only(&["install", "backup/10"]).asks_for(Stage::Backup));
    }

    #[test]
    fn a_stage_brings_all_its_tests() {
        assert!(only(&["functional"]).wants_check("browser/10-login.rs"));
        assert!(only(&["browser"]).wants_check("browser/10-login.rs"));
        assert!(!only(&["browser"]).wants_check("functional/10-x.sh"));
        assert!(only(&["backup"]).wants_stage(Stage::Backup, &[]));
    }

    #[test]
    fn what_is_proven_by_itself_is_every_test_and_by_name_that_one() {
        for name in ["install/10-x.hurl", "upgrade/10-x.sh", "browser/10-x.rs"] {
            assert!(only(&["functional"]).wants_proof(name) && only(&[]).wants_proof(name), "{name}");
            assert!(!only(&["functional/20"]).wants_proof(name) && !only(&["backup"]).wants_proof(name), "{name}");
        }
        assert!(only(&["functional/20"]).wants_proof("functional/20-a.hurl"));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for word in ["functionl", "prepare", "teardown", "", "../x"] {
            assert!(Selection::parse(&[word.to_owned()]).is_err(), "{word}");
        }
    }
}
