//! Drone, as `cc-ci serve` takes it.

use std::path::{Path, PathBuf};

use harness::failure::Failure;
use harness::http::{Http, HttpConfig};
use trigger::drone::Drone;
use trigger::names::{Branch, Repo};
use trigger::token;
use url::Url;

use crate::answer::Builds;
use crate::forge::{is_plain, wrong};

/// The settings of a Drone: all of them but the branch, or none.
#[derive(Debug, Clone, clap::Args)]
pub struct DroneArgs {
    /// Address of the Drone in which runs are builds [default: runs are processes of this machine]
    #[arg(long, env = "CCCI_DRONE_URL", value_name = "URL", requires_all = ["drone_repo", "drone_token_file", "forge_url"])]
    pub drone_url: Option<Url>,

    /// Repository there whose pipeline `testme` is built: cc-ci's own
    #[arg(long, env = "CCCI_DRONE_REPO", value_name = "OWNER/NAME", requires = "drone_url")]
    pub drone_repo: Option<Repo>,

    /// Branch of that repository [default: the one that Drone takes for the main one]
    #[arg(long, env = "CCCI_DRONE_BRANCH", value_name = "BRANCH", requires = "drone_url")]
    pub drone_branch: Option<Branch>,

    /// File that holds the token of a user of Drone who may write to that repository, and nothing else
    #[arg(long, env = "CCCI_DRONE_TOKEN_FILE", value_name = "FILE", requires = "drone_url")]
    pub drone_token_file: Option<PathBuf>,
}

impl DroneArgs {
    /// Who starts runs as builds there; none where no Drone is named. Asks nothing yet.
    ///
    /// # Errors
    /// When the token cannot be read, or the address is none of a server.
    pub fn builds(&self, state: &Path) -> Result<Option<Builds>, Failure> {
        let (Some(url), Some(repo), Some(file)) = (&self.drone_url, &self.drone_repo, &self.drone_token_file) else {
            return Ok(None);
        };
        if !is_plain(url) {
            let what = "the address of Drone is not http:// or https:// with a host and no password";
            return Err(wrong(what.to_owned(), "--drone-url (CCCI_DRONE_URL)"));
        }
        let token =
            token::read(file).map_err(|e| wrong(e.to_string(), "--drone-token-file (CCCI_DRONE_TOKEN_FILE)"))?;
        let drone = Drone::new(Http::new(&HttpConfig::default())?, url.clone(), token);
        Ok(Some(Builds::new(drone, url.clone(), repo.clone(), self.drone_branch.clone(), state.to_owned())))
    }
}
