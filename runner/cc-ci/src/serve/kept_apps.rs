//! The end of apps that stay, for answers: the janitor's, at once.

use std::time::Duration;

use base::failure::Failure;
use base::names::RunId;
use swarm::Swarm;

use bot::{Ending, KeptApps};
use host::janitor::{Janitor, Reaped, Reaping};
use host::queue::Runner;
use host::world;

/// How long one app may take to go.
const REMOVING: Duration = Duration::from_secs(120);

/// Ends apps on the swarm of this machine.
#[derive(Debug)]
pub(super) struct OnSwarm(pub(super) Runner);

impl KeptApps for OnSwarm {
    fn end<'a>(&'a self, run: &'a RunId) -> Ending<'a> {
        Box::pin(async move {
            let done = self.reap(run).await.map_err(|failure| failure.what)?;
            done.iter().find_map(what_stays).map_or(Ok(()), Err)
        })
    }
}

impl OnSwarm {
    async fn reap(&self, run: &RunId) -> Result<Vec<Reaped>, Failure> {
        let swarm = Swarm::connect().await?;
        let http = world::http(&self.0.settings)?;
        Janitor::new(&swarm, &http, &self.0, REMOVING).reap_run(run, false).await
    }
}

/// Why something of a run is still there.
fn what_stays(one: &Reaped) -> Option<String> {
    match &one.what {
        Reaping::Removed => None,
        Reaping::Alive => Some("its run still lives".to_owned()),
        Reaping::Kept(_) => Some("somebody gave it more time".to_owned()),
        Reaping::InUse(run) => Some(format!("run {run} uses it")),
        Reaping::Left(objects) => Some(format!("still there: {}", objects.join(", "))),
        Reaping::Failed(why) => Some(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_removed_says_why() {
        let of = |what| what_stays(&Reaped { run: "r".to_owned(), stack: "s".to_owned(), what });
        assert_eq!(of(Reaping::Removed), None);
        assert_eq!(of(Reaping::InUse("r2".to_owned())).unwrap(), "run r2 uses it");
        assert_eq!(of(Reaping::Left(vec!["volume a".to_owned()])).unwrap(), "still there: volume a");
    }
}
