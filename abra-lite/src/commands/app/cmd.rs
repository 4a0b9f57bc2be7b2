//! `app cmd`: a function of the recipe's `abra.sh`, here or inside a container.

use crate::app::App;
use crate::docker::{connect, container_of, exec};
use crate::fatal::{Done, fatal};

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

pub(crate) async fn run(args: Args) -> Done {
    let app = App::open(&args.domain)?;
    let text = std::fs::read_to_string(app.recipe.dir.join("abra.sh"))?;
    let script = format!("{text}\n\"$@\"\n");
    let (service, words) = if args.local {
        (None, args.words.as_slice())
    } else {
        match args.words.split_first() {
            Some((service, words)) if !words.is_empty() => (Some(service), words),
            _ => return fatal("missing arguments: give a service and a function"),
        }
    };
    let function = words.first().map(String::as_str).unwrap_or_default();
    if !text.contains(&format!("{function}()")) && !text.contains(&format!("function {function}")) {
        return fatal(format!("{}/abra.sh has no function {function}", app.recipe.name));
    }
    let mut env = app.env.vars();
    env.insert("APP_NAME".to_owned(), app.domain.to_string());
    env.insert("STACK_NAME".to_owned(), app.stack.to_string());
    let mut command: Vec<String> = vec!["-c".to_owned(), script, "abra.sh".to_owned()];
    command.extend_from_slice(words);
    match service {
        None => {
            let mut run = duct::cmd("bash", command).unchecked();
            for (key, value) in env {
                run = run.env(key, value);
            }
            let status = run.run()?.status;
            if status.success() { Ok(()) } else { fatal(format!("{function} ended with {status}")) }
        }
        Some(service) => {
            let (_, docker) = connect().await?;
            let container = container_of(&docker, &app.stack.object(service)).await?;
            command.insert(0, "/bin/sh".to_owned());
            let env = env.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
            exec(&docker, &container, command, env, false).await
        }
    }
}
