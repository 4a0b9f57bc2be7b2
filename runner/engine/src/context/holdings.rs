//! What a run holds or has been given, and must give back: its slot, names, logins and dependencies. The tested app's
//! part of the run alone has any.

use base::failure::Failure;
use slots::Claim;
use slots::{Lease, SwarmBoard};
use tokio::task::JoinHandle;

use super::logins::Logins;
use super::stage_run::StageRun;
use super::usage::Usage;
use host::repository::Opening;

/// What a run holds; it changes from stage to stage.
#[derive(Default)]
pub(crate) struct Holdings {
    /// The apps that the tested one needs, in the order in which they can come up.
    pub(crate) dependencies: Vec<StageRun>,
    /// Whether every dependency has come up.
    pub(crate) came_up: bool,
    /// Logins that were made for this run, and the provider that gives them.
    pub(crate) logins: Option<Logins>,
    /// The run's slot, while it has one.
    pub(crate) lease: Option<Lease<SwarmBoard>>,
    /// How it lost its slot, if it did.
    pub(crate) lost: Option<Failure>,
    /// Who ended it, where it was not this process.
    pub(crate) cancelled_by: Option<String>,
    /// The look at the backup bot's repository, which prepare waits for.
    pub(crate) repository: Option<Opening>,
    /// The names that the run has, the tested app's first.
    pub(crate) claims: Vec<Claim>,
    /// Measures what the run's apps hold.
    pub(crate) usage: Usage,
    /// Forgets the run's snapshots beside the stages after the backup.
    pub(crate) forgetting: Option<JoinHandle<Result<usize, Failure>>>,
}

impl Holdings {
    /// The names that the run has, in the order in which the apps go: who needs another goes before it.
    pub(crate) fn claims_to_end(&self) -> Vec<Claim> {
        let (tested, dependencies): (Vec<Claim>, Vec<Claim>) =
            self.claims.iter().cloned().partition(|claim| claim.beside.is_none());
        tested.into_iter().chain(dependencies.into_iter().rev()).collect()
    }
}
