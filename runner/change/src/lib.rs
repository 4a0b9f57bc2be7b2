//! What a change requires of operators: compares the base release and the head as texts.
//!
//! An operator's env file was made from an older `.env.sample`, and `abra app upgrade` adds nothing to it (medium
//! certainty: `abra app check` exists to list what is missing); a stack deployment removes nothing that the compose
//! files no longer name (high: abra deploys with prune off).

mod bump;
mod leftover;
mod note;
mod settings;
mod side;
mod untested;
mod words;

pub use bump::remarks;
pub use leftover::{Leftover, explain, left_behind};
pub use note::{Allowance, allowances};
pub use settings::{Lacking, Why, lacking, unclaimed};
pub use side::ReleaseSide;
pub use untested::{changed_functions, commands, entrypoints, parts_that_nothing_deploys, timers};
pub use words::{changed_defaults, told_lacking, turned_secrets};

use std::collections::BTreeSet;

use base::failure::Failure;
use base::names::StackName;
use coopcloud::envfile::EnvFile;

use plan::spec::RunSpec;
use recipe_folder::recipe_toml::Variant;
use source::{Checkout, Tag};

/// A change, prepared for comparison.
#[derive(Debug, Clone)]
pub struct Change {
    /// The base release, with an operator's settings from its sample.
    pub base: ReleaseSide,
    /// The head, deployed with those settings.
    pub head: ReleaseSide,
    /// Reasons that permit the change to require action.
    pub allowances: Vec<Allowance>,
    /// What abra leaves behind.
    pub left: Vec<Leftover>,
    /// What a release after the base already requires of operators: the change itself does not, if it has that
    /// release's version.
    pub published: Option<Published>,
}

/// A release newer than the base, whose version the change still has.
#[derive(Debug, Clone)]
pub struct Published {
    pub version: String,
    /// The settings that an env file of the base lacks for it.
    pub lacking: BTreeSet<String>,
}

impl Change {
    /// Reads both sides, for a variant if given; `None` if the run has no base release.
    ///
    /// # Errors
    /// A side cannot be read, which that side's checks report.
    pub fn read(checkout: &Checkout, spec: &RunSpec, variant: Option<&Variant>) -> Result<Option<Self>, Failure> {
        let Some(base) = &spec.base else { return Ok(None) };
        let base = ReleaseSide::read(checkout, spec, base, None, variant)?;
        let head = ReleaseSide::read(checkout, spec, spec.head.as_str(), Some(&base.sample), variant)?;
        let allowances = allowances(&base, &head);
        let left = left_behind(&base.compose, &head.compose, &spec.stack);
        let is_published =
            |tag: &&Tag| Some(&tag.name) == spec.head_version.as_ref() && tag.commit != spec.head.as_str();
        let published = spec.tags.iter().find(is_published).filter(|tag| Some(&tag.name) != spec.base.as_ref());
        let published = match published {
            Some(tag) => {
                let side = ReleaseSide::read(checkout, spec, &tag.name, Some(&base.sample), variant)?;
                let lacking = lacking(&base.sample.vars(), &base, &side).into_iter().map(|one| one.key).collect();
                Some(Published { version: tag.name.clone(), lacking })
            }
            None => None,
        };
        Ok(Some(Self { base, head, allowances, left, published }))
    }

    /// The settings that the change itself requires, and no earlier release.
    pub fn own(&self, lacking: &[Lacking]) -> Vec<Lacking> {
        let is_old = |one: &&Lacking| self.published.as_ref().is_some_and(|release| release.lacking.contains(&one.key));
        lacking.iter().filter(|one| !is_old(one)).cloned().collect()
    }

    /// The configs whose text changes under a name of the base release, each with its file: swarm refuses to change a
    /// config in place.
    pub fn unversioned(&self) -> Vec<(&str, &str)> {
        let before = &self.base.configs;
        let altered =
            self.head.configs.iter().filter(|(name, (_, text))| before.get(*name).is_some_and(|(_, old)| old != text));
        altered.map(|(name, (file, _))| (name.as_str(), file.as_str())).collect()
    }

    /// What an operator's env file lacks for the head.
    pub fn lacking(&self, env: &EnvFile) -> Vec<Lacking> {
        lacking(&env.vars(), &self.base, &self.head)
    }

    /// The failure of an upgrade with an incomplete env file, unless operators are notified.
    ///
    /// # Errors
    /// The settings by name.
    pub fn refuses(&self, lacking: &[Lacking]) -> Result<(), Failure> {
        let own = self.own(lacking);
        match self.permit(&own) {
            None if !own.is_empty() => Err(told_lacking(&own, self)),
            _ => Ok(()),
        }
    }

    /// The note or version that tells operators about these settings.
    pub fn permit(&self, lacking: &[Lacking]) -> Option<&Allowance> {
        self.allowances.iter().find(|one| one.tells(lacking))
    }

    /// Whether a note of the change names a thing.
    pub fn names(&self, thing: &str) -> bool {
        self.allowances.iter().any(|one| one.names(thing))
    }

    /// The first note of the change, by path.
    pub fn note(&self) -> Option<&str> {
        self.allowances.iter().find_map(|one| match one {
            Allowance::Note { path, .. } => Some(path.as_str()),
            Allowance::Major { .. } => None,
        })
    }

    /// Adds to a failure an object that was left behind, if it is in the way.
    pub fn explain(&self, failure: Failure, stack: &StackName) -> Failure {
        explain(failure, &self.left, self, stack)
    }
}

#[cfg(test)]
mod tests;
