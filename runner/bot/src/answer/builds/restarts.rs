//! Builds that a person restarted on Drone's page: a new attempt of the same run.

use base::names::RunId;
use forge::drone::TESTME_RUN;
use forge::names::CommentId;
use tokio::sync::mpsc;
use url::Url;

use super::Server;
use crate::answer::work::Came;

/// A build that was started for a comment and has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedBuild {
    /// The comment.
    pub comment: CommentId,
    /// The run's id that the build was started with; a restart has the same parameter.
    pub run: RunId,
    /// Its number, or that of its newest restart.
    pub number: u64,
}

/// A restart of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartedBuild {
    /// Its number.
    pub number: u64,
    /// What it is called: `coop/cc-ci/13`.
    pub name: String,
    /// Its page.
    pub link: Option<Url>,
}

impl Server {
    /// Looks once, in one request, for restarts of builds.
    pub(super) async fn look_for_restarts(&self, known: Vec<StartedBuild>, came: &mpsc::UnboundedSender<Came>) {
        let names: Vec<&str> = known.iter().map(|one| one.run.as_str()).collect();
        let newest = match self.drone.newest_with(&self.repo, TESTME_RUN, &names).await {
            Ok(newest) => newest,
            // It is asked again at the next look.
            Err(error) => return tracing::debug!("restarts of builds cannot be looked for: {error}"),
        };
        for one in known {
            let Some(build) = newest.get(one.run.as_str()) else { continue };
            if build.number > one.number && build.parent.is_some() {
                let (name, link) = (self.name(build.number), self.link(build.number));
                let restarted = RestartedBuild { number: build.number, name, link };
                let _ = came.send(Came::Restarted(one.comment, Box::new(restarted)));
            }
        }
    }
}
