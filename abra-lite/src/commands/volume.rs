//! `app volume ls` and `app volume rm`.

use crate::app::App;
use crate::docker::{connect, services, volume_names};
use crate::fatal::{Done, fatal};
use crate::table::table;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List an app's volumes
    Ls { domain: String },
    /// Remove an app's volumes, or one
    Rm {
        domain: String,
        volume: Option<String>,
        /// Ask nothing
        #[arg(short, long)]
        force: bool,
    },
}

pub(crate) async fn run(command: Command) -> Done {
    match command {
        Command::Ls { domain } => {
            let app = App::open(&domain)?;
            let (_, docker) = connect().await?;
            let rows: Vec<_> = volume_names(&docker, &app.stack).await?.into_iter().map(|name| vec![name]).collect();
            print!("{}", table(&["name"], &rows));
            Ok(())
        }
        Command::Rm { domain, volume, .. } => {
            let app = App::open(&domain)?;
            let (_, docker) = connect().await?;
            if !services(&docker, &app.stack).await?.is_empty() {
                return fatal(format!("{domain} is still deployed; undeploy it first"));
            }
            let wanted = volume.map(|name| app.stack.object(&name));
            let found = volume_names(&docker, &app.stack).await?;
            let chosen: Vec<_> =
                found.into_iter().filter(|name| wanted.as_ref().is_none_or(|wanted| wanted == name)).collect();
            if chosen.is_empty() {
                return fatal(format!("{domain} has no such volume"));
            }
            for name in chosen {
                docker.remove_volume(&name, None::<bollard::query_parameters::RemoveVolumeOptions>).await?;
                eprintln!("INFO {name} removed");
            }
            Ok(())
        }
    }
}
