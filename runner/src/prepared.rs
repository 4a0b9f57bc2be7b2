//! Everything about a run that can be known before an engine is asked: the clone, the spec, the
//! recipe's folder, the plan.

use std::path::{Path, PathBuf};

use harness::failure::{Failure, Kind};
use harness::names::{RecipeName, RunId};
use harness::overlay::{OverlayFile, discover};
use jiff::Timestamp;
use rand::Rng;

use crate::context::{Data, Overlays};
use crate::event::PlannedStage;
use crate::own_tests::OwnTests;
use crate::plan::{Brought, plan};
use crate::recipe_toml::{self, RecipeToml};
use crate::settings::Settings;
use crate::source::Checkout;
use crate::spec::{Request, RunSpec, pin};

/// A run that could start.
#[derive(Debug)]
pub struct Prepared {
    /// What is tested.
    pub spec: RunSpec,
    /// What the recipe's folder says.
    pub toml: RecipeToml,
    /// What the recipe's folder brings.
    pub overlays: Overlays,
    /// What is done about the tests of the recipe's own repository.
    pub own: OwnTests,
    /// The clone.
    pub checkout: Checkout,
    /// The plan.
    pub stages: Vec<PlannedStage>,
}

impl Prepared {
    /// Clones the recipe to `dir`, pins what was asked for, and plans.
    ///
    /// # Errors
    /// When the repository, the revision or the recipe's folder is not usable.
    pub fn new(settings: &Settings, request: &Request, dir: &Path, run: RunId) -> Result<Self, Failure> {
        Self::of(settings, request, Checkout::clone_from(&request.source, dir)?, run)
    }

    /// The same without a clone of its own where the repository is a folder of this machine: enough
    /// to plan, not to run.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    pub fn to_look_at(settings: &Settings, request: &Request, dir: &Path) -> Result<Self, Failure> {
        let source = Path::new(&request.source);
        let checkout =
            if source.is_dir() { Checkout::read_only(source) } else { Checkout::clone_from(&request.source, dir)? };
        Self::of(settings, request, checkout, new_run_id()?)
    }

    fn of(settings: &Settings, request: &Request, checkout: Checkout, run: RunId) -> Result<Self, Failure> {
        let folder = folder_of(settings, &request.recipe);
        let toml = read_toml(settings, &request.recipe)?;
        let spec = pin(request, run, &checkout)?;
        let overlays = overlays(&folder)?;
        let own = OwnTests::decide(settings, &spec.recipe, &checkout, spec.head.as_str())?;
        let stages = plan(&spec, &toml, &Brought { own: own.to_run().to_vec(), ..brought(&overlays) });
        Ok(Self { spec, toml, overlays, own, checkout, stages })
    }
}

/// The folder of a recipe in cc-ci's own tree.
#[must_use]
pub fn folder_of(settings: &Settings, recipe: &RecipeName) -> PathBuf {
    let path = settings.recipes.join(recipe.as_str());
    std::path::absolute(&path).unwrap_or(path)
}

/// The recipe's `recipe.toml`.
///
/// # Errors
/// [`Kind::CheckBroken`] when it is not valid.
pub fn read_toml(settings: &Settings, recipe: &RecipeName) -> Result<RecipeToml, Failure> {
    recipe_toml::read(&folder_of(settings, recipe)).map_err(|error| {
        Failure::new(Kind::CheckBroken, error.to_string(), "the recipe's folder; docs/ARCHITECTURE.md names the keys")
    })
}

/// A run id: the time, so that ids sort, and four random letters.
///
/// # Errors
/// Never in practice; a bug otherwise.
pub fn new_run_id() -> Result<RunId, Failure> {
    let mut rng = rand::rng();
    let letters: String = (0..4).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
    let text = format!("{}-{letters}", Timestamp::now().strftime("%Y%m%d-%H%M%S"));
    text.parse().map_err(|error| Failure::new(Kind::Bug, format!("{error}"), "please report it"))
}

fn overlays(folder: &Path) -> Result<Overlays, Failure> {
    let broken = |error: std::io::Error| {
        Failure::new(Kind::CheckBroken, format!("{} cannot be read: {error}", folder.display()), "rights of the folder")
    };
    let mut found = Overlays::default();
    for name in ["install", "upgrade", "backup", "functional"] {
        found.checks.insert(name, discover(folder, name).map_err(broken)?);
    }
    let data = discover(folder, "data").map_err(broken)?;
    let part = |part: &str| -> Option<OverlayFile> {
        data.iter()
            .find(|file| file.name.split('/').next_back().is_some_and(|name| name.split('.').next() == Some(part)))
            .cloned()
    };
    found.data = match (part("seed"), part("wipe"), part("check")) {
        (Some(seed), Some(wipe), Some(check)) => Some(Data { seed, wipe, check }),
        (None, None, None) => None,
        _ => {
            return Err(Failure::new(
                Kind::CheckBroken,
                format!("{}/data has not all of seed, wipe and check", folder.display()),
                "each of the three is needed: data that cannot be wiped or checked proves nothing",
            ));
        }
    };
    Ok(found)
}

fn brought(overlays: &Overlays) -> Brought {
    let names = |folder: &str| {
        overlays
            .checks
            .get(folder)
            .map(|files| files.iter().map(|file| file.name.clone()).collect())
            .unwrap_or_default()
    };
    Brought {
        install: names("install"),
        upgrade: names("upgrade"),
        backup: names("backup"),
        functional: names("functional"),
        data: overlays.data.is_some(),
        own: Vec::new(),
    }
}
