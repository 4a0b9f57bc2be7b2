//! The settings and facts of a build, turned into the words of `cc-ci run`. Pure.

use std::collections::BTreeMap;

use base::names::RunId;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use forge::drone::{BuildFacts, Value, restarted_build, restarted_run_id};

use super::super::{Cli, Command, run};
use super::table::{is_own, name_of, options, stands_alone};
use host::settings::Settings;

pub(super) type Given = BTreeMap<&'static str, Value>;

/// Why a build's settings start no run. No error shows a value, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnfitSettings {
    /// Nothing says what is to be tested.
    #[error("no recipe is named, and this is no build of a repository: set recipe")]
    NoRecipe,
    /// A value that `cc-ci run` does not take.
    #[error("the setting {name} does not hold what it is for: {wanted}")]
    Value { name: String, wanted: String },
    /// Two settings that exclude each other.
    #[error("the settings {one} and {other} cannot be used together")]
    Together { one: String, other: String },
    /// One that others need.
    #[error("the setting {0} is missing, which another one needs")]
    Missing(String),
    /// Anything else.
    #[error("`cc-ci run` does not take these settings together ({0})")]
    Other(ErrorKind),
}

/// The words for `cc-ci run`. Where no setting says what is tested, it is the build's own repository at the build's
/// own commit.
pub(super) fn words(given: &Given, facts: Option<&BuildFacts>) -> Result<Vec<String>, UnfitSettings> {
    let has = |name: &str| given.contains_key(name);
    let own_name = facts.and_then(|facts| facts.repo.as_ref()).map(|repo| repo.name.as_str().to_owned());
    let recipe = match (given.get("recipe"), &own_name) {
        (Some(Value::Text(recipe)), _) | (None, Some(recipe)) => recipe.clone(),
        _ => return Err(UnfitSettings::NoRecipe),
    };
    let options = options();
    let mut words = vec!["cc-ci".to_owned(), "run".to_owned()];
    // A build that names its source or its revision is asked for something of its own choice. So is one of another
    // repository: the pipeline of cc-ci, which tests what a comment asked for.
    let says_what = ["source", "pr", "ref", "commit", "kept"].into_iter().any(has) || own_name != Some(recipe.clone());
    if let Some(facts) = facts.filter(|_| !says_what) {
        words.extend(facts.clone_url.iter().map(|url| format!("--source={url}")));
        match (facts.pull, &facts.commit) {
            (Some(number), commit) => {
                words.push(format!("--pr={number}"));
                words.extend(commit.iter().map(|commit| format!("--commit={commit}")));
            }
            (None, Some(commit)) => words.push(format!("--ref={commit}")),
            (None, None) => {}
        }
    }
    let mut given = given.clone();
    if let Some((first, restarted)) = restarted(&given, facts) {
        given.insert("run-id", Value::Text(restarted.to_string()));
        words.push(format!("--restart-of={first}"));
    }
    for (name, value) in given.iter().filter(|(name, _)| **name != "recipe" && !is_own(name)) {
        let alone = options.iter().any(|option| name_of(option) == *name && stands_alone(option));
        match value {
            Value::Flag(true) => words.push(format!("--{name}")),
            Value::Flag(false) => {}
            Value::Text(text) if alone && text == "true" => words.push(format!("--{name}")),
            Value::Text(text) if alone && text == "false" => {}
            Value::Text(text) => words.push(format!("--{name}={text}")),
            Value::Number(number) => words.push(format!("--{name}={number}")),
            Value::List(texts) => words.push(format!("--{name}={}", texts.join(","))),
        }
    }
    words.extend(["--".to_owned(), recipe]);
    Ok(words)
}

/// The run that both builds were started for, and the run of this one, where it is a restarted build. Without a run's id among
/// the settings each build makes one of its own. What is no id is told where the words are read.
fn restarted(given: &Given, facts: Option<&BuildFacts>) -> Option<(RunId, RunId)> {
    let Some(Value::Text(run)) = given.get("run-id") else { return None };
    let (run, build) = (run.parse::<RunId>().ok()?, restarted_build(facts?)?);
    let own = restarted_run_id(&run, build);
    Some((run, own))
}

/// What `cc-ci run` would do with these words.
pub(super) fn parsed(words: &[String]) -> Result<(Settings, run::Args), UnfitSettings> {
    let (cli, _) = Cli::read(words).map_err(|error| unfit(&error))?;
    match cli.command {
        Command::Run(args) => Ok((cli.settings, args)),
        _ => Err(UnfitSettings::Other(ErrorKind::InvalidSubcommand)),
    }
}

fn unfit(error: &clap::Error) -> UnfitSettings {
    let name = |kind| match error.get(kind) {
        Some(ContextValue::String(option)) => Some(plain(option)),
        Some(ContextValue::Strings(options)) => options.first().map(|option| plain(option)),
        _ => None,
    };
    match (error.kind(), name(ContextKind::InvalidArg)) {
        (ErrorKind::ArgumentConflict, Some(one)) => {
            let other = name(ContextKind::PriorArg).unwrap_or_else(|| "another one".to_owned());
            UnfitSettings::Together { one, other }
        }
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(name)) => {
            let options = options();
            let help = options.iter().find(|option| name_of(option) == name).and_then(|option| option.get_help());
            UnfitSettings::Value { wanted: help.map(ToString::to_string).unwrap_or_default(), name }
        }
        (ErrorKind::MissingRequiredArgument, Some(name)) => UnfitSettings::Missing(name),
        (kind, _) => UnfitSettings::Other(kind),
    }
}

/// `keep` for `--keep [<TIME>]`, and `recipe` for `<RECIPE>`.
fn plain(option: &str) -> String {
    let word = option.split([' ', '=', '[']).find(|word| !word.is_empty()).unwrap_or(option);
    word.trim_start_matches('-').trim_matches(['<', '>']).to_ascii_lowercase()
}
