//! The settings of Drone for `cc-ci serve`.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::failure::Failure;
use base::names::RunId;
use forge::drone::Drone;
use forge::names::{Branch, Repo};
use forge::token;
use http_client::{Http, HttpConfig};
use slots::Board as _;
use slots::Claims;
use swarm::Swarm;
use tokio::time::timeout;
use url::Url;

use crate::{Builds, CancelFuture, SwarmRuns};
use host::queue::slots_of;
use host::settings::Settings;
use host::settings::{plain, wrong};

/// Timeout of a request to the swarm. After it Drone kills the run.
const ASKING: Duration = Duration::from_secs(5);

/// The settings of a Drone: all of them but the branch, or none.
#[derive(Debug, Clone, clap::Args)]
pub struct DroneArgs {
    /// Address of the Drone in which runs are builds [default: runs are processes of this machine]
    #[arg(long, env = "CCCI_DRONE_URL", value_name = "URL", value_parser = host::address::url, requires_all = ["drone_repo", "drone_token_file", "forge_url"])]
    pub drone_url: Option<Url>,

    /// Repository there whose pipeline `testme` is built: cc-ci's own
    #[arg(long, env = "CCCI_DRONE_REPO", value_name = "OWNER/NAME", requires = "drone_url")]
    pub drone_repo: Option<Repo>,

    /// Branch of that repository [default: the main branch in Drone]
    #[arg(long, env = "CCCI_DRONE_BRANCH", value_name = "BRANCH", requires = "drone_url")]
    pub drone_branch: Option<Branch>,

    /// File that contains only the token of a Drone user with write access to that repository
    #[arg(long, env = "CCCI_DRONE_TOKEN_FILE", value_name = "FILE", requires = "drone_url")]
    pub drone_token_file: Option<PathBuf>,
}

impl DroneArgs {
    /// Creates the starter of builds, if a Drone is configured. Sends no request yet.
    ///
    /// # Errors
    /// The token cannot be read, or the address is not one of a server.
    pub fn builds(&self, settings: &Settings, state: &Path) -> Result<Option<Builds>, Failure> {
        let Some((drone, repo)) = self.named()? else { return Ok(None) };
        let Some(url) = &self.drone_url else { return Ok(None) };
        let builds = Builds::new(drone, url.clone(), repo, self.drone_branch.clone(), state.to_owned());
        Ok(Some(builds.on(Arc::new(OwnSwarm(settings.clone())))))
    }

    /// The configured Drone and its repository, with the token read.
    ///
    /// # Errors
    /// As [`Self::builds`].
    pub fn named(&self) -> Result<Option<(Drone, Repo)>, Failure> {
        let (Some(url), Some(repo), Some(file)) = (&self.drone_url, &self.drone_repo, &self.drone_token_file) else {
            return Ok(None);
        };
        plain(url, "Drone", "--drone-url (CCCI_DRONE_URL)")?;
        let token =
            token::read(file).map_err(|e| wrong(e.to_string(), "--drone-token-file (CCCI_DRONE_TOKEN_FILE)"))?;
        let drone = Drone::new(Http::new(&HttpConfig::default())?, url.clone(), token);
        Ok(Some((drone, repo.clone())))
    }
}

/// This machine's swarm. Runs are asked to stop as by `cc-ci cancel`: by their ticket, which a run watches on any host.
#[derive(Debug)]
struct OwnSwarm(Settings);

impl OwnSwarm {
    async fn cancel(&self, run: &RunId, by: &str) -> Result<bool, Failure> {
        let swarm = Swarm::connect().await?;
        slots_of(&swarm, &self.0).cancel(run, by).await
    }

    async fn knows(&self, run: &RunId) -> Result<bool, Failure> {
        let swarm = Swarm::connect().await?;
        let view = slots_of(&swarm, &self.0).board().look().await?;
        let has_place = view.is_some_and(|view| view.ledger.of(run).is_some() || view.ticket(run).is_some());
        Ok(has_place || Claims(&swarm).all().await?.iter().any(|claim| claim.run == *run))
    }
}

/// The swarm's answer, or `otherwise` after a timeout.
async fn within(asked: impl Future<Output = Result<bool, Failure>>, run: &RunId, otherwise: bool) -> bool {
    match timeout(ASKING, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(failure)) => {
            tracing::warn!("the swarm cannot be queried about run {run}: {}", failure.what);
            otherwise
        }
        Err(_) => {
            tracing::warn!("the swarm cannot be queried about run {run}: no answer");
            otherwise
        }
    }
}

impl SwarmRuns for OwnSwarm {
    fn stop<'a>(&'a self, run: &'a RunId, by: &'a str) -> CancelFuture<'a> {
        Box::pin(within(self.cancel(run, by), run, false))
    }

    fn has<'a>(&'a self, run: &'a RunId) -> CancelFuture<'a> {
        Box::pin(within(self.knows(run), run, true))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::settings::forge::ForgeArgs;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        _forge: ForgeArgs,
        #[command(flatten)]
        drone: DroneArgs,
    }

    #[derive(Debug, clap::Parser)]
    struct Common {
        #[command(flatten)]
        settings: Settings,
    }

    fn settings() -> Settings {
        Common::try_parse_from(["cc-ci"]).unwrap().settings
    }

    fn parsed(words: &[&str]) -> Result<DroneArgs, clap::Error> {
        Cli::try_parse_from([&["cc-ci"], words].concat()).map(|cli| cli.drone)
    }

    #[test]
    fn a_drone_needs_all_of_its_settings_and_a_forge() {
        let dir = tempfile::tempdir().unwrap();
        assert!(parsed(&[]).unwrap().builds(&settings(), dir.path()).unwrap().is_none());
        let file = dir.path().join("token");
        let forge = ["--forge-url=https://git.example.org", "--forge-owner=coop", "--forge-token-file=/token"];
        let path = format!("--drone-token-file={}", file.display());
        let drone = ["--drone-url=https://drone.example.org", "--drone-repo=coop/cc-ci", path.as_str()];
        assert!(parsed(&drone).is_err(), "without a forge there is nothing to answer");
        for at in 0..drone.len() {
            let mut words = [&forge[..], &drone[..]].concat();
            words.remove(forge.len() + at);
            assert!(parsed(&words).is_err(), "{words:?}");
        }
        let with = |url: &str| {
            let words = [&forge[..], &[url], &drone[1..]].concat();
            parsed(&words).unwrap().builds(&settings(), dir.path()).map(|builds| format!("{:?}", builds.unwrap()))
        };
        assert!(with(drone[0]).unwrap_err().what.contains("cannot be read"));
        std::fs::write(&file, "hunter2hunter2").unwrap();
        assert!(!with(drone[0]).unwrap().contains("hunter2"));
        let odd = with("--drone-url=https://ada:hunter2@drone.example.org").unwrap_err();
        assert!(!odd.what.contains("hunter2"), "{odd}");
        assert!(parsed(&[&forge[..], &["--drone-url=file:///etc"], &drone[1..]].concat()).is_err());
        assert!(parsed(&[&forge[..], &drone[..], &["--drone-branch=--x"]].concat()).is_err());
    }
}
