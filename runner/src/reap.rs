//! Finishes the teardown of runs whose owner is gone: killed, or lost with its machine. A run that
//! lives, the world, and everything that no claim of cc-ci names are never touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::abra::Abra;
use harness::failure::{Failure, Kind};
use harness::http::Http;
use harness::names::{RealmName, RunId};
use harness::swarm::{Claim, Swarm};
use jiff::Timestamp;
use serde::Serialize;

use crate::provider::Place;
use crate::run_dir::{Alive, RunDir};
use crate::settings::Settings;
use crate::stage::tear_down;

/// What was done about one claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reaped {
    /// The run.
    pub run: String,
    /// Its stack.
    pub stack: String,
    /// What was done.
    pub what: Reaping,
}

/// What a reaping did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reaping {
    /// The owner lives: nothing was touched.
    Alive,
    /// The app stays until this time (Unix seconds): nothing was touched.
    Kept(i64),
    /// It is kept, and this run uses it: nothing was touched.
    InUse(String),
    /// Nothing is left of it.
    Removed,
    /// Something is still there.
    Left(Vec<String>),
    /// It could not be tried.
    Failed(String),
}

/// Who finishes teardowns, and with what.
pub struct Janitor<'a> {
    /// The swarm.
    pub swarm: &'a Swarm,
    /// HTTP towards the apps: a realm is removed over it.
    pub http: &'a Http,
    /// The settings.
    pub settings: &'a Settings,
    /// The state folder.
    pub state: &'a Path,
    /// This machine's name.
    pub host: &'a str,
    /// How long one app may take to go.
    pub limit: Duration,
}

impl Janitor<'_> {
    /// Looks at every lease of a realm and at every claim on the swarm, and finishes those with no live
    /// owner.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn reap(&self) -> Result<Vec<Reaped>, Failure> {
        let mut done = Vec::new();
        for held in by_run(self.swarm.claims().await?) {
            done.extend(match self.owner(&held[0]) {
                Owner::Lives => told(&held, &Reaping::Alive),
                Owner::Keeps(until) => told(&held, &Reaping::Kept(until)),
                Owner::Gone(dir, _alive) => self.finish(&held, dir.as_ref()).await?,
            });
        }
        // After the apps: with a provider that is gone, its realms are.
        for lease in self.swarm.realm_leases().await? {
            if let Owner::Gone(_, _alive) = self.owner(&lease) {
                done.push(self.end_realm(&lease).await?);
            }
        }
        Ok(done)
    }

    /// Ends what one run holds, also apps that it keeps. With `when_due`, waits until they have been kept
    /// as long as was asked for; somebody may have given them more time meanwhile.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn reap_run(&self, run: &RunId, when_due: bool) -> Result<Vec<Reaped>, Failure> {
        loop {
            let leases = self.swarm.realm_leases().await?;
            let mut claims = self.swarm.claims().await?;
            claims.retain(|claim| claim.run == *run);
            let Some(held) = by_run(claims).pop() else { return Ok(Vec::new()) };
            let used = |lease: &&Claim| lease.stack == held[0].stack && !matches!(self.owner(lease), Owner::Gone(..));
            return Ok(match self.owner(&held[0]) {
                // Another janitor was quicker: it is done when it lets go.
                Owner::Lives if when_due && RunDir::of(self.state, run).wait_for_owner().await.is_ok() => continue,
                Owner::Lives => told(&held, &Reaping::Alive),
                Owner::Keeps(until) if when_due => {
                    let left = until.saturating_sub(Timestamp::now().as_second());
                    let due = tokio::time::sleep(Duration::from_secs(u64::try_from(left).unwrap_or(0)));
                    tokio::select! {
                        () = due => {}
                        // Somebody ended it before: nothing is left to wait for.
                        () = self.swarm.claim_gone(&held[0].stack) => {}
                    }
                    continue;
                }
                Owner::Keeps(_) if let Some(lease) = leases.iter().find(used) => {
                    told(&held, &Reaping::InUse(lease.run.to_string()))
                }
                Owner::Keeps(_) => {
                    let mut done = self.own_realm(&leases, run).await?;
                    done.extend(self.finish(&held, Some(&RunDir::of(self.state, run))).await?);
                    done
                }
                Owner::Gone(dir, alive) => {
                    let mut done = self.own_realm(&leases, run).await?;
                    done.extend(self.finish(&held, dir.as_ref()).await?);
                    drop(alive);
                    // Somebody gave it more time in this very moment.
                    if when_due && done.iter().any(|one| matches!(one.what, Reaping::Kept(_))) {
                        continue;
                    }
                    done
                }
            });
        }
    }

    async fn own_realm(&self, leases: &[Claim], run: &RunId) -> Result<Vec<Reaped>, Failure> {
        match leases.iter().find(|lease| lease.run == *run) {
            Some(lease) => Ok(vec![self.end_realm(lease).await?]),
            None => Ok(Vec::new()),
        }
    }

    /// Removes the realm of a run that is gone from the provider that stays, and then the lease.
    async fn end_realm(&self, lease: &Claim) -> Result<Reaped, Failure> {
        let realm = RealmName::from(&lease.run);
        let reaped = |what| Reaped { run: lease.run.to_string(), stack: format!("{realm} on {}", lease.stack), what };
        let claims = self.swarm.claims().await?;
        // Where the provider is gone, the realm is too.
        if let Some(provider) = claims.iter().find(|claim| claim.stack == lease.stack) {
            let abra = Abra::new(PathBuf::new(), RunDir::of(self.state, &provider.run).abra());
            if let Err(failure) = self.remove_realm(lease, &realm, abra.env_file(&provider.domain)).await {
                return Ok(reaped(Reaping::Failed(failure.what)));
            }
        }
        self.swarm.release_realm(&lease.run).await?;
        Ok(reaped(Reaping::Removed))
    }

    async fn remove_realm(&self, lease: &Claim, realm: &RealmName, env_file: PathBuf) -> Result<(), Failure> {
        let name = lease.recipe.as_str().parse().map_err(|error| {
            Failure::new(Kind::Bug, format!("a lease of a realm names no provider: {error}"), "please report it")
        })?;
        let url = format!("https://{}:{}", lease.domain, self.settings.https_port);
        let place = Place { name, stack: lease.stack.clone(), url, env_file };
        let admin = place.admin(self.swarm).await?;
        Ok(place.connect(self.http, admin).await?.remove_realm(realm).await?)
    }

    /// Removes the apps of a run. One that was kept gets its end announced first, by a change that swarm
    /// refuses where somebody has given it more time meanwhile.
    async fn finish(&self, held: &[Claim], dir: Option<&RunDir>) -> Result<Vec<Reaped>, Failure> {
        let mut done = Vec::new();
        for claim in held {
            if let Some(until) = claim.kept_until
                && !self.swarm.end_claim(&claim.stack, until, Timestamp::now().as_second()).await?
            {
                done.extend(told(std::slice::from_ref(claim), &Reaping::Kept(until)));
                continue;
            }
            let ended = tear_down(std::slice::from_ref(&claim.stack), dir, self.limit).await;
            let what = match (ended.failure, ended.left) {
                (Some(failure), _) => Reaping::Failed(failure.what),
                (None, left) if left.is_empty() => Reaping::Removed,
                (None, left) => {
                    Reaping::Left(left.into_iter().map(|object| format!("{} {}", object.kind, object.name)).collect())
                }
            };
            done.extend(told(std::slice::from_ref(claim), &what));
        }
        // A provider's folder has no journal: it tells nothing to anybody.
        let all_gone = done.iter().all(|one| one.what == Reaping::Removed);
        if let Some(dir) = dir.filter(|dir| all_gone && dir.path().exists() && !dir.journal().exists()) {
            dir.discard();
        }
        Ok(done)
    }

    fn owner(&self, claim: &Claim) -> Owner {
        owner(claim, self.state, self.host)
    }
}

/// The claims of each run, the tested app's before those of the apps that are there for it. No list is
/// empty.
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

/// Whether a claim's owner lives. Of another machine only the deadline is known.
enum Owner {
    Lives,
    /// Its run has ended, and the app stays until this time.
    Keeps(i64),
    /// Gone; the run's folder and its lock, where it was on this machine.
    Gone(Option<RunDir>, Option<Alive>),
}

fn owner(claim: &Claim, state: &Path, host: &str) -> Owner {
    let now = Timestamp::now().as_second();
    if let Some(until) = claim.kept_until.filter(|until| now < *until) {
        return Owner::Keeps(until);
    }
    let late = now > claim.kept_until.unwrap_or(claim.deadline);
    if claim.owner != host {
        return if late { Owner::Gone(None, None) } else { Owner::Lives };
    }
    let dir = RunDir::of(state, &claim.run);
    match dir.take_over() {
        Some(alive) => Owner::Gone(Some(dir), Some(alive)),
        // The owner lives, or used another state folder: then only the deadline is known.
        None if late && !dir.path().exists() => Owner::Gone(None, None),
        None => Owner::Lives,
    }
}
