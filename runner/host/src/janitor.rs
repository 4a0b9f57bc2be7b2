//! Finishes the teardown of runs whose owner is gone: killed, or lost with its machine. Never touches a live run, the
//! world, or anything without a claim of cc-ci. Concurrent janitors are harmless.
//!
//! A run with a slot lives as long as its heartbeat continues, on any machine. Otherwise its claims decide: on this
//! machine the run's lock, elsewhere the claim's deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::names::{RealmName, RunId};
use coopcloud::abra::Abra;
use harness::browser::remove_homes_of_killed;
use http_client::Http;
use serde::Serialize;
use slots::{Board, LedgerEntry, Scan, SlotRequest, Slots, SwarmBoard};
use slots::{Claim, Claims, Leftovers, RealmLeases};
use swarm::{Removal, Swarm};

use crate::orphans;
use crate::provider::ProviderAddress;
use crate::queue;
use crate::queue::{Runner, slots_of};
use crate::snapshots;
use crate::teardown::tear_down;
use journal::run_dir::{Alive, RunDir, note_found_dead};
use recipe_folder::folder::read_toml;

/// The result for one claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reaped {
    pub run: String,
    pub stack: String,
    pub what: Reaping,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reaping {
    /// The owner lives: nothing was touched.
    Alive,
    /// The app is kept until this time (Unix seconds): nothing was touched.
    Kept(i64),
    /// It is kept, and this run uses it: nothing was touched.
    InUse(String),
    /// Nothing is left.
    Removed,
    /// Something is left.
    Left(Vec<String>),
    /// It could not be tried.
    Failed(String),
}

/// Finishes teardowns.
pub struct Janitor<'a> {
    swarm: &'a Swarm,
    http: &'a Http,
    runner: &'a Runner,
    limit: Duration,
    slots: Slots<SwarmBoard>,
    /// The results for runs with a slot.
    done: Mutex<Vec<Reaped>>,
}

impl<'a> Janitor<'a> {
    /// A janitor with the settings of `runner`; realms are removed over `http`, and `limit` is the timeout for one app.
    pub fn new(swarm: &'a Swarm, http: &'a Http, runner: &'a Runner, limit: Duration) -> Self {
        Self { swarm, http, runner, limit, slots: slots_of(swarm, &runner.settings), done: Mutex::default() }
    }

    /// Checks every slot, every realm lease and every claim on the swarm, and finishes those without a live owner.
    /// Detecting a dead slot owner on another machine takes a while.
    pub async fn reap(&self, looks: Scan) -> Result<Vec<Reaped>, Failure> {
        let reaped = self.slots.reap(self, looks, |ask| self.is_dead_here(ask)).await?;
        let mut done: Vec<Reaped> = self.done.lock().map(|mut done| std::mem::take(&mut *done)).unwrap_or_default();
        let told_of: BTreeSet<String> = done.iter().map(|one| one.run.clone()).collect();
        for run in reaped.iter().map(|one| one.held.ask.run.to_string()).filter(|run| !told_of.contains(run)) {
            done.push(Reaped { run, stack: "its slot".to_owned(), what: Reaping::Removed });
        }
        let slotted = self.slotted().await?;
        let now = self.now().await?;
        for held in by_run(Claims(self.swarm).all().await?) {
            if done.iter().any(|one| one.run == held[0].run.as_str()) {
                continue;
            }
            done.extend(match self.owner(&held[0], &slotted, now) {
                Owner::Lives => told(&held, &Reaping::Alive),
                Owner::Keeps(until) => told(&held, &Reaping::Kept(until)),
                Owner::Gone(dir, _alive) => self.end(&held, dir.as_ref()).await?,
            });
        }
        // After the apps: the realms of a removed provider are gone with it.
        for lease in RealmLeases(self.swarm).all().await? {
            if let Owner::Gone(_, _alive) = self.owner(&lease, &slotted, now) {
                done.push(self.end_realm(&lease).await?);
            }
        }
        self.forget_what_is_not_kept().await?;
        done.extend(self.what_others_could_not_reach().await?);
        done.extend(self.end_folders().await?);
        remove_homes_of_killed();
        self.note_dead(&done);
        done.extend(self.forget_snapshots().await?);
        Ok(done)
    }

    /// Removes the snapshots of runs on this machine that were killed, or could not do it themselves. Those of a run
    /// whose app is kept stay as long as the app.
    async fn forget_snapshots(&self) -> Result<Vec<Reaped>, Failure> {
        let mut done = Vec::new();
        for (run, dir) in RunDir::all(&self.runner.state).unwrap_or_default() {
            if snapshots::of(&dir).unwrap_or_default().is_empty() {
                continue;
            }
            let Some(_alive) = dir.take_over() else { continue };
            if Claims(self.swarm).all().await?.iter().any(|claim| claim.run == run) {
                continue;
            }
            if let Err(failure) = snapshots::forget(self.swarm, &dir, Instant::now() + self.limit).await {
                // They occupy no slot, and the bot's refusal applies to all of them.
                tracing::warn!("run {run}: {failure}; {}", failure.look_at);
                break;
            }
            discard_if_empty(&dir);
            done.push(Reaped { run: run.to_string(), stack: "its snapshots".to_owned(), what: Reaping::Removed });
        }
        Ok(done)
    }

    /// Records the runs that were found dead, for those who wait for their result.
    fn note_dead(&self, done: &[Reaped]) {
        let is_dead = |one: &&Reaped| matches!(one.what, Reaping::Removed | Reaping::Left(_) | Reaping::Failed(_));
        for run in done.iter().filter(is_dead).filter_map(|one| one.run.parse().ok()) {
            if let Err(error) = note_found_dead(&self.runner.state, &run) {
                tracing::warn!("that run {run} was found dead cannot be written down: {error}");
            }
        }
    }

    /// Volumes of dead runs on this node, whose apps were removed from another one.
    async fn what_others_could_not_reach(&self) -> Result<Vec<Reaped>, Failure> {
        let all = Leftovers(self.swarm).all().await?;
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let own = self.swarm.facts().await?.node_id;
        let mut done = Vec::new();
        for left in all.into_iter().filter(|left| left.node == own) {
            let reaped = |what| Reaped { run: "of another node".to_owned(), stack: left.stack.to_string(), what };
            if Claims(self.swarm).all().await?.iter().any(|claim| claim.stack == left.stack) {
                // A later run has the name, so these volumes may be its own; they are checked again later.
                continue;
            }
            let rest = self.swarm.remove(&left.stack, Removal::Kill, Instant::now() + self.limit).await?;
            if rest.is_empty() {
                Leftovers(self.swarm).settle(&left).await?;
                done.push(reaped(Reaping::Removed));
            } else {
                done.push(reaped(Reaping::Left(rest.iter().map(ToString::to_string).collect())));
            }
        }
        Ok(done)
    }

    /// Removes the private files of runs on this machine that were killed while they had no app: before they had a
    /// slot, or just after their teardown.
    async fn end_folders(&self) -> Result<Vec<Reaped>, Failure> {
        RunDir::discard_half_made(&self.runner.state);
        let mut done = Vec::new();
        for (run, dir) in RunDir::all(&self.runner.state).unwrap_or_default() {
            if !dir.has_private() {
                continue;
            }
            let Some(_alive) = dir.take_over() else { continue };
            // Queried with the lock held: an app that is kept has a claim by now.
            if Claims(self.swarm).all().await?.iter().any(|claim| claim.run == run) {
                continue;
            }
            orphans::end(&dir);
            self.swarm.remove_looks(run.as_str()).await?;
            let what = match dir.remove_private() {
                Ok(()) => Reaping::Removed,
                Err(error) => Reaping::Failed(error.to_string()),
            };
            done.push(Reaped { run: run.to_string(), stack: "its folder".to_owned(), what });
        }
        Ok(done)
    }

    async fn now(&self) -> Result<i64, Failure> {
        queue::now(self.swarm, &self.runner.settings).await
    }

    /// The runs that have a slot or wait for one.
    async fn slotted(&self) -> Result<BTreeSet<RunId>, Failure> {
        let Some(view) = self.slots.board().look().await? else { return Ok(BTreeSet::new()) };
        let holders = view.ledger.held.iter().filter(|held| !held.kept).map(|held| &held.ask.run);
        Ok(holders.chain(view.tickets.iter().map(|ticket| &ticket.ask.run)).cloned().collect())
    }

    /// Removes the recorded room of kept apps without a claim: the process that removed the app was killed.
    async fn forget_what_is_not_kept(&self) -> Result<(), Failure> {
        let Some(ledger) = self.slots.board().ledger().await? else { return Ok(()) };
        let claims = Claims(self.swarm).all().await?;
        for held in ledger.held.iter().filter(|held| held.kept) {
            if !claims.iter().any(|claim| claim.run == held.ask.run) {
                self.slots.forget_run(&held.ask.run).await?;
            }
        }
        Ok(())
    }

    /// Whether the process of a run with a ticket or a slot is certainly gone: it ran on this machine with this state
    /// folder, and its lock is free.
    fn is_dead_here(&self, ask: &SlotRequest) -> bool {
        let dir = RunDir::of(&self.runner.state, &ask.run);
        ask.owner == self.runner.host && dir.take_over().is_some()
    }

    /// The room of a provider that outlives the run that created it.
    fn room_of(&self, claim: &Claim) -> SlotRequest {
        let toml = read_toml(&self.runner.settings.recipes, &claim.recipe).unwrap_or_default();
        SlotRequest {
            run: claim.run.clone(),
            recipe: claim.recipe.clone(),
            owner: claim.owner.clone(),
            apps: 1,
            mib: toml.weight.memory_mib.get().into(),
            ports: BTreeSet::new(),
            stacks: BTreeSet::from([claim.stack.clone()]),
            most_runs: None,
            yields: false,
            limit_s: 0,
        }
    }

    /// Removes the apps of a dead run, including a provider that it was creating for later runs, and its realm. A realm
    /// that cannot be removed now occupies no room: its lease stays on record, and it is retried.
    async fn end_run(&self, gone: &SlotRequest) -> Result<Vec<Reaped>, Failure> {
        let run = &gone.run;
        if let Some(failed) = self
            .own_realm(&RealmLeases(self.swarm).all().await?, run)
            .await?
            .into_iter()
            .find(|one| one.what != Reaping::Removed)
        {
            tracing::warn!("the realm {} of run {run} cannot be removed now: {:?}", failed.stack, failed.what);
        }
        let now = self.now().await?;
        let (mut held, mut made): (Vec<Claim>, Vec<Claim>) =
            Claims(self.swarm).all().await?.into_iter().partition(|claim| claim.run == *run);
        made.retain(|claim| claim.warm.is_some() && gone.stacks.contains(&claim.stack));
        let mut done = Vec::new();
        for claim in made {
            if claim.kept_until.is_some() {
                // It was killed after the provider was kept and before its room was recorded.
                self.slots.note_kept(self.room_of(&claim)).await?;
                continue;
            }
            let dir = RunDir::of(&self.runner.state, &claim.run);
            let alive = dir.take_over();
            done.extend(self.end(&[claim], alive.is_some().then_some(&dir)).await?);
        }
        held.sort_by_key(|claim| claim.beside.is_some());
        if held.is_empty() {
            return Ok(done);
        }
        if let Some(until) = held[0].kept_until.filter(|until| now < *until) {
            done.extend(told(&held, &Reaping::Kept(until)));
            return Ok(done);
        }
        let dir = RunDir::of(&self.runner.state, run);
        // If the lock is held, the process is there after all, perhaps stopped: it owns its folder.
        let alive = dir.take_over();
        done.extend(self.end(&held, alive.is_some().then_some(&dir)).await?);
        Ok(done)
    }

    /// Removes the apps of one run, including kept ones. With `when_due`, waits for the end of the requested time,
    /// which may be extended meanwhile.
    pub async fn reap_run(&self, run: &RunId, when_due: bool) -> Result<Vec<Reaped>, Failure> {
        loop {
            let leases = RealmLeases(self.swarm).all().await?;
            let slotted = self.slotted().await?;
            let now = self.now().await?;
            let mut claims = Claims(self.swarm).all().await?;
            claims.retain(|claim| claim.run == *run);
            let Some(held) = by_run(claims).pop() else { return self.end_place(run).await };
            let used = |lease: &&Claim| {
                lease.stack == held[0].stack && !matches!(self.owner(lease, &slotted, now), Owner::Gone(..))
            };
            return Ok(match self.owner(&held[0], &slotted, now) {
                // Another janitor is removing it: it is done when it releases the lock.
                Owner::Lives if when_due && RunDir::of(&self.runner.state, run).wait_for_owner().await.is_ok() => {
                    continue;
                }
                Owner::Lives => told(&held, &Reaping::Alive),
                Owner::Keeps(until) if when_due => {
                    let left = until.saturating_sub(now);
                    let due = tokio::time::sleep(Duration::from_secs(u64::try_from(left).unwrap_or(0)));
                    let claims = Claims(self.swarm);
                    tokio::select! {
                        () = due => {}
                        // It was removed before: there is nothing to wait for.
                        () = claims.gone(&held[0].stack) => {}
                    }
                    continue;
                }
                Owner::Keeps(_) if let Some(lease) = leases.iter().find(used) => {
                    told(&held, &Reaping::InUse(lease.run.to_string()))
                }
                Owner::Keeps(_) => {
                    let mut done = self.own_realm(&leases, run).await?;
                    done.extend(self.end(&held, Some(&RunDir::of(&self.runner.state, run))).await?);
                    done
                }
                Owner::Gone(dir, alive) => {
                    let mut done = self.own_realm(&leases, run).await?;
                    done.extend(self.end(&held, dir.as_ref()).await?);
                    drop(alive);
                    // The time was extended at this moment.
                    if when_due && done.iter().any(|one| matches!(one.what, Reaping::Kept(_))) {
                        continue;
                    }
                    done
                }
            });
        }
    }

    /// Gives back the slot or the place in the queue of a run without apps and process.
    async fn end_place(&self, run: &RunId) -> Result<Vec<Reaped>, Failure> {
        let Some(view) = self.slots.board().look().await? else { return Ok(Vec::new()) };
        let ask = view.ledger.of(run).map(|held| &held.ask).or_else(|| view.ticket(run).map(|ticket| &ticket.ask));
        let Some(ask) = ask else { return Ok(Vec::new()) };
        let is_kept = view.ledger.of(run).is_some_and(|held| held.kept);
        let dead = is_kept || self.is_dead_here(ask);
        if dead {
            self.slots.forget_run(run).await?;
        }
        let what = if dead { Reaping::Removed } else { Reaping::Alive };
        Ok(vec![Reaped { run: run.to_string(), stack: "its slot".to_owned(), what }])
    }

    async fn own_realm(&self, leases: &[Claim], run: &RunId) -> Result<Vec<Reaped>, Failure> {
        match leases.iter().find(|lease| lease.run == *run) {
            Some(lease) => Ok(vec![self.end_realm(lease).await?]),
            None => Ok(Vec::new()),
        }
    }

    /// Removes a dead run's realm from the provider, and then the lease.
    async fn end_realm(&self, lease: &Claim) -> Result<Reaped, Failure> {
        let realm = RealmName::from(&lease.run);
        let reaped = |what| Reaped { run: lease.run.to_string(), stack: format!("{realm} on {}", lease.stack), what };
        let claims = Claims(self.swarm).all().await?;
        // Without the provider, there is no realm either.
        if let Some(provider) = claims.iter().find(|claim| claim.stack == lease.stack) {
            let abra = Abra::new(PathBuf::new(), RunDir::of(&self.runner.state, &provider.run).abra());
            if let Err(failure) = self.remove_realm(lease, &realm, abra.env_file(&provider.domain)).await {
                return Ok(reaped(Reaping::Failed(failure.what)));
            }
        }
        RealmLeases(self.swarm).release(&lease.run).await?;
        Ok(reaped(Reaping::Removed))
    }

    async fn remove_realm(&self, lease: &Claim, realm: &RealmName, env_file: PathBuf) -> Result<(), Failure> {
        let name = lease.recipe.as_str().parse().map_err(|error| {
            Failure::new(Kind::Bug, format!("a lease of a realm names no provider: {error}"), "please report it")
        })?;
        let url = format!("https://{}:{}", lease.domain, self.runner.settings.https_port);
        let place = ProviderAddress { name, stack: lease.stack.clone(), url, env_file };
        let admin = place.admin(self.swarm).await?;
        Ok(place.connect(self.http, admin).await?.remove_realm(realm).await?)
    }

    /// Removes the apps of a run. The end of a kept app is recorded first, by a change that swarm refuses if the time
    /// was extended meanwhile.
    async fn end(&self, held: &[Claim], dir: Option<&RunDir>) -> Result<Vec<Reaped>, Failure> {
        let mut done = Vec::new();
        // First, or an abra of the dead run could deploy again what is being removed. Other runs may read the folder of
        // a kept app.
        if let Some(dir) = dir.filter(|_| held.iter().all(|claim| claim.kept_until.is_none())) {
            orphans::end(dir);
        }
        for claim in held {
            let mut claim = claim.clone();
            if claim.kept_until.is_some() {
                if let Some(until) = Claims(self.swarm).end(&claim, self.now().await?).await? {
                    done.extend(told(&[claim], &Reaping::Kept(until)));
                    continue;
                }
                // If another janitor has begun, both finish: each reports what it found gone.
                claim.kept_until = None;
            }
            let ended = tear_down(std::slice::from_ref(&claim), dir, self.limit).await;
            let what = match (ended.failure, ended.left) {
                (Some(failure), _) => Reaping::Failed(failure.what),
                (None, left) if left.is_empty() => Reaping::Removed,
                (None, left) => {
                    Reaping::Left(left.into_iter().map(|object| format!("{} {}", object.kind, object.name)).collect())
                }
            };
            done.extend(told(&[claim], &what));
        }
        let all_gone = done.iter().all(|one| one.what == Reaping::Removed);
        if let Some(dir) = dir.filter(|_| all_gone) {
            discard_if_empty(dir);
        }
        if let Some(claim) = held.first().filter(|_| all_gone) {
            self.slots.forget_run(&claim.run).await?;
        }
        Ok(done)
    }

    /// Whether a claim's owner lives.
    fn owner(&self, claim: &Claim, slotted: &BTreeSet<RunId>, now: i64) -> Owner {
        if let Some(until) = claim.kept_until.filter(|until| now < *until) {
            return Owner::Keeps(until);
        }
        let dir = RunDir::of(&self.runner.state, &claim.run);
        if claim.owner == self.runner.host
            && let Some(alive) = dir.take_over()
        {
            return Owner::Gone(Some(dir), Some(alive));
        }
        // On another machine or with another state folder, only the slot and the deadline tell.
        let late = now > claim.kept_until.unwrap_or(claim.deadline);
        let here = claim.owner == self.runner.host && dir.is_locked();
        if slotted.contains(&claim.run) || here || !late { Owner::Lives } else { Owner::Gone(None, None) }
    }
}

impl slots::Janitor for Janitor<'_> {
    async fn finish(&self, held: &LedgerEntry) -> bool {
        let run = &held.ask.run;
        let done = self.end_run(&held.ask).await.unwrap_or_else(|failure| {
            let what = Reaping::Failed(failure.what);
            vec![Reaped { run: run.to_string(), stack: "its slot".to_owned(), what }]
        });
        let clean = done.iter().all(|one| one.what == Reaping::Removed);
        if let Ok(mut all) = self.done.lock() {
            all.extend(done);
        }
        clean
    }
}

/// Removes the folder of a provider or of a probe of abra: it has no journal, so nothing to report. It stays as long as
/// it has a recorded snapshot.
fn discard_if_empty(dir: &RunDir) {
    let has_snapshots = !snapshots::of(dir).is_ok_and(|ids| ids.is_empty());
    if dir.path().exists() && !dir.journal().exists() && !has_snapshots {
        dir.discard();
    }
}

/// The claims of each run, the tested app's before those of its dependencies. No list is empty.
fn by_run(claims: Vec<Claim>) -> Vec<Vec<Claim>> {
    let mut runs: BTreeMap<RunId, Vec<Claim>> = BTreeMap::new();
    for claim in claims {
        runs.entry(claim.run.clone()).or_default().push(claim);
    }
    for held in runs.values_mut() {
        held.sort_by_key(|claim| claim.beside.is_some());
    }
    runs.into_values().collect()
}

fn told(held: &[Claim], what: &Reaping) -> Vec<Reaped> {
    let of = |claim: &Claim| Reaped { run: claim.run.to_string(), stack: claim.stack.to_string(), what: what.clone() };
    held.iter().map(of).collect()
}

/// Whether a claim's owner lives.
enum Owner {
    Lives,
    /// Its run has ended, and the app is kept until this time.
    Keeps(i64),
    /// Gone; with the run's folder and lock if it was on this machine.
    Gone(Option<RunDir>, Option<Alive>),
}
