//! `cc-ci plugin`: one run as a step of Drone or Woodpecker. Its settings come as `PLUGIN_*`, what the build is about
//! as `DRONE_*` or `CI_*`; it ends with the exit code of `cc-ci run`.

mod arguments;
mod secret;
mod table;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use harness::failure::{Failure, Kind};
use trigger::drone::{Card, Setting, Value, facts, help, read_settings, variable};
use url::Url;

use self::arguments::{parsed, words};
use self::table::{ARTIFACTS, LEFT_OUT, TABLE, TEMPLATE, TOKEN};
use super::run;
use crate::event::Record;
use crate::exit::Exit;
use crate::reference::Table;
use crate::report::card;
use crate::report::files;
use crate::report::fold::fold;

/// Where the reports of a run go, below the workspace, where no setting says otherwise.
const FOLDER: &str = "cc-ci";

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: &Args) -> Result<Exit, Failure> {
    let wrong = |what: String| Failure::new(Kind::CheckBroken, what, "cc-ci plugin --help, which lists every setting");
    if std::env::args_os().len() > 2 {
        return Err(wrong("cc-ci plugin takes no options: they would be mixed with a pipeline's settings".to_owned()));
    }
    // A name or a value that is no text is not one that a pipeline gave.
    let environment = || std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let given = read_settings(&TABLE, environment()).map_err(|error| wrong(error.to_string()))?;
    if let Some(token) = text(given.get(TOKEN.name)) {
        return Err(secret::hand_over(token, given.contains_key("report-token-file")));
    }
    let facts = facts(|name| std::env::var(name).ok()).map_err(|error| wrong(error.to_string()))?;
    let (settings, args) =
        words(&given, facts.as_ref()).and_then(|words| parsed(&words)).map_err(|error| wrong(error.to_string()))?;
    let template = template(given.get(TEMPLATE)).map_err(wrong)?;
    let workspace = facts.as_ref().and_then(|facts| facts.workspace.clone()).unwrap_or_else(|| PathBuf::from("."));
    let folder = artifacts(&workspace, given.get(ARTIFACTS)).map_err(wrong)?;
    let ended = run::ended(&settings, args).await?;
    if !ended.records.is_empty() {
        keep(&folder, &ended.records);
        if let Some(path) = facts.as_ref().and_then(|facts| facts.card.as_deref()) {
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

fn template(value: Option<&Value>) -> Result<Url, String> {
    let url: Url = text(value).unwrap_or(card::TEMPLATE).parse().map_err(|_| format!("{TEMPLATE} is no address"))?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(format!("{TEMPLATE} is no http(s) address")) }
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
        intro: "`settings:` of a step in Drone or Woodpecker, which `cc-ci plugin` reads; [operate.md](operate.md#drone) \
                has a pipeline. Each is an option of `cc-ci run` or one of the settings above, but for the last three.",
        columns: &["setting", "variable", "takes", "meaning"],
        rows: TABLE.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests;
