//! `cc-ci shell` and `cc-ci logs`: into an app that a run keeps.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use base::failure::{Failure, Kind};
use base::names::{RecipeName, StackName};
use swarm::Swarm;

use host::settings::Settings;
use journal::exit::Exit;
use plan::kept;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci shell n8n                                  a shell in the kept app\n",
    "  cc-ci shell gitea --service db -- psql -U gitea  a command in another of its services\n",
))]
pub(super) struct ShellArgs {
    /// Name of the recipe
    recipe: RecipeName,
    /// Service of the app
    #[arg(long, default_value = "app")]
    service: String,
    /// Command to run [default: a shell]
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci logs n8n                          what the kept app has said\n",
    "  cc-ci logs gitea --service db --follow  another of its services, and what it says from now on\n",
))]
pub(super) struct LogsArgs {
    /// Name of the recipe
    recipe: RecipeName,
    /// Service of the app
    #[arg(long, default_value = "app")]
    service: String,
    /// Go on with what is written from now on
    #[arg(short, long)]
    follow: bool,
}

pub(super) async fn shell(settings: &Settings, args: &ShellArgs) -> Result<Exit, Failure> {
    let swarm = Swarm::connect().await?;
    let stack = kept::find(&swarm, &settings.state_dir()?, &args.recipe).await?.started.stack;
    check_service(&swarm, &stack, &args.service).await?;
    let container = swarm.local_container(&stack, &args.service).await?.ok_or_else(|| {
        Failure::new(
            Kind::NotKept,
            format!("service {} has no container that runs on this node", args.service),
            format!("cc-ci logs {} --service {}", args.recipe, args.service),
        )
    })?;
    let mut docker = Command::new("docker");
    docker.args(["exec", "-i"]);
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        docker.arg("-t");
    }
    docker.arg(container);
    if args.command.is_empty() {
        docker.args(["sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi"]);
    } else {
        docker.args(&args.command);
    }
    Err(become_it(docker))
}

pub(super) async fn logs(settings: &Settings, args: &LogsArgs) -> Result<Exit, Failure> {
    let swarm = Swarm::connect().await?;
    let stack = kept::find(&swarm, &settings.state_dir()?, &args.recipe).await?.started.stack;
    check_service(&swarm, &stack, &args.service).await?;
    let mut docker = Command::new("docker");
    docker.args(["service", "logs", "--raw", "--timestamps"]);
    if args.follow {
        docker.arg("--follow");
    }
    docker.arg(stack.object(&args.service));
    Err(become_it(docker))
}

/// The service has to be one of the app's: its name reaches an argument list.
async fn check_service(swarm: &Swarm, stack: &StackName, service: &str) -> Result<(), Failure> {
    let labels = swarm.all_service_labels(stack).await?;
    if labels.contains_key(service) {
        return Ok(());
    }
    let names: Vec<&str> = labels.keys().map(String::as_str).collect();
    Err(Failure::new(
        Kind::NotKept,
        format!("the app has no service {service:?}"),
        format!("its services: {}", names.join(", ")),
    ))
}

/// Becomes the docker command, so that keys, signals and the exit code are its own.
fn become_it(mut docker: Command) -> Failure {
    let error = docker.exec();
    Failure::new(Kind::EngineUnreachable, format!("docker cannot be started: {error}"), "install docker's command line")
}
