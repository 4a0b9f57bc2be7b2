//! The words. Global flags may stand anywhere, as abra has them since 0.10.

use clap::{Parser, Subcommand};

use crate::commands::{app, backup, recipe, secret, server, volume};
use crate::fatal::Done;
use crate::flags::Flags;

#[derive(Debug, Parser)]
#[command(name = "abra-lite", version, about = "The part of abra that cc-ci calls, on a local swarm")]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Servers
    #[command(subcommand)]
    Server(server::Command),
    /// Recipes
    #[command(subcommand)]
    Recipe(recipe::Command),
    /// Apps
    #[command(subcommand)]
    App(App),
}

#[derive(Debug, Subcommand)]
enum App {
    /// Make an app's env file from its recipe
    New(app::new::Args),
    /// Deploy an app
    Deploy(app::deploy::Args),
    /// Deploy a newer release
    Upgrade(app::deploy::Args),
    /// Remove an app's stack; volumes, secrets and env file stay
    Undeploy(app::undeploy::Args),
    /// Remove an app's secrets, volumes and env file
    #[command(alias = "rm")]
    Remove(app::remove::Args),
    /// List apps
    Ls(app::ls::Args),
    /// Show an app's tasks
    Ps(app::ps::Args),
    /// List keys of .env.sample that the env file lacks
    Check(app::check::Args),
    /// Run a command in a service's container
    Run(app::run::Args),
    /// Run a function of abra.sh
    #[command(alias = "command")]
    Cmd(app::cmd::Args),
    /// Secrets
    #[command(subcommand)]
    Secret(secret::Command),
    /// Volumes
    #[command(subcommand)]
    Volume(volume::Command),
    /// Backups
    #[command(subcommand)]
    Backup(backup::Command),
    /// Restore a backup
    Restore(backup::RestoreArgs),
}

pub(crate) async fn main() -> Done {
    let cli = Cli::parse();
    let flags = cli.flags;
    match cli.command {
        Command::Server(command) => server::run(command),
        Command::Recipe(command) => recipe::run(command, flags),
        Command::App(command) => match command {
            App::New(args) => app::new::run(args, flags).await,
            App::Deploy(args) => app::deploy::run(args, flags, app::deploy::Way::Deploy).await,
            App::Upgrade(args) => app::deploy::run(args, flags, app::deploy::Way::Upgrade).await,
            App::Undeploy(args) => app::undeploy::run(args).await,
            App::Remove(args) => app::remove::run(args, flags).await,
            App::Ls(args) => app::ls::run(args).await,
            App::Ps(args) => app::ps::run(args).await,
            App::Check(args) => app::check::run(args, flags),
            App::Run(args) => app::run::run(args).await,
            App::Cmd(args) => app::cmd::run(args, flags).await,
            App::Secret(command) => secret::run(command, flags).await,
            App::Volume(command) => volume::run(command).await,
            App::Backup(command) => backup::run(command, flags).await,
            App::Restore(args) => backup::restore(args, flags).await,
        },
    }
}
