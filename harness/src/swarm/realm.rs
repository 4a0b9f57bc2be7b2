//! Who has a realm on a provider that several runs use: a swarm config `ccci_realm_<run>` with the labels
//! of a claim, so that a realm of a dead run is found and removed as its apps are.

use std::collections::HashMap;

use bollard::models::ConfigSpec;
use bollard::query_parameters::ListConfigsOptionsBuilder;

use super::claim::Claim;
use super::engine::{Swarm, ask, failed, is_gone};
use crate::failure::Failure;
use crate::names::RunId;

const REALM: &str = "cc-ci.realm";

fn name_of(run: &RunId) -> String {
    format!("ccci_realm_{run}")
}

impl Swarm {
    /// Says that a run has a realm on the app that the claim names, before the realm is made.
    ///
    /// # Errors
    /// The run has one already, or the engine does not answer.
    pub async fn lease_realm(&self, lease: &Claim) -> Result<(), Failure> {
        let mut labels = lease.labels();
        labels.insert(REALM.to_owned(), "yes".to_owned());
        let spec = ConfigSpec {
            name: Some(name_of(&lease.run)),
            labels: Some(labels),
            // Swarm wants at least one byte of content; this is "-" in base64.
            data: Some("LQ==".to_owned()),
            ..ConfigSpec::default()
        };
        ask("lease a realm", self.docker().create_config(spec)).await.map(drop)
    }

    /// Says that a run has no realm any more. Nothing happens where it had none.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn release_realm(&self, run: &RunId) -> Result<(), Failure> {
        match self.docker().delete_config(&name_of(run)).await {
            Err(e) if !is_gone(&e) => Err(failed("release a realm", &e)),
            _ => Ok(()),
        }
    }

    /// Every run that has a realm, with the stack of the provider.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn realm_leases(&self) -> Result<Vec<Claim>, Failure> {
        let filters = HashMap::from([("label", vec![REALM])]);
        let options = ListConfigsOptionsBuilder::new().filters(&filters).build();
        let configs = ask("list the leases of realms", self.docker().list_configs(Some(options))).await?;
        let lease = |config: bollard::models::Config| {
            let spec = config.spec?;
            let lease = Claim::from_labels(&spec.labels?)?;
            (spec.name? == name_of(&lease.run)).then_some(lease)
        };
        Ok(configs.into_iter().filter_map(lease).collect())
    }
}
