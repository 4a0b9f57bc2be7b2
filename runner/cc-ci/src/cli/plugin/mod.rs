//! `cc-ci plugin`: one run as a step of Drone or Woodpecker. Its settings come as `PLUGIN_*`, what the build is about
//! as `DRONE_*` or `CI_*`; it ends with the exit code of `cc-ci run`.

mod arguments;
mod secret;
mod table;

use host::{note, say};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base::failure::{Failure, Kind};
use forge::drone::{BuildFacts, Card, Event, Setting, Value, facts, help, read_settings, variable};
use url::Url;

use self::arguments::{Given, parsed, words};
use self::table::{ARTIFACTS, DEPLOYMENTS, LEFT_OUT, PUBLIC_URL, TABLE, TEMPLATE, TOKEN};
use super::run;
use crate::table::Table;
use journal::event::Record;
use journal::exit::Exit;
use journal::fold::fold;
use report::card;
use report::files;

/// Where the reports of a run go, below the workspace, where no setting says otherwise.
const FOLDER: &str = "cc-ci";

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: &Args) -> Result<Exit, Failure> {
    let wrong = |what: String| Failure::new(Kind::Usage, what, "cc-ci plugin --help, which lists every setting");
    if std::env::args_os().len() > 2 {
        return Err(wrong("cc-ci plugin takes no options: they would be mixed with a pipeline's settings".to_owned()));
    }
    // A name or a value that is no text is not one that a pipeline gave.
    let environment = || std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let given = read_settings(&TABLE, environment()).map_err(|error| wrong(error.to_string()))?;
    let secrets = secret::secrets(environment().map(|(name, _)| name));
    if !secrets.is_empty() || secret::wants_init() {
        let has_file = given.contains_key("report-token-file");
        return Err(secret::hand_over(text(given.get(TOKEN.name)), has_file, &secrets));
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let facts = facts(variable).map_err(|error| wrong(error.to_string()))?;
    if let Some(why) = nothing_to_test(facts.as_ref()) {
        say!("nothing to test: {why}");
        return Ok(Exit::Passed);
    }
    refuse_deployment(facts.as_ref(), &given).map_err(wrong)?;
    let (settings, args) =
        words(&given, facts.as_ref()).and_then(|words| parsed(&words)).map_err(|error| wrong(error.to_string()))?;
    let template = template(&given, variable("CCCI_PUBLIC_URL")).map_err(wrong)?;
    let workspace = facts.as_ref().and_then(|facts| facts.workspace.clone()).unwrap_or_else(|| PathBuf::from("."));
    let folder = artifacts(&workspace, given.get(ARTIFACTS)).map_err(wrong)?;
    if args.has_idle_token() {
        note!(
            "cc-ci: there is a token to report with, but no address (report-to, CCCI_REPORT_TO): nothing is reported"
        );
    }
    let ended = run::ended(&settings, args).await?;
    if !ended.records.is_empty() {
        keep(&folder, &ended.records);
        let card = facts.as_ref().and_then(|facts| facts.card.as_deref());
        if let (Some(path), Some(template)) = (card, template) {
            show(path, template, &ended.records);
        }
    }
    Ok(ended.exit)
}

fn text(value: Option<&Value>) -> Option<&str> {
    match value {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// Why a build is no reason to test anything. It ends green: a closed pull request is no failure.
fn nothing_to_test(facts: Option<&BuildFacts>) -> Option<&'static str> {
    let is_closed = facts.is_some_and(|facts| facts.event == Event::PullRequestClosed);
    is_closed.then_some("the pull request was closed or merged")
}

/// A promotion or a rollback names an old build, and its pipeline is about a deployment: it tests only where that was asked for.
fn refuse_deployment(facts: Option<&BuildFacts>, given: &Given) -> Result<(), String> {
    let is_wanted = given.get(DEPLOYMENTS) == Some(&Value::Flag(true));
    match facts {
        Some(facts) if facts.event == Event::Deployment && !is_wanted => Err(format!(
            "this build is a promotion, a rollback or a deployment, which tests nothing unless {DEPLOYMENTS} is true: \
             set it, or leave the event out of the pipeline's trigger (Drone) or when (Woodpecker)"
        )),
        _ => Ok(()),
    }
}

/// Where browsers find the card's template; none where no server of cc-ci's is known, whose answer they may read on a page of
/// Drone's.
fn template(given: &Given, public_url: Option<String>) -> Result<Option<Url>, String> {
    let address = |name: &str, text: &str| -> Result<Url, String> {
        let url: Url = text.parse().map_err(|_| format!("{name} is no address"))?;
        if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(format!("{name} is no http(s) address")) }
    };
    if let Some(template) = text(given.get(TEMPLATE)) {
        return address(TEMPLATE, template).map(Some);
    }
    let pages = match (text(given.get(PUBLIC_URL)), &public_url) {
        (Some(pages), _) => address(PUBLIC_URL, pages)?,
        (None, Some(pages)) => address("CCCI_PUBLIC_URL", pages)?,
        (None, None) => return Ok(None),
    };
    Ok(Some(card::template_at(pages)))
}

/// The folder of the artifacts; it stays below the workspace.
fn artifacts(workspace: &Path, value: Option<&Value>) -> Result<PathBuf, String> {
    let below = Path::new(text(value).unwrap_or(FOLDER));
    let plain = |part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir);
    if below.components().all(plain) {
        Ok(workspace.join(below))
    } else {
        Err(format!("{ARTIFACTS} must be a folder below the workspace"))
    }
}

/// Copies what was redacted, without the pictures, which nobody can redact. What cannot be written changes no
/// verdict.
fn keep(folder: &Path, records: &[Record]) {
    if let Err(error) = std::fs::create_dir_all(folder) {
        note!("cc-ci: {}: {error}; the artifacts are not copied", folder.display());
        return;
    }
    for written in files::copy_all(folder, records) {
        match written.error {
            None => say!("  copied:  {}", written.path.display()),
            Some(error) => note!("cc-ci: {}: {error}", written.path.display()),
        }
    }
}

fn show(path: &Path, template: Url, records: &[Record]) {
    let Ok(view) = fold(records) else { return };
    let card = Card { schema: template, data: card::data(&view) };
    if let Err(error) = card.write(path) {
        note!("cc-ci: the card cannot be written to {}: {error}", path.display());
    }
}

/// The settings for the end of `cc-ci plugin --help`.
pub(super) fn settings_help() -> String {
    let mut text = String::from(
        "Settings of a pipeline's step, and the variables that they come in. What a build of Drone or Woodpecker is\n\
         about (DRONE_*, CI_*) is used where nothing else is set: recipe, pull request, commit, workspace.\n\
         The options above are not taken as options: they are settings.\n\n",
    );
    text.push_str(&help(&TABLE));
    for (name, why) in LEFT_OUT {
        let _ = writeln!(text, "\nNot a setting: {name} ({why})");
    }
    text.push_str("\nExamples:\n  cc-ci plugin  a step's entry point; docs/drone.md has whole pipelines\n");
    text
}

/// The same for the docs.
pub(crate) fn settings_table() -> Table {
    let row = |setting: &Setting| {
        let code = |text: &str| format!("`{text}`");
        vec![code(setting.name), code(&variable(setting)), setting.takes.to_string(), setting.help.to_owned()]
    };
    Table {
        title: "Settings of the plugin",
        intro: "`settings:` of a step in Drone or Woodpecker, which `cc-ci plugin` reads; [drone.md](drone.md) \
                has pipelines. A setting may be written with `-`, `_` or `.`, in capital or small letters: `run_id` and `run-id` are one. \
                Each is an option of `cc-ci run` or one of the settings above, but for the last five.",
        columns: &["setting", "variable", "takes", "meaning"],
        rows: TABLE.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests;
