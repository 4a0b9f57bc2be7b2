//! `recipe fetch`, `recipe lint`, `recipe versions`.

use std::io::IsTerminal as _;

use base::names::RecipeName;
use coopcloud::lint::{Met, Rule};

use crate::fatal::{Done, fatal};
use crate::flags::Flags;
use crate::recipe::{Recipe, abra_dir, git};
use crate::table::table;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Clone a recipe, or fetch what is new
    Fetch { recipe: RecipeName },
    /// Check a recipe against the rules; exits with 0 even when some are red
    Lint { recipe: String },
    /// List a recipe's versions
    Versions {
        recipe: String,
        /// Print JSON
        #[arg(short, long)]
        machine: bool,
    },
}

pub(crate) fn run(command: Command, flags: Flags) -> Done {
    match command {
        Command::Fetch { recipe } => fetch(&recipe),
        Command::Lint { recipe } => lint(&recipe, flags),
        Command::Versions { recipe, machine } => versions(&recipe, machine),
    }
}

/// Where recipes come from; `ABRA_LITE_ORIGIN` names another place, for tests.
fn origin() -> String {
    std::env::var("ABRA_LITE_ORIGIN").unwrap_or_else(|_| "https://git.coopcloud.tech/coop-cloud".to_owned())
}

fn fetch(recipe: &RecipeName) -> Done {
    let dir = abra_dir()?.join("recipes").join(recipe.as_str());
    if dir.exists() {
        git(Some(&dir), &["fetch", "--quiet", "--tags", "origin"])?;
    } else {
        git(None, &["clone", "--quiet", "--", &format!("{}/{recipe}", origin()), &dir.to_string_lossy()])?;
    }
    eprintln!("INFO {recipe} fetched");
    Ok(())
}

fn lint(name: &str, flags: Flags) -> Done {
    let recipe = Recipe::open(name)?;
    if !flags.chaos && recipe.is_dirty()? {
        return fatal(format!("{name} has locally unstaged changes"));
    }
    if !std::io::stdin().is_terminal() {
        return fatal("inappropriate ioctl for device");
    }
    let tick = |satisfied: bool| if satisfied { "✅" } else { "❌" }.to_owned();
    let rows: Vec<_> = recipe
        .lint()?
        .into_iter()
        .map(|row| {
            let (satisfied, skipped) = match row.met {
                Met::Yes => (tick(true), "-".to_owned()),
                Met::No(_) => (tick(false), "-".to_owned()),
                Met::Unknown => ("-".to_owned(), tick(true)),
            };
            let Rule { reference, asks, severity, resolve, .. } = row.rule;
            vec![reference.to_owned(), asks.to_owned(), severity.to_owned(), satisfied, skipped, resolve.to_owned()]
        })
        .collect();
    print!("{}", table(&["ref", "rule", "severity", "satisfied", "skipped", "resolve"], &rows));
    Ok(())
}

fn versions(name: &str, machine: bool) -> Done {
    let recipe = Recipe::open(name)?;
    let mut rows = Vec::new();
    for (version, _) in recipe.releases()? {
        let text = recipe.git(&["show", &format!("{version}:compose.yml")])?;
        let vars = std::collections::BTreeMap::new();
        let compose = coopcloud::compose::Compose::load(&[("compose.yml".to_owned(), text)], &vars)?;
        for service in compose.services {
            let image = service.image.unwrap_or_default();
            let (image, tag) = image.rsplit_once(':').unwrap_or((&image, ""));
            rows.push(vec![service.name, image.to_owned(), tag.to_owned(), version.clone()]);
        }
    }
    let heading = ["service", "image", "tag", "version"];
    if machine {
        let object = |row: Vec<String>| {
            heading.iter().map(|key| (*key).to_owned()).zip(row).collect::<std::collections::BTreeMap<_, _>>()
        };
        println!("{}", serde_json::json!(rows.into_iter().map(object).collect::<Vec<_>>()));
    } else {
        print!("{}", table(&heading, &rows));
    }
    Ok(())
}
