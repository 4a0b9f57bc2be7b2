//! Before a run: whether a warm provider is there that it may use, or whether it makes one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use base::failure::Failure;
use coopcloud::abra::Abra;
use http_client::Http;
use slots::{Claim, ClaimOutcome, Claims, RealmLeases};
use swarm::Swarm;

use host::domain::domain_with;
use host::queue;
use host::run_labels::labels;
use host::settings::Settings;
use journal::event::{PlannedStage, Stage};
use journal::run_dir::RunDir;
use journal::run_id::new_run_id;
use plan::dependencies::{Dependency, Why};
use plan::prepared::Prepared;
use plan::warm_provider::Warm;

/// How long a warm provider may take to show that it lives.
const ALIVE: Duration = Duration::from_secs(3);

/// What it takes to look for a provider.
pub struct Arranging<'a> {
    /// The swarm.
    pub swarm: &'a Swarm,
    /// HTTP towards the apps.
    pub http: &'a Http,
    /// The settings.
    pub settings: &'a Settings,
    /// The state folder.
    pub state: PathBuf,
    /// This machine's name.
    pub host: String,
    /// The abra program.
    pub program: PathBuf,
    /// How long the provider stays after it was last used.
    pub time: Duration,
}

/// Makes the run's provider a warm one, where there is one to use or none at all. Gives the line that says
/// why it is a cold one, if it is.
///
/// # Errors
/// When the engine does not answer, or the disk refuses.
pub async fn arrange(how: &Arranging<'_>, prepared: &mut Prepared) -> Result<Option<String>, Failure> {
    let cold = |why: &str| Ok(Some(format!("the provider of logins is the run's own: {why}")));
    let shares = prepared.toml.sso.as_ref().is_some_and(|sso| sso.share);
    let seconds: u64 = prepared.stages.iter().map(|stage| stage.deadline_s).sum();
    let now = queue::now(how.swarm, how.settings).await?;
    let deadline = now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
    let tested = prepared.spec.clone();
    let Some(at) = prepared.dependencies.iter().position(|one| one.needed.why == Why::Provider) else {
        return Ok(None);
    };
    if !shares {
        return cold("recipe.toml does not say share = true below [sso]");
    }
    let wanted = &prepared.dependencies[at];
    if !wanted.needed.after.is_empty() {
        return cold("it needs apps itself, and those go with the run");
    }
    // There is one warm provider of its kind.
    let domain = domain_with(&wanted.needed.recipe, "-warm", &how.settings.base_domain)?;
    let claim = Claim {
        run: tested.run.clone(),
        stack: domain.stack(),
        domain: domain.clone(),
        recipe: wanted.needed.recipe.clone(),
        beside: None,
        warm: Some(wanted.revision.clone()),
        owner: how.host.clone(),
        deadline,
        kept_until: None,
    };
    // The lease first: whoever reaps sees it before the realm can be there.
    RealmLeases(how.swarm).take(&Claim { warm: None, ..claim.clone() }).await?;
    match take(how, claim, prepared, at).await {
        Err(failure) => {
            RealmLeases(how.swarm).release(&tested.run).await?;
            Err(failure)
        }
        Ok(Ok(warm)) => {
            let dependency = &mut prepared.dependencies[at];
            dependency.spec.stack = domain.stack();
            dependency.spec.domain = domain;
            dependency.warm = Some(warm);
            prepared.beside = prepared.dependencies.iter().map(Dependency::fact).collect();
            Ok(None)
        }
        Ok(Err(why)) => {
            RealmLeases(how.swarm).release(&tested.run).await?;
            cold(&why)
        }
    }
}

/// Seconds that a run may use the provider once it has its slot.
fn longest(stages: &[PlannedStage]) -> i64 {
    let seconds: u64 = stages.iter().filter(|one| one.stage > Stage::Slot).map(|one| one.deadline_s).sum();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// The one that is there, or a new one; or why it is neither.
async fn take(
    how: &Arranging<'_>,
    claim: Claim,
    prepared: &mut Prepared,
    at: usize,
) -> Result<Result<Warm, String>, Failure> {
    match Claims(how.swarm).all().await?.into_iter().find(|other| other.stack == claim.stack) {
        Some(other) => found(how, &prepared.dependencies[at], &other, longest(&prepared.stages)).await,
        None => make(how, claim, prepared, at).await,
    }
}

/// One that is there, if it is what the run would deploy itself, this machine's, and alive. A sick one gets no
/// more time. One that is well does: from then on no janitor ends it during this run.
async fn found(
    how: &Arranging<'_>,
    wanted: &Dependency,
    other: &Claim,
    longest: i64,
) -> Result<Result<Warm, String>, Failure> {
    if other.warm.as_deref() != Some(wanted.revision.as_str()) {
        let there = other.warm.as_deref().unwrap_or("something else");
        return Ok(Err(format!("the warm one is {there}, and the newest release is {}", wanted.revision)));
    }
    let dir = RunDir::of(&how.state, &other.run);
    if other.owner != how.host || !dir.path().is_dir() {
        return Ok(Err(format!("the warm one belongs to {}, or to another state folder", other.owner)));
    }
    let health = &wanted.toml.health;
    let url = format!("https://{}:{}{}", other.domain, how.settings.https_port, health.path.as_str());
    match how.http.get(&url, Instant::now() + ALIVE).await {
        Ok(answer) if health.status.iter().any(|status| status.get() == answer.status) => {}
        Ok(answer) => return Ok(Err(format!("the warm one is not well: {url} answered {}", answer.status))),
        Err(failure) => return Ok(Err(format!("the warm one is not well: {}", failure.what))),
    }
    let time = i64::try_from(how.time.as_secs()).unwrap_or(i64::MAX);
    // From now on; when the run has its slot it extends this once more.
    let until = queue::now(how.swarm, how.settings).await?.saturating_add(longest.max(time));
    if !Claims(how.swarm).extend(&other.stack, until).await? {
        return Ok(Err(format!("the warm one is just being made, or ended, by run {}", other.run)));
    }
    Ok(Ok(Warm { dir, time: how.time, labels: Default::default(), claim: None, made: None }))
}

/// Takes the name of the warm provider, under a run of its own; this run deploys it.
async fn make(
    how: &Arranging<'_>,
    claim: Claim,
    prepared: &mut Prepared,
    at: usize,
) -> Result<Result<Warm, String>, Failure> {
    let claim = Claim { run: new_run_id()?, ..claim };
    let dir = RunDir::of(&how.state, &claim.run);
    let alive = dir.create().map_err(|error| Failure::disk("make", dir.path(), &error))?;
    if let ClaimOutcome::Taken(other) = Claims(how.swarm).take(&claim).await.inspect_err(|_| dir.discard())? {
        dir.discard();
        return Ok(Err(format!("the warm one is just being made by run {}", other.run)));
    }
    let needed = prepared.dependencies[at].needed.clone();
    let clone = Abra::new(how.program.clone(), dir.abra()).recipe_dir(&needed.recipe);
    let mut dependency = match Dependency::new(how.settings, needed, &prepared.spec, &clone) {
        Ok(dependency) => dependency,
        Err(failure) => {
            Claims(how.swarm).release(&claim.stack).await?;
            dir.discard();
            return Err(failure);
        }
    };
    dependency.spec.run = claim.run.clone();
    prepared.dependencies[at] = dependency;
    let labels = labels(&claim.run, &how.host, claim.deadline);
    Ok(Ok(Warm { dir, time: how.time, labels, claim: Some(claim), made: Some(alive) }))
}
