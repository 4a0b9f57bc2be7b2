//! Everything about a run that can be known before an engine is asked: the clone, the spec, the
//! recipe's folder, the plan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base::failure::{Failure, Kind};
use base::names::{RecipeName, RunId};
use overlay::{OverlayFile, VARIABLES_FILE, discover};

use crate::commands::{After, Commands};
use crate::dependencies::{Dependency, Needed, needed_by};
use crate::faults::Ground;
use crate::kept::KeptApp;
use crate::needs::{TestText, needed};
use crate::refused;
use crate::revision::sample_of;
use crate::spec::{Request, RunSpec, pin, releases_before};
use crate::stages::{Brought, plan};
use fence::own_tests::OwnTests;
use host::settings::Settings;
use journal::event::{DependencyFact, PlannedStage, Stage};
use journal::run_id::new_run_id;
use journal::selection::Selection;
use journal::test_folders::FOLDERS;
use recipe_folder::folder::{folder_of, read_toml};
use recipe_folder::overlays::{Data, Overlays};
use recipe_folder::prints::{self, Prints};
use recipe_folder::recipe_toml::{RecipeToml, blocked};
use source::{Checkout, Revision};

/// A run that could start.
#[derive(Debug)]
pub struct Prepared {
    /// What is tested.
    pub spec: RunSpec,
    /// What the recipe's folder says.
    pub toml: RecipeToml,
    /// What the recipe's folder brings.
    pub overlays: Overlays,
    /// Prints of the folder's files, which say of what the run is evidence.
    pub prints: Prints,
    /// What is done about the tests of the recipe's own repository.
    pub own: OwnTests,
    /// What is done about the commands that abra runs once an app is up.
    pub commands: Commands,
    /// The clone.
    pub checkout: Checkout,
    /// The apps to deploy beside it, in the order in which they can come up.
    pub dependencies: Vec<Dependency>,
    /// What is said of the apps beside it; also of those that a kept app has already.
    pub beside: Vec<DependencyFact>,
    /// The part that was asked for.
    pub only: Selection,
    /// The plan.
    pub stages: Vec<PlannedStage>,
}

impl Prepared {
    /// Clones the recipe and those that it needs, pins what was asked for, and plans. `dir_of` says where
    /// the clone of a recipe goes.
    ///
    /// # Errors
    /// When a repository, the revision or a recipe's folder is not usable.
    pub fn new(
        settings: &Settings,
        request: &Request,
        only: &Selection,
        dir_of: impl Fn(&RecipeName) -> PathBuf,
        run: RunId,
    ) -> Result<Self, Failure> {
        let checkout = Checkout::clone_from(&request.source, &dir_of(&request.recipe), settings.git_access()?)?;
        let (mut prepared, needed) = Self::of(settings, request, only, checkout, run)?;
        for one in needed {
            let dir = dir_of(&one.recipe);
            prepared.dependencies.push(Dependency::new(settings, one, &prepared.spec, &dir)?);
        }
        prepared.beside = prepared.dependencies.iter().map(Dependency::fact).collect();
        Ok(prepared)
    }

    /// The same without a clone of its own where the repository is a folder of this machine: enough
    /// to plan, not to run.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    pub fn to_look_at(settings: &Settings, request: &Request, only: &Selection, dir: &Path) -> Result<Self, Failure> {
        let source = Path::new(&request.source);
        let checkout = match source.is_dir() && !matches!(request.revision, Revision::WorkTree(_)) {
            true => Checkout::to_look_at(source)?,
            false => Checkout::clone_from(&request.source, dir, settings.git_access()?)?,
        };
        Self::of(settings, request, only, checkout, new_run_id()?).map(|(prepared, _)| prepared)
    }

    /// A look at an app that an earlier run keeps: its tests of what the app is for, and no deploy.
    ///
    /// # Errors
    /// When the recipe's folder is not usable.
    pub fn of_kept(settings: &Settings, app: &KeptApp, only: &Selection, run: RunId) -> Result<Self, Failure> {
        let started = &app.started;
        let spec = RunSpec {
            run,
            recipe: started.recipe.clone(),
            source: started.source.clone(),
            head: started.head.clone(),
            head_subject: started.head_subject.clone(),
            head_version: started.head_version.clone(),
            base: None,
            no_base: "a kept app is not upgraded".to_owned(),
            pull_request: started.pull_request,
            on_main: false,
            domain: started.domain.clone(),
            stack: started.stack.clone(),
            tags: Vec::new(),
            cert_resolver: settings.cert_resolver.clone(),
        };
        let toml = read_toml(&settings.recipes, &spec.recipe)?;
        let folder = folder_of(&settings.recipes, &spec.recipe);
        let only = &with_needed(&folder, only, &handed_on(&app.dir.work()))?;
        let checkout = Checkout::read_only(&app.dir.abra().join("recipes").join(spec.recipe.as_str()));
        let blocked = blocked(&toml.needs_file, |file| checkout.file(spec.head.as_str(), file).is_some());
        let overlays = overlays(&folder, only)?.without(&blocked);
        let brought = brought(&overlays, &[]);
        if !only.wants_stage(Stage::Functional, &brought.functional) {
            let what = format!("--only {only}: a kept app takes the tests of functional/ and browser/ alone");
            return Err(Failure::new(Kind::Usage, what, "the other stages need a run of their own"));
        }
        let mut stages = plan(&spec, &toml, &brought, only, settings.max_wait);
        for planned in stages.iter_mut().filter(|planned| !matches!(planned.stage, Stage::Functional | Stage::Prove)) {
            planned.skip = Some(format!("run {} keeps the app", started.run));
        }
        let own = OwnTests::default();
        let commands = Commands::NotRun("a kept app is not deployed".to_owned());
        let prints = prints::of_folder(&folder_of(&settings.recipes, &spec.recipe));
        let (dependencies, beside) = (Vec::new(), started.dependencies.clone());
        Ok(Self {
            spec,
            toml,
            overlays,
            prints,
            own,
            commands,
            checkout,
            dependencies,
            beside,
            only: only.clone(),
            stages,
        })
    }

    fn of(
        settings: &Settings,
        request: &Request,
        only: &Selection,
        checkout: Checkout,
        run: RunId,
    ) -> Result<(Self, Vec<Needed>), Failure> {
        let folder = folder_of(&settings.recipes, &request.recipe);
        let toml = read_toml(&settings.recipes, &request.recipe)?;
        let needed = needed_by(settings, &request.recipe, &toml)?;
        let from = request.from.clone().or_else(|| toml.upgrade.from.clone());
        let mut spec = pin(&Request { from, ..request.clone() }, run, &checkout)?;
        spec.cert_resolver.clone_from(&settings.cert_resolver);
        let only = &with_needed(&folder, only, &BTreeSet::new())?;
        let blocked = blocked(&toml.needs_file, |file| checkout.file(spec.head.as_str(), file).is_some());
        let overlays = overlays(&folder, only)?.without(&blocked);
        // Without the upgrade, install takes the tested commit itself.
        let upgrades = only.wants_stage(Stage::Upgrade, &brought(&overlays, &needed).upgrade);
        if !upgrades || toml.opted_out(Stage::Upgrade.name()).is_some() {
            spec.base = None;
            spec.no_base = "the upgrade was not asked for".to_owned();
        }
        let own = match only.is_whole() {
            true => OwnTests::decide(settings, &spec.recipe, &checkout, spec.head.as_str())?,
            false => OwnTests::default(),
        };
        let commands = Commands::decide(settings, &spec.recipe)?;
        // The env file that an operator has at the upgrade is the base's too.
        let env = sample_of(&checkout, spec.base.as_deref().unwrap_or(spec.head.as_str())).unwrap_or_default();
        let planned = |after| commands.planned(after, &env);
        let brought = Brought {
            own: own.to_run().to_vec(),
            after_deploy: planned(After::Deploy),
            after_upgrade: planned(After::Upgrade),
            ground: ground(&spec, &checkout),
            ..brought(&overlays, &needed)
        };
        let mut stages = plan(&spec, &toml, &brought, only, settings.max_wait);
        if !settings.faults.are_made() {
            for planned in stages.iter_mut().filter(|planned| planned.stage == Stage::Faults) {
                planned.skip = Some("this machine makes no faults (--faults none, CCCI_FAULTS)".to_owned());
            }
        }
        let (dependencies, beside) = (Vec::new(), Vec::new());
        let prints = prints::of_folder(&folder);
        Ok((
            Self {
                spec,
                toml,
                overlays,
                prints,
                own,
                commands,
                checkout,
                dependencies,
                beside,
                only: only.clone(),
                stages,
            },
            needed,
        ))
    }
}

/// What the head's files tell of the faults that fit it.
fn ground(spec: &RunSpec, checkout: &Checkout) -> Option<Ground> {
    let (_, compose) = refused::compose_at(checkout, spec.head.as_str(), spec).ok()?;
    let sample = checkout.file(spec.head.as_str(), ".env.sample").unwrap_or_default();
    Some(Ground {
        services: Ground::services_of(&compose),
        releases: releases_before(spec),
        settings: Ground::settings_of(&sample),
    })
}

/// The selection with the tests that it takes along.
fn with_needed(folder: &Path, only: &Selection, known: &BTreeSet<String>) -> Result<Selection, Failure> {
    if only.is_whole() {
        return Ok(only.clone());
    }
    Ok(only.clone().with_needed(needs_of(folder, known, |name| only.chose(name))?))
}

/// The names that earlier tests on a kept app handed on.
fn handed_on(work: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(work.join(VARIABLES_FILE)).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.to_owned()).collect()
}

/// The tests of a recipe's folder that chosen ones need, where these names have a value already.
///
/// # Errors
/// When the folder cannot be read.
pub fn needs_of(
    folder: &Path,
    known: &BTreeSet<String>,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<BTreeSet<String>, Failure> {
    let broken = |error: std::io::Error| {
        Failure::new(Kind::Usage, format!("{} cannot be read: {error}", folder.display()), "rights of the folder")
    };
    let mut files = Vec::new();
    for name in FOLDERS {
        files.extend(discover(folder, name).map_err(broken)?);
    }
    let mut libraries = Vec::new();
    for entry in std::fs::read_dir(folder.join("lib")).into_iter().flatten() {
        libraries.extend(std::fs::read_to_string(entry.map_err(broken)?.path()));
    }
    // What is no text is no test, and is told where it would run.
    let texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(&file.path).unwrap_or_default()).collect();
    let tests: Vec<TestText<'_>> =
        files.iter().zip(&texts).map(|(file, text)| TestText { name: &file.name, text }).collect();
    let libraries: Vec<&str> =
        std::iter::once(harness::shell::LIBRARY).chain(libraries.iter().map(String::as_str)).collect();
    Ok(needed(&tests, &libraries, known, is_chosen))
}

fn overlays(folder: &Path, only: &Selection) -> Result<Overlays, Failure> {
    let broken = |error: std::io::Error| {
        Failure::new(Kind::Usage, format!("{} cannot be read: {error}", folder.display()), "rights of the folder")
    };
    let mut found = Overlays::default();
    for name in FOLDERS {
        found.checks.insert(name, discover(folder, name).map_err(broken)?);
    }
    let names: Vec<String> = found.checks.values().flatten().map(|file| file.name.clone()).collect();
    if let Some(unmet) = only.unmet(&names) {
        let what = format!("--only {unmet}: the recipe's folder brings no such test");
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(Failure::new(Kind::Usage, what, format!("its tests: {names}")));
    }
    // In the order of the folders' list, which is that of the stages.
    found.proven = FOLDERS.iter().filter_map(|name| found.checks.get(name)).flatten().cloned().collect();
    found.proven.retain(|file| only.wants_proof(&file.name));
    for files in found.checks.values_mut() {
        files.retain(|file| only.wants_check(&file.name));
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

fn brought(overlays: &Overlays, needed: &[Needed]) -> Brought {
    let names = |folder: &str| -> Vec<String> {
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
        functional: [names("functional"), names("browser")].concat(),
        blocked: overlays.blocked.iter().map(|(test, why)| format!("{test}: blocked: {why}")).collect(),
        reconfigure: names("reconfigure"),
        ground: None,
        data: overlays.data.is_some(),
        has_tests: overlays.data.is_some() || !overlays.proven.is_empty(),
        dependencies: needed.iter().map(|one| format!("{} ({})", one.recipe, one.why.words())).collect(),
        own: Vec::new(),
        after_deploy: None,
        after_upgrade: None,
    }
}
