//! `app secret generate`, `insert`, `ls`, `rm`.

use bollard::Docker;
use bollard::models::SecretSpec as SwarmSecret;
use coopcloud::abra::Point;
use serde_json::json;

use crate::app::App;
use crate::docker::{connect, secret_names};
use crate::fatal::{Done, fatal};
use crate::flags::Flags;
use crate::otherwise::otherwise;
use crate::secret_value;
use crate::table::table;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make secrets that are not there yet, and print their values
    Generate {
        domain: String,
        name: Option<String>,
        version: Option<String>,
        /// All that the env file declares
        #[arg(short, long)]
        all: bool,
        /// Print JSON
        #[arg(short, long)]
        machine: bool,
    },
    /// Store a value
    Insert {
        domain: String,
        name: String,
        version: String,
        /// The value; with --file a file that holds it
        value: String,
        /// The value is a file's path
        #[arg(short, long)]
        file: bool,
        /// Leave out white space around the value
        #[arg(short, long)]
        trim: bool,
    },
    /// List secrets
    #[command(alias = "list")]
    Ls {
        domain: String,
        /// Print JSON
        #[arg(short, long)]
        machine: bool,
    },
    /// Remove secrets
    Rm {
        domain: String,
        name: Option<String>,
        /// All that the env file declares
        #[arg(short, long)]
        all: bool,
    },
}

pub(crate) async fn run(command: Command, flags: Flags) -> Done {
    let (_, docker) = connect().await?;
    match command {
        Command::Generate { domain, name, version, all, machine } => {
            let app = App::open_with_recipe(&domain, flags)?;
            if !all && name.is_none() {
                return fatal("missing arguments: give --all, or a name and a version");
            }
            generate(&docker, &app, name.as_deref(), version.as_deref(), machine).await
        }
        Command::Insert { domain, name, version, value, file, trim } => {
            let app = App::open_with_recipe(&domain, flags)?;
            let value = if file { std::fs::read_to_string(&value)? } else { value };
            let value = if trim { value.trim() } else { &value };
            create(&docker, &app.secret_name(&name, &version), value).await?;
            eprintln!("INFO {name} inserted");
            Ok(())
        }
        Command::Ls { domain, machine } => list(&docker, &App::open_with_recipe(&domain, flags)?, machine).await,
        Command::Rm { domain, name, all } => {
            remove(&docker, &App::open_with_recipe(&domain, flags)?, name.as_deref(), all).await
        }
    }
}

async fn generate(docker: &Docker, app: &App, name: Option<&str>, version: Option<&str>, machine: bool) -> Done {
    let there = secret_names(docker, &app.stack).await?;
    let mut rows = Vec::new();
    let mut known = false;
    for mut spec in app.secrets() {
        if name.is_some_and(|name| name != spec.name) {
            continue;
        }
        known = true;
        if let Some(version) = version {
            version.clone_into(&mut spec.version);
        }
        let full = app.secret_name(&spec.name, &spec.version);
        if there.contains(&full) {
            eprintln!("WARN {} already exists", spec.name);
            continue;
        }
        if !spec.generate {
            continue;
        }
        let value = secret_value::generate(&spec);
        create(docker, &full, &value).await?;
        rows.push((spec.name, value));
    }
    if let (false, Some(name)) = (known, name) {
        return fatal(format!("{name} doesn't exist in the env config"));
    }
    if rows.is_empty() && !otherwise(Point::GenerateNothingFails)? {
        return fatal("no secrets generated");
    }
    if machine {
        println!(
            "{}",
            json!(rows.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>())
        );
    } else {
        let rows: Vec<_> = rows.into_iter().map(|(name, value)| vec![name, value]).collect();
        print!("{}", table(&["name", "value"], &rows));
        eprintln!("WARN generated secrets are not shown again");
    }
    Ok(())
}

async fn create(docker: &Docker, name: &str, value: &str) -> Done {
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(value);
    let spec = SwarmSecret { name: Some(name.to_owned()), data: Some(data), ..SwarmSecret::default() };
    docker.create_secret(spec).await?;
    Ok(())
}

async fn list(docker: &Docker, app: &App, machine: bool) -> Done {
    let there = secret_names(docker, &app.stack).await?;
    let rows: Vec<Vec<String>> = app
        .secrets()
        .into_iter()
        .map(|spec| {
            let full = app.secret_name(&spec.name, &spec.version);
            let created = there.contains(&full).to_string();
            vec![spec.name, spec.version, full, created]
        })
        .collect();
    if machine {
        let object = |row: &Vec<String>| json!({ "name": row[0], "version": row[1], "generated-name": row[2], "created-on-server": row[3] });
        println!("{}", json!(rows.iter().map(object).collect::<Vec<_>>()));
    } else {
        print!("{}", table(&["name", "version", "generated name", "created on server"], &rows));
    }
    Ok(())
}

async fn remove(docker: &Docker, app: &App, name: Option<&str>, all: bool) -> Done {
    if !all && name.is_none() {
        return fatal("missing arguments: give a name, or --all");
    }
    let there = secret_names(docker, &app.stack).await?;
    let mut removed = 0;
    for spec in app.secrets().into_iter().filter(|spec| name.is_none_or(|name| name == spec.name)) {
        let full = app.secret_name(&spec.name, &spec.version);
        if there.contains(&full) {
            docker.delete_secret(&full).await?;
            eprintln!("INFO {} removed", spec.name);
            removed += 1;
        }
    }
    if removed == 0 { fatal("no secrets to remove") } else { Ok(()) }
}
