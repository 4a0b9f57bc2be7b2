//! The labels that identify what a run created.

use std::collections::BTreeMap;

use base::names::RunId;

/// The labels of every service that a run deploys.
pub fn labels(run: &RunId, host: &str, deadline: i64) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("cc-ci.run".to_owned(), run.to_string()),
        ("cc-ci.owner".to_owned(), host.to_owned()),
        ("cc-ci.deadline".to_owned(), deadline.to_string()),
    ])
}
