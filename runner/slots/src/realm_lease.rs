//! Leases of realms on a provider that several runs use: swarm configs `ccci_realm_<run>` with the labels of a claim,
//! so that a dead run's realm is found and removed like its apps.

use base::failure::{Failure, Kind};
use base::names::RunId;

use swarm::Swarm;

use super::claim::Claim;

const REALM: &str = "cc-ci.realm";

fn name_of(run: &RunId) -> String {
    format!("ccci_realm_{run}")
}

/// The realm leases on a swarm.
#[derive(Debug, Clone, Copy)]
pub struct RealmLeases<'a>(pub &'a Swarm);

impl RealmLeases<'_> {
    /// Records a run's realm on the claim's app, before the realm is created.
    ///
    /// # Errors
    /// The run has one already, or the engine does not answer.
    pub async fn take(&self, lease: &Claim) -> Result<(), Failure> {
        let mut labels = lease.labels();
        labels.insert(REALM.to_owned(), "yes".to_owned());
        if self.0.make_shared_record(&name_of(&lease.run), labels).await? {
            return Ok(());
        }
        let what = format!("run {} has a realm already", lease.run);
        Err(Failure::new(Kind::Bug, what, "please report it with the run's journal"))
    }

    /// Removes a run's lease, if it has one.
    pub async fn release(&self, run: &RunId) -> Result<(), Failure> {
        self.0.drop_shared_record(&name_of(run)).await
    }

    /// All leases, with the stack of the provider.
    pub async fn all(&self) -> Result<Vec<Claim>, Failure> {
        let records = self.0.shared_records(REALM).await?;
        let leases = records
            .iter()
            .filter_map(|record| Claim::from_labels(&record.labels).filter(|lease| record.name == name_of(&lease.run)));
        Ok(leases.collect())
    }
}
