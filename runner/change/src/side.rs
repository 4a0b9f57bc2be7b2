//! One side of a change.

use std::collections::{BTreeMap, BTreeSet};

use base::failure::Failure;
use coopcloud::abra_sh;
use coopcloud::compose::{Compose, Named};
use coopcloud::envfile::EnvFile;
use coopcloud::interpolate::{Unset, Use, uses_in};
use coopcloud::template::asked;
use coopcloud::version::Version;

use plan::policy::normalize_env;
use plan::revision::compose_files;
use plan::revision::{compose_of, sample_of};
use plan::spec::{RunSpec, version_in};
use recipe_folder::recipe_toml::Variant;
use source::Checkout;

/// A revision of the recipe as deployed by an operator.
#[derive(Debug, Clone)]
pub struct ReleaseSide {
    /// The tag or commit.
    pub revision: String,
    /// The version in its compose file.
    pub version: Option<String>,
    /// Its `.env.sample`.
    pub sample: EnvFile,
    /// The exports of its `abra.sh`.
    pub exports: BTreeMap<String, String>,
    /// Its compose files, by an operator's COMPOSE_FILE.
    pub compose: Compose,
    /// Missing files of an operator's COMPOSE_FILE.
    pub missing_files: Vec<String>,
    /// Variables that its deployment uses, each with the place.
    pub uses: Vec<(Use, String)>,
    /// The sources of its configs, by name on the swarm: file and text.
    pub configs: BTreeMap<String, (String, String)>,
    /// Its notes for operators below `release/`, by name.
    pub notes: BTreeMap<String, String>,
}

impl ReleaseSide {
    /// Reads a revision, with an operator's env file from an earlier one, or with a variant's settings.
    ///
    /// # Errors
    /// The compose files cannot be read.
    pub fn read(
        checkout: &Checkout,
        spec: &RunSpec,
        revision: &str,
        operators: Option<&EnvFile>,
        variant: Option<&Variant>,
    ) -> Result<Self, Failure> {
        let mut sample = sample_of(checkout, revision)?;
        if let Some(variant) = variant {
            variant.write_to(&mut sample);
        }
        normalize_env(&mut sample, spec)?;
        // Missing settings are filled in, so that the files can be parsed at all.
        let mut env = operators.unwrap_or(&sample).clone();
        env.merge_new_keys_from(&sample);
        let files = compose_files(&env);
        let (there, missing_files): (Vec<String>, Vec<String>) =
            files.into_iter().partition(|file| checkout.file(revision, file).is_some());
        env.set("COMPOSE_FILE", &there.join(":"));
        let compose = compose_of(checkout, revision, &env, spec.stack.as_str())?;
        let exports = abra_sh::exports(&checkout.file(revision, "abra.sh").unwrap_or_default());
        let mut uses: Vec<(Use, String)> =
            compose.uses.iter().map(|one| (one.clone(), "the compose files".to_owned())).collect();
        for config in configs_of_app(&compose) {
            let Some(file) = config.file.as_deref().map(|file| file.trim_start_matches("./")) else { continue };
            let text = checkout.file(revision, file).unwrap_or_default();
            let found = uses_in_container(&text, config.is_template, &given(&compose));
            uses.extend(found.into_iter().map(|one| (one, file.to_owned())));
        }
        let configs = compose.configs.iter().filter_map(|config| {
            let file = config.file.as_deref()?.trim_start_matches("./").to_owned();
            let text = checkout.file(revision, &file)?;
            Some((config.name.clone(), (file, text)))
        });
        let configs = configs.collect();
        let mut notes = BTreeMap::new();
        for entry in checkout.entries(revision, "release").unwrap_or_default() {
            let text = checkout.file(revision, &entry.path).unwrap_or_default();
            if let Some(name) = entry.path.strip_prefix("release/").filter(|_| !text.trim().is_empty()) {
                notes.insert(name.to_owned(), text);
            }
        }
        let version = version_in(checkout, revision);
        Ok(Self {
            revision: revision.to_owned(),
            version,
            sample,
            exports,
            compose,
            missing_files,
            uses,
            configs,
            notes,
        })
    }

    /// Its version, if it is valid.
    pub fn parsed(&self) -> Option<Version> {
        self.version.as_deref().and_then(Version::parse)
    }

    /// Its version as text.
    pub fn name(&self) -> &str {
        self.version.as_deref().unwrap_or(&self.revision)
    }
}

/// The configs of the service `app`, whose environment is the whole env file.
fn configs_of_app(compose: &Compose) -> impl Iterator<Item = &Named> {
    let app = compose.service("app");
    compose.configs.iter().filter(move |config| app.is_some_and(|app| app.configs.contains(&config.key)))
}

/// Variables that the compose files set for the service `app`.
fn given(compose: &Compose) -> BTreeSet<String> {
    let environment = compose.service("app").and_then(|app| app.field("environment")?.as_object());
    environment.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// Variables of the container's environment that a config's file requires: `{{ env "X" }}` of a template, and `${X:?…}`
/// of a script.
pub(super) fn uses_in_container(text: &str, is_template: bool, given: &BTreeSet<String>) -> Vec<Use> {
    let names = if is_template { asked(text, "env") } else { BTreeSet::new() };
    let mut found: Vec<Use> = names.into_iter().map(|name| Use { name, unset: Unset::Empty }).collect();
    let refused = |one: &Use| matches!(one.unset, Unset::Refused { .. });
    // A script's own variables are lower case by convention, and settings of an env file never are.
    let is_setting = |name: &str| !name.contains(|c: char| c.is_ascii_lowercase());
    let sets = |name: &str| {
        let assigned = format!("{name}=");
        text.lines().any(|line| {
            let line = line.trim_start();
            let line =
                ["export ", "local ", "readonly "].iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
            line.starts_with(&assigned)
        })
    };
    found.extend(text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(uses_in).filter(refused));
    found.retain(|one| is_setting(&one.name) && !given.contains(&one.name) && !sets(&one.name));
    found
}
