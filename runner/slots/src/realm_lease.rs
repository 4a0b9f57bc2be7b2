//! Who has a realm on a provider that several runs use: a swarm config `ccci_realm_<run>` with the labels
//! of a claim, so that a realm of a dead run is found and removed as its apps are.

use base::failure::{Failure, Kind};
use base::names::RunId;

use swarm::Swarm;

use super::claim::Claim;

const REALM: &str = "cc-ci.realm";

fn name_of(run: &RunId) -> String {
    format!("ccci_realm_{run}")
}

/// Who has a realm, on a whole swarm.
#[derive(Debug, Clone, Copy)]
pub struct RealmLeases<'a>(pub &'a Swarm);

impl RealmLeases<'_> {
    /// Says that a run has a realm on the app that the claim names, before the realm is made.
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

    /// Says that a run has no realm any more. Nothing happens where it had none.
    pub async fn release(&self, run: &RunId) -> Result<(), Failure> {
        self.0.drop_shared_record(&name_of(run)).await
    }

    /// Every run that has a realm, with the stack of the provider.
    pub async fn all(&self) -> Result<Vec<Claim>, Failure> {
        let records = self.0.shared_records(REALM).await?;
        let leases = records
            .iter()
            .filter_map(|record| Claim::from_labels(&record.labels).filter(|lease| record.name == name_of(&lease.run)));
        Ok(leases.collect())
    }
}
