//! Judges a cell from promises and evidence. Pure.

mod parity;
mod pick;
mod proven;
mod red;
mod stage;

use super::{Case, Cell, CellEvidence, Evidence, Feature};

impl Case<'_> {
    /// The cells of the recipe, one for each feature.
    pub fn cells(&self) -> Vec<Cell> {
        Feature::ALL.into_iter().map(|feature| self.cell(feature)).collect()
    }

    pub fn cell(&self, feature: Feature) -> Cell {
        match feature {
            Feature::Parity => parity::cell(self),
            Feature::Proven => proven::cell(self),
            _ => stage::cell(self, feature),
        }
    }

    /// A run as a cell's evidence.
    fn shown(&self, run: &Evidence) -> CellEvidence {
        let age = self.now.duration_since(run.at).as_secs();
        CellEvidence {
            run: run.run.clone(),
            at: run.at,
            age_s: u64::try_from(age).unwrap_or(0),
            head: run.head.clone(),
            version: run.version.clone(),
            pull_request: run.pull_request,
        }
    }

    /// The commit that a run is evidence for, as text.
    fn of_commit(&self, run: &Evidence) -> String {
        let pull = run.pull_request.map(|number| format!(" of pull request {number}")).unwrap_or_default();
        let here = match self.repository {
            Some(repository) if repository.same(&run.head, &repository.head) => ", the newest of the default branch",
            Some(_) => "",
            None => " (the newest commit is not known here)",
        };
        format!("commit {}{pull}{here}", &run.head.as_str()[..7])
    }

    /// A remark if a run does not record which tests it ran.
    fn unprinted(run: &Evidence) -> &'static str {
        if run.tests.is_none() { "; an old journal, which does not record the tests" } else { "" }
    }
}
