//! The apps that a run deploys beside the tested one: which they are, and what each is made from.

mod graph;

use std::path::Path;

use base::failure::{Failure, Kind};
use base::names::RecipeName;

pub use graph::{GraphError, Needed, Why, needed};

use crate::spec::{Request, RunSpec, pin};
use crate::warm_provider::Warm;
use host::domain::domain_of;
use host::settings::Settings;
use journal::event::DependencyFact;
use recipe_folder::folder::{folder_of, read_toml};
use recipe_folder::recipe_toml::{RecipeToml, read};
use source::{Checkout, Revision};

/// An app beside the tested one, ready to be deployed.
#[derive(Debug)]
pub struct Dependency {
    /// What it is and what has to be up before it.
    pub needed: Needed,
    /// What its folder says.
    pub toml: RecipeToml,
    /// Its names, and the release that is deployed as its `head`.
    pub spec: RunSpec,
    /// What abra is told to deploy: the newest release, or the default branch's commit.
    pub revision: String,
    /// The clone.
    pub checkout: Checkout,
    /// What makes it outlive the run, if it does.
    pub warm: Option<Warm>,
}

/// What a recipe needs, by the folders of the settings.
///
/// # Errors
/// [`Kind::CheckBroken`] where the folders make no graph.
pub fn needed_by(settings: &Settings, recipe: &RecipeName, toml: &RecipeToml) -> Result<Vec<Needed>, Failure> {
    let look = |name: &RecipeName| {
        let folder = folder_of(&settings.recipes, name);
        if folder.is_dir() { read(&folder).map(Some).map_err(|error| error.to_string()) } else { Ok(None) }
    };
    needed(recipe, toml, &look).map_err(|error| {
        let look_at = "requires, test_requires and [sso] in the recipe.toml of each recipe on that path";
        Failure::new(Kind::CheckBroken, error.to_string(), look_at)
    })
}

impl Dependency {
    /// Clones the repository of a needed app into `dir` and pins its newest release. Its domain is that of
    /// the tested app with another recipe in front, so that it belongs to that app alone.
    ///
    /// # Errors
    /// Why its repository, or its folder, is not usable.
    pub fn new(settings: &Settings, needed: Needed, tested: &RunSpec, dir: &Path) -> Result<Self, Failure> {
        let toml = read_toml(&settings.recipes, &needed.recipe)?;
        let source = toml.source.clone().unwrap_or_else(|| settings.source_of(&needed.recipe));
        let checkout = Checkout::clone_from(&source, dir, settings.git_access()?)
            .map_err(|failure| of(&needed.recipe, failure))?;
        let request = Request {
            recipe: needed.recipe.clone(),
            source,
            revision: Revision::Default,
            from: None,
            base_domain: settings.base_domain.clone(),
        };
        let mut spec = pin(&request, tested.run.clone(), &checkout).map_err(|failure| of(&needed.recipe, failure))?;
        spec.cert_resolver.clone_from(&tested.cert_resolver);
        let releases: Vec<String> = spec.tags.iter().map(|tag| tag.name.clone()).collect();
        let release = coopcloud::version::newest(&releases);
        let revision = match release {
            Some(release) => {
                spec.head = checkout.resolve(&Revision::Named(release.clone()))?;
                release
            }
            None => spec.head.to_string(),
        };
        spec.domain = domain_of(&needed.recipe, tested.pull_request, &tested.head, &settings.base_domain)?;
        spec.stack = spec.domain.stack();
        spec.base = None;
        spec.pull_request = None;
        Ok(Self { needed, toml, spec, revision, checkout, warm: None })
    }

    /// What the run's first event says of it.
    pub fn fact(&self) -> DependencyFact {
        DependencyFact {
            recipe: self.needed.recipe.clone(),
            why: match &self.warm {
                None => self.needed.why.words().to_owned(),
                Some(warm) if warm.was_there() => format!("{}, kept warm by earlier runs", self.needed.why.words()),
                Some(_) => format!("{}, and stays warm", self.needed.why.words()),
            },
            release: self.revision.clone(),
            domain: self.spec.domain.clone(),
            stack: self.spec.stack.clone(),
        }
    }
}

/// A failure that says whose it is.
fn of(recipe: &RecipeName, failure: Failure) -> Failure {
    Failure { what: format!("the dependency {recipe}: {}", failure.what), ..failure }
}
