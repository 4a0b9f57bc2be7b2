//! `settings:` of a step, which are passed as `PLUGIN_*`. The caller has the table of valid settings; an unknown name
//! is an error, so that a typo is not ignored. Pure.
//!
//! Drone's docker runner only uppercases a setting's name, so that `run-id` becomes `PLUGIN_RUN-ID` (read in its
//! `engine/compiler/step.go`, and seen); Woodpecker also replaces `-` and `.` by `_`. So a setting is recognized in
//! every form: `-`, `_` and `.` are equivalent, and case is ignored.

use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// As on the command line: lower case with hyphens.
    pub name: &'static str,
    pub takes: Takes,
    /// One line of help.
    pub help: &'static str,
}

/// The type of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
    /// Any text of one line.
    Text,
    /// A YAML list, or comma-separated texts.
    List,
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(takes(*self))
    }
}

/// A setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Flag(bool),
    Number(u64),
    Text(String),
    List(Vec<String>),
}

/// An invalid setting. Values are not shown: they may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// Unknown name.
    #[error("there is no setting {name:?}{}", .meant.map(|meant| format!(": did you mean {meant}?")).unwrap_or_default())]
    Unknown {
        /// The name as written, cut at 60 characters.
        name: String,
        /// The most similar valid name.
        meant: Option<&'static str>,
    },
    /// Present in two forms with two values.
    #[error("{one} and {other} are the same setting, {name}, with different values: keep one of them")]
    Twice {
        name: &'static str,
        /// The first variable.
        one: String,
        /// The second variable.
        other: String,
    },
    /// The value has the wrong type.
    #[error("the setting {name} takes {takes}")]
    Unfit {
        name: &'static str,
        /// The expected type.
        takes: &'static str,
    },
}

const PREFIX: &str = "PLUGIN_";

/// The variable of a setting: `PLUGIN_ONLY` for `only`.
pub fn variable(setting: &Setting) -> String {
    format!("{PREFIX}{}", setting.name.replace('-', "_").to_ascii_uppercase())
}

/// The name of a variable's setting as on the command line, for every form of both; `None` if it belongs to something
/// else.
pub fn name_in(variable: &str) -> Option<String> {
    let (prefix, name) = variable.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then(|| name.to_lowercase().replace(['_', '.'], "-"))
}

/// Reads the settings of an environment. An empty value counts as absent.
///
/// # Errors
/// The first invalid setting, in the order of their variables.
pub fn read(
    table: &[Setting],
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<BTreeMap<&'static str, Value>, SettingError> {
    let given: BTreeMap<String, String> = environment.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let mut read = BTreeMap::new();
    let mut from: BTreeMap<&'static str, (&str, &str)> = BTreeMap::new();
    for (variable, text) in &given {
        let Some(name) = name_in(variable) else { continue };
        let setting = table.iter().find(|setting| setting.name == name).ok_or_else(|| unknown(table, &name))?;
        match from.insert(setting.name, (variable, text)) {
            Some((one, earlier)) if earlier != text => {
                let (name, one, other) = (setting.name, one.to_owned(), variable.clone());
                return Err(SettingError::Twice { name, one, other });
            }
            _ => read.insert(setting.name, value(setting, text)?),
        };
    }
    Ok(read)
}

fn unknown(table: &[Setting], name: &str) -> SettingError {
    let name: String = name.chars().take(60).collect();
    let nearest = table.iter().map(|setting| (strsim::osa_distance(&name, setting.name), setting.name)).min();
    SettingError::Unknown { meant: nearest.filter(|(changes, _)| *changes <= 2).map(|(_, meant)| meant), name }
}

fn value(setting: &Setting, text: &str) -> Result<Value, SettingError> {
    let text = text.trim();
    let value = match setting.takes {
        Takes::Flag => text.parse().ok().map(Value::Flag),
        Takes::Number => text.parse().ok().map(Value::Number),
        Takes::Text => Some(text).filter(|text| !text.contains(['\n', '\0'])).map(|text| Value::Text(text.to_owned())),
        Takes::List => {
            let words: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
            Some(words).filter(|words| words.iter().all(|word| !word.is_empty())).map(Value::List)
        }
    };
    value.ok_or(SettingError::Unfit { name: setting.name, takes: takes(setting.takes) })
}

fn takes(takes: Takes) -> &'static str {
    match takes {
        Takes::Flag => "true or false",
        Takes::Number => "a whole number",
        Takes::Text => "one line of text",
        Takes::List => "a list, or texts with commas between",
    }
}

/// A list of the settings for people.
pub fn help(table: &[Setting]) -> String {
    let line = |setting: &Setting| {
        let (name, variable) = (setting.name, variable(setting));
        format!("  {name:<18} {variable:<26} {} ({})\n", setting.help, takes(setting.takes))
    };
    table.iter().map(line).collect()
}
