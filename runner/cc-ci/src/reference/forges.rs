//! The table of what cc-ci uses of a forge.

use forge::api::FEATURES;

use crate::table::Table;

/// What not every version has, for the reference.
pub(super) fn features() -> Table {
    let row = |feature: &forge::api::Feature| {
        let broken = feature.broken_in.iter().map(|number| format!(", but not {number}")).collect::<String>();
        vec![
            feature.what.to_owned(),
            format!("{}{broken}", feature.gitea),
            feature.forgejo.to_string(),
            feature.without.to_owned(),
            format!("{} ({})", feature.source, feature.sure),
        ]
    };
    Table {
        title: "Forges",
        intro: "What cc-ci uses of a forge and not every version has. `cc-ci serve` says at its start what the forge lacks, and `cc-ci doctor` shows it. A Forgejo up to 1.21 has the numbers of the Gitea that it is made from. cc-ci's tests run against Gitea 1.26.0; against a Forgejo nothing was run.",
        columns: &["what", "Gitea from", "Forgejo from", "where it is missing", "known from"],
        rows: FEATURES.iter().map(row).collect(),
    }
}
