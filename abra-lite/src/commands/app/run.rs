//! `app run`: a command in a service's container.

use std::io::IsTerminal;

use crate::app::App;
use crate::docker::{connect, container_of, exec};
use crate::fatal::Done;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    domain: String,
    service: String,
    /// The command, after --
    #[arg(required = true, trailing_var_arg = true)]
    command: Vec<String>,
    /// Allocate no terminal
    #[arg(short = 't', long)]
    no_tty: bool,
}

pub(crate) async fn run(args: Args) -> Done {
    let app = App::open(&args.domain)?;
    let (_, docker) = connect().await?;
    let container = container_of(&docker, &app.stack.object(&args.service)).await?;
    let terminal = !args.no_tty && std::io::stdout().is_terminal();
    exec(&docker, &container, args.command, Vec::new(), terminal).await
}
