//! `server add --local` and `server ls`.

use crate::app::server_dir;
use crate::fatal::{Done, fatal};
use crate::recipe::abra_dir;
use crate::table::table;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Add a server; only the local one is known here
    Add {
        /// The engine of this machine, called `default`
        #[arg(short, long)]
        local: bool,
        domain: Option<String>,
    },
    /// List servers
    Ls {
        /// Print JSON
        #[arg(short, long)]
        machine: bool,
    },
}

pub(crate) fn run(command: Command) -> Done {
    match command {
        Command::Add { local: true, .. } => {
            std::fs::create_dir_all(server_dir()?)?;
            eprintln!("INFO local server added");
            Ok(())
        }
        Command::Add { .. } => fatal("abra-lite knows the local server only: server add --local"),
        Command::Ls { machine } => {
            let mut names = Vec::new();
            if let Ok(entries) = std::fs::read_dir(abra_dir()?.join("servers")) {
                for entry in entries {
                    names.push(entry?.file_name().to_string_lossy().into_owned());
                }
            }
            names.sort();
            if machine {
                let rows: Vec<_> =
                    names.iter().map(|name| serde_json::json!({ "name": name, "host": "local" })).collect();
                println!("{}", serde_json::json!(rows));
            } else {
                let rows: Vec<_> = names.into_iter().map(|name| vec![name, "local".to_owned()]).collect();
                print!("{}", table(&["NAME", "HOST"], &rows));
            }
            Ok(())
        }
    }
}
