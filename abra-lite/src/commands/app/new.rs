//! `app new`: copies `.env.sample` to the app's env file. Without `--chaos` it moves the recipe's
//! checkout to the chosen or the latest release, as the real one does.

use base::names::Domain;
use coopcloud::abra::Point;
use coopcloud::envfile::EnvFile;

use crate::app::server_dir;
use crate::fatal::{Done, fatal};
use crate::flags::Flags;
use crate::otherwise::otherwise;
use crate::recipe::Recipe;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    recipe: String,
    version: Option<String>,
    /// The server; only `default` is known here
    #[arg(short, long, default_value = "default")]
    server: String,
    /// The app's domain
    #[arg(short = 'D', long)]
    domain: Option<Domain>,
    /// Generate its secrets too
    #[arg(short = 'S', long)]
    secrets: bool,
}

pub(crate) async fn run(args: Args, flags: Flags) -> Done {
    let recipe = Recipe::open(&args.recipe)?;
    let Some(domain) = args.domain else { return fatal("no domain given: --domain") };
    if args.server != "default" || !server_dir()?.is_dir() {
        return fatal(format!("server {} doesn't exist; run `server add --local`", args.server));
    }
    if flags.chaos && args.version.is_some() && !otherwise(Point::NewTakesNoVersionInChaos)? {
        return fatal("cannot use [version] and --chaos together");
    }
    let version = if flags.chaos {
        recipe.chaos_version()?
    } else {
        let version = match args.version {
            Some(version) => version,
            None => match recipe.releases()?.pop() {
                Some((version, _)) => version,
                None => recipe.git(&["rev-parse", "HEAD"])?.trim().to_owned(),
            },
        };
        recipe.check_out(&version)?;
        version
    };
    let file = server_dir()?.join(format!("{domain}.env"));
    if file.exists() {
        return fatal(format!("{} already exists?", file.display()));
    }
    let mut env: EnvFile = recipe.sample()?;
    env.set("TYPE", &format!("{}:{version}", recipe.name));
    env.set("DOMAIN", domain.as_str());
    std::fs::write(&file, env.to_string())?;
    if args.secrets {
        let command = crate::commands::secret::Command::Generate {
            domain: domain.to_string(),
            name: None,
            version: None,
            all: true,
            machine: false,
        };
        crate::commands::secret::run(command, flags).await?;
    }
    eprintln!("INFO {domain} created (version: {version})");
    Ok(())
}
