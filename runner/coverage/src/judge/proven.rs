//! Whether the tests were shown to fail where they must.

use super::Case;
use super::red::Proof;
use super::stage::list;
use crate::{Cell, CellState, Feature, Rule};

const FEATURE: Feature = Feature::Proven;

pub(super) fn cell(case: &Case<'_>) -> Cell {
    let tests = case.promise.tests_of(FEATURE);
    if tests.is_empty() {
        return Cell::new(FEATURE, CellState::Missing, "no test that could be proven");
    }
    let proofs: Vec<(&str, Option<Proof<'_>>)> = tests.iter().map(|test| (*test, case.proof(test))).collect();
    // The oldest of the proofs determines the age.
    let Some(oldest) = proofs.iter().filter_map(|(_, proof)| *proof).map(Proof::run).min_by_key(|run| run.at) else {
        return Cell::new(FEATURE, CellState::Missing, "no run has proven the tests: cc-ci prove does");
    };
    let shown = case.shown(oldest);
    let changed = |proof: Proof<'_>, test: &str| case.is_same(proof.run(), test) == Some(false);
    for (test, proof) in &proofs {
        match proof {
            Some(Proof::Hollow(run, what)) if !changed(Proof::Bites(run), test) => {
                return Cell::illusion(FEATURE, Rule::Hollow, *what).by(case.shown(run));
            }
            Some(Proof::Broken(run, what)) if !changed(Proof::Bites(run), test) => {
                return Cell::illusion(FEATURE, Rule::NotProven, *what).by(case.shown(run));
            }
            _ => {}
        }
    }
    let of = |wanted: &dyn Fn(&str, Option<Proof<'_>>) -> bool| -> Vec<&str> {
        proofs.iter().filter(|(test, proof)| wanted(test, *proof)).map(|(test, _)| *test).collect()
    };
    let changed = of(&|test, proof| proof.is_some_and(|proof| changed(proof, test)));
    let unproven = of(&|_, proof| proof.is_none());
    if !changed.is_empty() {
        let why = format!("changed since it was proven: {}", list(&changed));
        return Cell::illusion(FEATURE, Rule::ChangedSinceProven, why).by(shown);
    }
    if !unproven.is_empty() {
        let why = format!("{} of {} tests are not proven: {}", unproven.len(), tests.len(), list(&unproven));
        return Cell::illusion(FEATURE, Rule::NotProven, why).by(shown);
    }
    let remark = Case::unprinted(oldest);
    Cell::new(FEATURE, CellState::Gating, format!("{} tests, each red against every impostor{remark}", tests.len()))
        .by(shown)
}
