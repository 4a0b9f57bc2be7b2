//! Restarts of builds on Drone's page: a new attempt of the same run.

use forge::drone::TESTME_RUN;
use tokio::sync::mpsc;

use super::{RestartedBuild, Server, StartedBuild};
use crate::message::WorkerMessage;

impl Server {
    /// Looks for restarts of builds with one request.
    pub(super) async fn look_for_restarts(
        &self,
        known: Vec<StartedBuild>,
        came: &mpsc::UnboundedSender<WorkerMessage>,
    ) {
        let names: Vec<&str> = known.iter().map(|one| one.run.as_str()).collect();
        let newest = match self.drone.newest_with(&self.repo, TESTME_RUN, &names).await {
            Ok(newest) => newest,
            // It is retried at the next poll.
            Err(error) => return tracing::debug!("cannot query restarts of builds: {error}"),
        };
        for one in known {
            let Some(build) = newest.get(one.run.as_str()) else { continue };
            if build.number > one.number && build.parent.is_some() {
                let (name, link) = (self.name(build.number), self.link(build.number));
                let restarted = RestartedBuild { number: build.number, name, link };
                let _ = came.send(WorkerMessage::Restarted(one.comment, Box::new(restarted)));
            }
        }
    }
}
