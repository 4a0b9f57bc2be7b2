//! `app backup create|snapshots|list` and `app restore`: words that are passed on to the backup bot.
//! How abra finds and calls it is remembered (medium certainty); the rest is in `coopcloud::abra::BEHAVIOURS`.

use std::collections::HashMap;
use std::io::Write as _;

use bollard::container::LogOutput;
use bollard::query_parameters::ListServicesOptionsBuilder;
use coopcloud::abra::Point;

use crate::app::App;
use crate::docker::{connect, container_of, exec_to, wants_terminal};
use crate::fatal::{Done, fatal};
use crate::flags::Flags;
use crate::otherwise::otherwise;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a backup
    Create { domain: String },
    /// List snapshots
    Snapshots { domain: String },
    /// List the files of a snapshot
    #[command(alias = "ls")]
    List {
        domain: String,
        /// Which one [default: the latest]
        #[arg(short, long)]
        snapshot: Option<String>,
        /// Every file, not the folders of volumes alone
        #[arg(short, long)]
        all: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    domain: String,
    /// Which snapshot [default: the latest]
    #[arg(short, long)]
    snapshot: Option<String>,
    /// Where to [default: in place]
    #[arg(short, long)]
    target: Option<String>,
}

pub(crate) async fn run(command: Command, flags: Flags) -> Done {
    match command {
        Command::Create { domain } => bot(&domain, flags, "create", None, None, &every).await,
        Command::Snapshots { domain } => bot(&domain, flags, "snapshots", None, None, &every).await,
        Command::List { domain, snapshot, all } => {
            let is_short = !all && !otherwise(Point::BackupListIsShort)?;
            bot(&domain, flags, "ls", snapshot, None, if is_short { &is_volumes_folder } else { &every }).await
        }
    }
}

pub(crate) async fn restore(args: RestoreArgs, flags: Flags) -> Done {
    bot(&args.domain, flags, "restore", args.snapshot, args.target, &every).await
}

fn every(_: &str) -> bool {
    true
}

/// Whether a line names what restic lists of the folder of all volumes, which is not what is below its folders.
fn is_volumes_folder(line: &str) -> bool {
    !line.starts_with('/') || line.trim_end_matches('/').matches('/').count() <= 5
}

async fn bot(
    domain: &str,
    flags: Flags,
    verb: &str,
    snapshot: Option<String>,
    target: Option<String>,
    shown: &dyn Fn(&str) -> bool,
) -> Done {
    let app = App::open_with_recipe(domain, flags)?;
    let (_, docker) = connect().await?;
    let filters = HashMap::from([("label", vec!["coop-cloud.backupbot.enabled=true"])]);
    let bots = docker.list_services(Some(ListServicesOptionsBuilder::new().filters(&filters).build())).await?;
    let Some(name) = bots.into_iter().find_map(|service| service.spec?.name) else {
        return fatal("no backupbot discovered, is it deployed?");
    };
    let container = container_of(&docker, &name).await?;
    wants_terminal()?;
    let service =
        if otherwise(Point::BotGoesByDomain)? { app.stack.to_string() } else { app.domain.as_str().replace('.', "_") };
    let mut env = vec![format!("SERVICE={service}")];
    env.extend(snapshot.map(|snapshot| format!("SNAPSHOT={snapshot}")));
    env.extend(target.map(|target| format!("TARGET={target}")));
    let command = ["/usr/bin/backup", "--", verb].map(str::to_owned).into();
    // On a terminal both its streams are one.
    let mut line = Vec::new();
    let mut print = |part: LogOutput| {
        for byte in part.into_bytes() {
            line.push(byte);
            if byte == b'\n' {
                flush(&mut line, shown)?;
            }
        }
        Ok(())
    };
    let ended = exec_to(&docker, &container, command, env, true, &mut print).await;
    flush(&mut line, shown)?;
    ended
}

fn flush(line: &mut Vec<u8>, shown: &dyn Fn(&str) -> bool) -> std::io::Result<()> {
    if shown(String::from_utf8_lossy(line).trim_end()) {
        std::io::stdout().write_all(line)?;
    }
    line.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_short_list_only_the_folders_of_volumes_are_left() {
        assert!(is_volumes_folder("/var/lib/docker/volumes/app_data") && is_volumes_folder("/var/lib/docker/volumes"));
        assert!(!is_volumes_folder("/var/lib/docker/volumes/app_data/_data") && is_volumes_folder("ERROR: x"));
    }
}
