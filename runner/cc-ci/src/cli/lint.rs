//! `cc-ci lint`: the contract of the recipes' folders, without a deploy.

use host::say;
use std::path::PathBuf;
use std::time::Instant;

use base::failure::{Failure, Kind};
use base::names::RecipeName;

use host::settings::Settings;
use host::weight;
use journal::exit::Exit;
use plan::dependencies::needed_by;
use recipe_folder::folder::{chosen_recipes, read_toml};
use recipe_folder::lint::{Finding, ReadError, Rule, lint, shell};

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci lint                      the folders of all recipes\n",
    "  cc-ci lint n8n --source ../n8n  one folder, and the shell of the recipe's own repository\n",
    "  cc-ci lint n8n --json           for programs\n",
))]
pub(super) struct Args {
    /// Recipes to check [default: all]
    #[arg(value_name = "RECIPE")]
    names: Vec<RecipeName>,
    /// Read the shell of a recipe's own repository too: compose files, abra.sh, entrypoints, pipeline
    #[arg(long, value_name = "FOLDER")]
    source: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let start = Instant::now();
    let recipes = chosen_recipes(&settings.recipes, &args.names)?;
    let tasks: Vec<_> = recipes
        .iter()
        .map(|recipe| {
            let folder = settings.recipes.join(recipe.as_str());
            tokio::spawn(async move { lint(&folder).await })
        })
        .collect();
    let mut findings: Vec<Finding> = Vec::new();
    for task in tasks {
        let ended = task.await.map_err(|error| Failure::new(Kind::Bug, error.to_string(), "please report it"))?;
        findings.extend(ended.map_err(unreadable)?);
    }
    for recipe in &recipes {
        findings.extend(unmet(settings, recipe));
    }
    for source in &args.source {
        let found = shell(source).map_err(unreadable)?;
        let below = |finding: Finding| Finding { file: source.join(&finding.file).display().to_string(), ..finding };
        findings.extend(found.deployed.into_iter().chain(found.pipelines).map(below));
    }
    if args.json {
        say!("{:#}", serde_json::json!(findings));
    } else {
        findings.iter().for_each(|finding| say!("{finding}"));
        weights(settings, &recipes).iter().for_each(|line| say!("{line}"));
        let (many, s) = (recipes.len(), start.elapsed().as_secs_f64());
        say!("{many} recipe{}, {} finding{} in {s:.2} s", plural(many), findings.len(), plural(findings.len()));
    }
    Ok(if findings.is_empty() { Exit::Passed } else { Exit::Test })
}

/// What a run would be refused for, of the apps that the recipe needs: one that is not there, or itself.
fn unmet(settings: &Settings, recipe: &RecipeName) -> Option<Finding> {
    // One that cannot be read has a finding of its own.
    let toml = read_toml(&settings.recipes, recipe).ok()?;
    let failure = needed_by(settings, recipe, &toml).err()?;
    let file = settings.recipes.join(recipe.as_str()).join("recipe.toml").display().to_string();
    Some(Finding { file, line: None, rule: Rule::Schema, text: failure.what })
}

/// What runs on this machine have measured and a recipe does not declare. It is no finding: another machine's runs
/// say something else.
fn weights(settings: &Settings, recipes: &[RecipeName]) -> Vec<String> {
    let Ok(state) = settings.state_dir() else { return Vec::new() };
    let warning = |recipe: &RecipeName| {
        let declared = read_toml(&settings.recipes, recipe).ok()?.weight.memory_mib.get().into();
        let peak = weight::usual_peak(&weight::measured(&state, recipe))?;
        Some(format!("note: {}", weight::warning(recipe.as_str(), declared, peak)?))
    };
    recipes.iter().filter_map(warning).collect()
}

fn plural(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}

fn unreadable(error: ReadError) -> Failure {
    Failure::new(Kind::Usage, error.to_string(), "the name, and --recipes (CCCI_RECIPES)")
}
