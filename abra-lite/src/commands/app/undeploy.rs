//! `app undeploy`: removes services and networks; returns before every container is gone.

use crate::app::App;
use crate::docker::{connect, services};
use crate::fatal::{Done, fatal};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    domain: String,
    /// Remove unused images too
    #[arg(short, long)]
    prune: bool,
}

pub(crate) async fn run(args: Args) -> Done {
    let app = App::open(&args.domain)?;
    let (_, docker) = connect().await?;
    if services(&docker, &app.stack).await?.is_empty() {
        return fatal(format!("{} is not deployed", app.domain));
    }
    let output = duct::cmd!("docker", "stack", "rm", app.stack.as_str())
        .stdin_null()
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return fatal(format!("undeploy failed: {}", text.trim()));
    }
    if args.prune {
        eprintln!("WARN abra-lite prunes nothing");
    }
    eprintln!("INFO {} undeployed", app.domain);
    Ok(())
}
