//! Records everything that a probe creates, like a run does: a folder with a lock, a claim for each stack, the ids of
//! snapshots. So the next run, `cc-ci reap` or `cc-ci serve` removes what a killed `cc-ci doctor` left.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::names::{Domain, RecipeName, RunId};
use coopcloud::snapshot_id::SnapshotId;
use slots::{Claim, ClaimOutcome, Claims};
use swarm::Swarm;

use host::queue;
use host::queue::Runner;
use host::run_labels::labels;
use host::snapshots;
use host::teardown::tear_down;
use journal::run_dir::{Alive, RunDir};
use journal::run_id::new_run_id;

/// Timeout of the removal.
const REMOVAL: Duration = Duration::from_secs(20);

/// A folder and its stacks.
pub(super) struct Scratch {
    swarm: Swarm,
    run: RunId,
    dir: RunDir,
    host: String,
    deadline: i64,
    claims: Vec<Claim>,
    _alive: Alive,
}

impl Scratch {
    /// Creates a folder below the state folder, valid for `lasts`.
    pub(super) async fn make(swarm: &Swarm, runner: &Runner, lasts: Duration) -> Result<Self, Failure> {
        let seconds = i64::try_from((lasts + REMOVAL).as_secs()).unwrap_or(i64::MAX);
        let deadline = queue::now(swarm, &runner.settings).await?.saturating_add(seconds);
        let run = new_run_id()?;
        let dir = RunDir::of(&runner.state, &run);
        let alive = dir.create().map_err(|error| Failure::disk("make", dir.path(), &error))?;
        let (swarm, host) = (swarm.clone(), runner.host.clone());
        Ok(Self { swarm, run, dir, host, deadline, claims: Vec::new(), _alive: alive })
    }

    pub(super) fn abra(&self) -> PathBuf {
        self.dir.abra()
    }

    /// The labels of each service, so that it is never mistaken for the server's own.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        labels(&self.run, &self.host, self.deadline)
    }

    /// Claims the name of an app's stack, before anything of it is created.
    pub(super) async fn claim(&mut self, domain: &Domain, recipe: &RecipeName) -> Result<(), Failure> {
        let claim = Claim {
            run: self.run.clone(),
            stack: domain.stack(),
            domain: domain.clone(),
            recipe: recipe.clone(),
            beside: None,
            warm: None,
            owner: self.host.clone(),
            deadline: self.deadline,
            kept_until: None,
        };
        match Claims(&self.swarm).take(&claim).await? {
            ClaimOutcome::Held => {
                self.claims.push(claim);
                Ok(())
            }
            ClaimOutcome::Taken(other) => {
                Err(Failure::new(Kind::NoSlot, format!("run {} has the name {domain}", other.run), "ask again"))
            }
        }
    }

    /// Records the snapshots of a backup.
    pub(super) fn made(&self, ids: &[SnapshotId]) -> Result<(), Failure> {
        snapshots::note(&self.dir, ids).map_err(|error| Failure::disk("write", self.dir.path(), &error))
    }

    /// Removes everything. What cannot be removed now stays on record.
    pub(super) async fn end(self) -> Result<(), Failure> {
        let forgot = snapshots::forget(&self.swarm, &self.dir, Instant::now() + REMOVAL).await;
        let ended = tear_down(&self.claims, Some(&self.dir), REMOVAL).await;
        if let Some(failure) = ended.failure {
            return Err(failure);
        }
        if let Some(object) = ended.left.first() {
            let what = format!("{} {} of a scratch stack is left", object.kind, object.name);
            return Err(Failure::new(Kind::LeftBehind, what, "cc-ci reap, which retries it"));
        }
        forgot?;
        self.dir.discard();
        Ok(())
    }
}
