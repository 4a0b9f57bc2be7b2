//! A fully covered recipe, in which tests break one thing.

use std::collections::BTreeMap;

use base::failure::Kind;
use base::names::Commit;
use jiff::{SignedDuration, Timestamp};

use super::standing::Readme;
use super::{
    Case, Cell, Check, Evidence, Feature, ParityRow, Promise, PublishedRelease, RecipeCoverage, Repository,
    StageEvidence,
};
use journal::event::{Origin, Outcome, Stage, VerdictKind};
use recipe_folder::prints;
use recipe_folder::recipe_toml::InjectedFault;

pub(crate) const TESTS: [&str; 6] = [
    "install/10-page.hurl",
    "upgrade/10-version.sh",
    "backup/10-writes.hurl",
    "functional/10-work.sh",
    "functional/20-oidc-login.rs",
    "browser/10-sign-in.rs",
];
pub(crate) const CHECK: &str = "data/check.hurl";

/// A recipe with all its data.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) promise: Promise,
    /// Newest first: a whole green run, a proof, and a red run.
    pub(crate) runs: Vec<Evidence>,
    pub(crate) repository: Option<Repository>,
    pub(crate) now: Timestamp,
}

pub(crate) const GREEN: usize = 0;
pub(crate) const PROOF: usize = 1;
pub(crate) const RED: usize = 2;

/// A commit of one repeated digit.
pub(crate) fn commit(digit: &str) -> Commit {
    digit.repeat(40).parse().unwrap()
}

pub(crate) fn check(name: &str, outcome: Outcome) -> Check {
    let origin = if name.contains('/') { Origin::Overlay } else { Origin::Generic };
    let kind = (outcome == Outcome::Failed).then_some(Kind::CheckFailed);
    Check { name: name.to_owned(), origin, outcome, kind, text: format!("{name} says so") }
}

fn seen(stage: Stage, checks: &[&str]) -> StageEvidence {
    StageEvidence {
        stage,
        outcome: Some(Outcome::Passed),
        began: true,
        reason: None,
        planned: checks.iter().filter(|name| TESTS.contains(name)).map(|name| (*name).to_owned()).collect(),
        checks: checks.iter().map(|name| check(name, Outcome::Passed)).collect(),
    }
}

impl Scene {
    /// A fully covered recipe.
    pub(crate) fn sound() -> Self {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let wiped = format!("wiped: {CHECK} must be red");
        let (kept, restored) = (format!("upgrade: {CHECK}"), format!("restored: {CHECK}"));
        let stages = vec![
            seen(Stage::Install, &["install.settled", "install.answers", TESTS[0]]),
            seen(
                Stage::Upgrade,
                &["data/seed.sh", "upgrade.settled", "upgrade.moved", "upgrade.answers", &kept, TESTS[1]],
            ),
            seen(
                Stage::Backup,
                &[
                    "backup.created",
                    "backup.wiped",
                    "data/wipe.sh",
                    &wiped,
                    "backup.restored",
                    &restored,
                    "backup.answers",
                    TESTS[2],
                ],
            ),
            seen(Stage::Functional, &TESTS[3..]),
            seen(Stage::Fresh, &["fresh.settled", "fresh.answers"]),
            seen(Stage::Faults, &["faults.ground", "faults.restart.app", "faults.restart.app.data", "faults.two-back"]),
        ];
        let files = TESTS.iter().chain(&[CHECK, "data/seed.sh", "data/wipe.sh", "recipe.toml", "PARITY.md"]);
        let prints: BTreeMap<String, String> =
            files.map(|name| ((*name).to_owned(), prints::of(name.as_bytes()))).collect();
        let run = |id: &str, hours: i64, head: &str, stages: Vec<StageEvidence>| Evidence {
            run: id.parse().unwrap(),
            at: now - SignedDuration::from_hours(hours),
            recipe: "app".parse().unwrap(),
            head: commit(head),
            version: Some("1.2.0+2.0".to_owned()),
            base: Some("1.1.0+2.0".to_owned()),
            pull_request: None,
            only: Vec::new(),
            word: Some(VerdictKind::Passed),
            tests: Some(prints.clone()),
            stages,
        };
        let green = run("20261121-100000-aaaa", 2, "1", stages.clone());
        let mut proof = run("20261121-090000-bbbb", 3, "1", vec![]);
        let proofs: Vec<String> =
            TESTS[3..].iter().chain(&[CHECK]).map(|test| format!("{test} against a blank page")).collect();
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        proof.only = vec!["functional".to_owned()];
        proof.stages = vec![seen(Stage::Functional, &TESTS[3..]), seen(Stage::Prove, &proofs)];
        let mut red = run("20261121-080000-cccc", 4, "2", stages);
        red.word = Some(VerdictKind::Failed(base::failure::Cause::Recipe));
        for seen in &mut red.stages {
            for one in seen.checks.iter_mut().filter(|one| TESTS[..3].contains(&one.name.as_str())) {
                *one = check(&one.name, Outcome::Failed);
                seen.outcome = Some(Outcome::Failed);
            }
        }
        let rows = [("`health_check`", "recipe.toml"), ("work", TESTS[3]), ("backup", "data/")];
        let promise = Promise {
            tests: TESTS.iter().map(|name| ((*name).to_owned(), name.contains("oidc"))).collect(),
            data: Some(CHECK.to_owned()),
            sso: true,
            faults: vec![InjectedFault::Restart, InjectedFault::TwoBack],
            parity: Some(
                rows.map(|(corpus, file)| ParityRow { corpus: corpus.to_owned(), files: vec![file.to_owned()] }).into(),
            ),
            prints,
            ..Promise::default()
        };
        let release = PublishedRelease {
            name: "1.2.0+2.0".to_owned(),
            at: now - SignedDuration::from_hours(48),
            commit: commit("1"),
        };
        let repository = Repository {
            head: commit("1"),
            release: Some(release),
            trees: ["1", "2"].map(|digit| (commit(digit), format!("tree {digit}"))).into(),
            readme: Some(Readme { maintainers: "Ada @ada:example.org".to_owned(), contact: true }),
        };
        Self { promise, runs: vec![green, proof, red], repository: Some(repository), now }
    }

    pub(crate) fn judged<T>(&self, by: impl FnOnce(&Case<'_>) -> T) -> T {
        let runs: Vec<&Evidence> = self.runs.iter().collect();
        let repository = self.repository.as_ref();
        by(&Case { promise: &self.promise, runs: &runs, repository, now: self.now })
    }

    pub(crate) fn cell(&self, feature: Feature) -> Cell {
        self.judged(|case| case.cell(feature))
    }

    pub(crate) fn row(&self) -> RecipeCoverage {
        self.judged(|case| RecipeCoverage::of(&"app".parse().unwrap(), case))
    }

    pub(crate) fn repository(&mut self) -> &mut Repository {
        self.repository.as_mut().unwrap()
    }

    pub(crate) fn seen(&mut self, run: usize, stage: Stage) -> &mut StageEvidence {
        self.runs[run].stages.iter_mut().find(|seen| seen.stage == stage).unwrap()
    }

    /// Removes a check from a run's stage.
    pub(crate) fn without(&mut self, run: usize, stage: Stage, name: &str) -> &mut Self {
        self.seen(run, stage).checks.retain(|check| !check.name.starts_with(name));
        self
    }

    /// Changes a file's content since every run.
    pub(crate) fn change(&mut self, file: &str) -> &mut Self {
        self.promise.prints.insert(file.to_owned(), prints::of(b"changed"));
        self
    }
}
