//! `app ls`: every app of the local server.

use serde_json::json;

use super::deploy::deployed_version;
use crate::app::{App, server_dir};
use crate::docker::connect;
use crate::fatal::Done;
use crate::table::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only apps of this server
    #[arg(short, long)]
    server: Option<String>,
    /// Only apps of this recipe
    #[arg(short, long)]
    recipe: Option<String>,
    /// Ask the swarm which are deployed
    #[arg(short = 'S', long)]
    status: bool,
    /// Print JSON
    #[arg(short, long)]
    machine: bool,
}

pub(crate) async fn run(args: Args) -> Done {
    let mut domains = Vec::new();
    if let Ok(entries) = std::fs::read_dir(server_dir()?) {
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            domains.extend(name.strip_suffix(".env").map(str::to_owned));
        }
    }
    domains.sort();
    let docker = if args.status { Some(connect().await?.1) } else { None };
    let mut apps = Vec::new();
    for domain in domains {
        let app = App::open(&domain)?;
        if args.recipe.as_deref().is_some_and(|recipe| recipe != app.recipe.name.as_str()) {
            continue;
        }
        let version = match &docker {
            Some(docker) => Some(deployed_version(docker, &app).await?),
            None => None,
        };
        let (status, version) = match version {
            None => (String::new(), String::new()),
            Some(None) => ("undeployed".to_owned(), "unknown".to_owned()),
            Some(Some(version)) => ("deployed".to_owned(), version),
        };
        apps.push(json!({
            "server": "default", "recipe": app.recipe.name.as_str(), "appName": domain, "domain": domain,
            "status": status, "chaos": "", "chaosVersion": "", "version": version, "upgrade": "",
        }));
    }
    if args.machine {
        let count = apps.len();
        println!("{}", json!({ "default": { "apps": apps, "appCount": count } }));
    } else {
        let cell = |app: &serde_json::Value, key: &str| app[key].as_str().unwrap_or_default().to_owned();
        let rows: Vec<_> =
            apps.iter().map(|app| ["recipe", "domain", "server"].map(|key| cell(app, key)).into()).collect();
        print!("{}", table(&["RECIPE", "DOMAIN", "SERVER"], &rows));
    }
    Ok(())
}
