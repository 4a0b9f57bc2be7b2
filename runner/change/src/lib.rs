//! What a change asks of those who run the recipe: its base release and its head, compared as texts.
//!
//! An operator's env file was made of an older `.env.sample`, and `abra app upgrade` adds nothing to it (medium
//! certainty: `abra app check` is there to list what is missing); a stack deploy removes nothing that the compose files
//! do not name any more (high: abra deploys with prune off).

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

/// A change, ready to be compared.
#[derive(Debug, Clone)]
pub struct Change {
    /// The base release, with the settings that operators made of its sample.
    pub base: ReleaseSide,
    /// The head, deployed with those settings.
    pub head: ReleaseSide,
    /// What may tell operators to act.
    pub allowances: Vec<Allowance>,
    /// What abra leaves behind.
    pub left: Vec<Leftover>,
    /// What a release after the base already asks of operators: the change does not, where it has that release's version.
    pub published: Option<Published>,
}

/// A release that is newer than the base, and that the change still names as its version.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its version.
    pub version: String,
    /// The settings that an env file of the base lacks for it.
    pub lacking: BTreeSet<String>,
}

impl Change {
    /// Reads both sides, as those have them who run a variant; none where the run has no base release.
    ///
    /// # Errors
    /// When a side cannot be read, which the checks of that side tell.
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

    /// Those that the change itself asks for, and no release before it.
    pub fn own(&self, lacking: &[Lacking]) -> Vec<Lacking> {
        let is_old = |one: &&Lacking| self.published.as_ref().is_some_and(|release| release.lacking.contains(&one.key));
        lacking.iter().filter(|one| !is_old(one)).cloned().collect()
    }

    /// The configs whose text the change alters under a name that the base release has, each with its file: swarm refuses
    /// to change one in place.
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

    /// The failure of an upgrade with an env file that lacks something; none where operators are told to act.
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

    /// What tells operators of what they lack.
    pub fn permit(&self, lacking: &[Lacking]) -> Option<&Allowance> {
        self.allowances.iter().find(|one| one.tells(lacking))
    }

    /// Whether a note of the change names a thing.
    pub fn names(&self, thing: &str) -> bool {
        self.allowances.iter().any(|one| one.names(thing))
    }

    /// The first note of the change, by its path.
    pub fn note(&self) -> Option<&str> {
        self.allowances.iter().find_map(|one| match one {
            Allowance::Note { path, .. } => Some(path.as_str()),
            Allowance::Major { .. } => None,
        })
    }

    /// Explains a failure by what was left behind, where that is in the way.
    pub fn explain(&self, failure: Failure, stack: &StackName) -> Failure {
        explain(failure, &self.left, self, stack)
    }
}

#[cfg(test)]
mod tests;
