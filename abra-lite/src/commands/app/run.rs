//! `app run`: a command in a service's container.

use std::io::IsTerminal as _;

use coopcloud::abra::Point;

use crate::app::App;
use crate::docker::{connect, container_by_prefix, container_of, exec, wants_terminal};
use crate::fatal::Done;
use crate::otherwise::otherwise;

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
    let service = app.stack.object(&args.service);
    let container = if otherwise(Point::RunGoesByPrefix)? {
        container_of(&docker, &service).await?
    } else {
        container_by_prefix(&docker, &app.stack, &service).await?
    };
    let mut terminal = !args.no_tty;
    if terminal && otherwise(Point::RunWantsTerminal)? {
        terminal = std::io::stdin().is_terminal();
    } else if terminal {
        wants_terminal()?;
    }
    exec(&docker, &container, args.command, Vec::new(), terminal).await
}
