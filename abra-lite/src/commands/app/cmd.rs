//! `app cmd`: a function of the recipe's `abra.sh`, here or inside a container.

use std::collections::BTreeMap;

use crate::app::App;
use crate::docker::{connect, container_of, exec};
use crate::fatal::{Done, fatal};
use crate::flags::Flags;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    domain: String,
    /// [service] function [arguments]; no service with --local
    #[arg(required = true, trailing_var_arg = true)]
    words: Vec<String>,
    /// Run it on this machine
    #[arg(short, long)]
    local: bool,
}

pub(crate) async fn run(args: Args, flags: Flags) -> Done {
    let app = App::open_with_recipe(&args.domain, flags)?;
    if args.local {
        return here(&app, &args.words);
    }
    match args.words.split_first() {
        Some((service, words)) if !words.is_empty() => in_service(&app, service, words, false).await,
        _ => fatal("missing arguments: give a service and a function"),
    }
}

/// The words that have a shell run a function of `abra.sh`, and its environment.
fn call(app: &App, words: &[String]) -> Done<(Vec<String>, BTreeMap<String, String>)> {
    let text = std::fs::read_to_string(app.recipe.dir.join("abra.sh"))?;
    let function = words.first().map(String::as_str).unwrap_or_default();
    if !text.contains(&format!("{function}()")) && !text.contains(&format!("function {function}")) {
        return fatal(format!("{}/abra.sh has no function {function}", app.recipe.name));
    }
    let mut env = app.env.vars();
    env.insert("APP_NAME".to_owned(), app.domain.to_string());
    env.insert("STACK_NAME".to_owned(), app.stack.to_string());
    let mut command = vec!["-c".to_owned(), format!("{text}\n\"$@\"\n"), "abra.sh".to_owned()];
    command.extend_from_slice(words);
    Ok((command, env))
}

fn here(app: &App, words: &[String]) -> Done {
    let (command, env) = call(app, words)?;
    let mut run = duct::cmd("bash", command).unchecked();
    for (key, value) in env {
        run = run.env(key, value);
    }
    let status = run.run()?.status;
    let function = words.first().map(String::as_str).unwrap_or_default();
    if status.success() { Ok(()) } else { fatal(format!("{function} ended with {status}")) }
}

/// Runs a function in the container of a service.
pub(crate) async fn in_service(app: &App, service: &str, words: &[String], terminal: bool) -> Done {
    let (mut command, env) = call(app, words)?;
    let (_, docker) = connect().await?;
    let container = container_of(&docker, &app.stack.object(service)).await?;
    command.insert(0, "/bin/sh".to_owned());
    let env = env.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    exec(&docker, &container, command, env, terminal).await
}
