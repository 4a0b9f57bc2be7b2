//! `app ps`: the newest task of each service.

use std::collections::BTreeMap;

use coopcloud::labels;
use serde_json::json;

use crate::app::App;
use crate::docker::connect;
use crate::fatal::{Done, fatal};
use crate::table::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    domain: String,
    /// Print JSON; every value in it is a text
    #[arg(short, long)]
    machine: bool,
}

pub(crate) async fn run(args: Args) -> Done {
    let app = App::open(&args.domain)?;
    let (swarm, _) = connect().await?;
    let all = swarm.all_service_labels(&app.stack).await?;
    if all.is_empty() {
        return fatal(format!("{} is not deployed", app.domain));
    }
    let label = |key: String| all.values().find_map(|labels| labels.get(&key).cloned()).unwrap_or_default();
    let (chaos, version) = (label(labels::chaos(&app.stack)), label(labels::version(&app.stack)));
    let mut rows = BTreeMap::new();
    for task in swarm.tasks(&app.stack).await? {
        // Swarm hears of a process that runs a moment after the engine has said so.
        let runs = task.state == "starting" && swarm.local_container(&app.stack, &task.service).await?.is_some();
        let state = if runs { "running" } else { task.state.as_str() };
        let row = json!({
            "service": task.service, "image": task.image, "created": task.created, "state": state,
            "status": task.error, "ports": "", "chaos": chaos, "version": version,
        });
        rows.insert(task.service, row);
    }
    if args.machine {
        println!("{}", json!(rows));
    } else {
        let cell = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let rows: Vec<_> = rows
            .values()
            .map(|row| ["service", "image", "created", "state", "status"].map(|key| cell(row, key)).into())
            .collect();
        print!("{}", table(&["SERVICE", "IMAGE", "CREATED", "STATE", "STATUS"], &rows));
    }
    Ok(())
}
