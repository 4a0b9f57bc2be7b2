//! `app backup create|snapshots|list` and `app restore`: words that are passed on to the backup bot.
//! How abra finds and calls it is remembered (medium certainty).

use std::collections::HashMap;

use bollard::query_parameters::ListServicesOptionsBuilder;

use crate::app::App;
use crate::docker::{connect, container_of, exec};
use crate::fatal::{Done, fatal};

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

pub(crate) async fn run(command: Command) -> Done {
    match command {
        Command::Create { domain } => bot(&domain, "create", None, None).await,
        Command::Snapshots { domain } => bot(&domain, "snapshots", None, None).await,
        Command::List { domain, snapshot } => bot(&domain, "ls", snapshot, None).await,
    }
}

pub(crate) async fn restore(args: RestoreArgs) -> Done {
    bot(&args.domain, "restore", args.snapshot, args.target).await
}

async fn bot(domain: &str, verb: &str, snapshot: Option<String>, target: Option<String>) -> Done {
    let app = App::open(domain)?;
    let (_, docker) = connect().await?;
    let filters = HashMap::from([("label", vec!["coop-cloud.backupbot.enabled=true"])]);
    let bots = docker.list_services(Some(ListServicesOptionsBuilder::new().filters(&filters).build())).await?;
    let Some(name) = bots.into_iter().find_map(|service| service.spec?.name) else {
        return fatal("no backupbot discovered, is it deployed?");
    };
    let container = container_of(&docker, &name).await?;
    let mut env = vec![format!("SERVICE={}", app.stack)];
    env.extend(snapshot.map(|snapshot| format!("SNAPSHOT={snapshot}")));
    env.extend(target.map(|target| format!("TARGET={target}")));
    let command = ["/usr/bin/backup", "--", verb].map(str::to_owned).into();
    exec(&docker, &container, command, env, true).await
}
