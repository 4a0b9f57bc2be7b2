//! `settings:` of a step, which come as `PLUGIN_*`. Which there are is a table of the caller's; a name that is
//! not in it is an error, so that a mistyped one is not ignored. Pure.
//!
//! Drone's docker runner makes a variable of a setting by upper case alone, so that `run-id` comes as `PLUGIN_RUN-ID`
//! (read in its `engine/compiler/step.go`, and seen); Woodpecker puts `_` for `-` and `.` too. So a setting is known in
//! every form: `-`, `_` and `.` are the same letter, and so are capital and small letters.

use std::collections::BTreeMap;
use std::fmt;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as on the command line: lower case with hyphens.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// One line of help.
    pub help: &'static str,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
    /// Any text of one line.
    Text,
    /// A list of YAML, or texts with commas between.
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
    /// Of [`Takes::Flag`].
    Flag(bool),
    /// Of [`Takes::Number`].
    Number(u64),
    /// Of [`Takes::Text`].
    Text(String),
    /// Of [`Takes::List`].
    List(Vec<String>),
}

/// A setting that is not right. Values are not shown: they may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is none of this name.
    #[error("there is no setting {name:?}{}", .meant.map(|meant| format!(": did you mean {meant}?")).unwrap_or_default())]
    Unknown {
        /// The name as it was written, cut at 60 characters.
        name: String,
        /// What was probably meant.
        meant: Option<&'static str>,
    },
    /// It is there in two forms with two values.
    #[error("{one} and {other} are the same setting, {name}, with different values: keep one of them")]
    Twice {
        /// The setting.
        name: &'static str,
        /// The first variable.
        one: String,
        /// The second one.
        other: String,
    },
    /// Its value is of another kind.
    #[error("the setting {name} takes {takes}")]
    Unfit {
        /// The setting.
        name: &'static str,
        /// What it takes.
        takes: &'static str,
    },
}

const PREFIX: &str = "PLUGIN_";

/// The variable that a setting comes in: `PLUGIN_ONLY` for `only`.
pub fn variable(setting: &Setting) -> String {
    format!("{PREFIX}{}", setting.name.replace('-', "_").to_ascii_uppercase())
}

/// The name of the setting that a variable belongs to, as on the command line, for every form of both; none for a variable of
/// something else.
pub fn name_in(variable: &str) -> Option<String> {
    let (prefix, name) = variable.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then(|| name.to_lowercase().replace(['_', '.'], "-"))
}

/// Reads the settings of an environment. An empty value is the same as none.
///
/// # Errors
/// The first setting, in the order of their variables, that is not right.
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

/// A list of the settings for a person.
pub fn help(table: &[Setting]) -> String {
    let line = |setting: &Setting| {
        let (name, variable) = (setting.name, variable(setting));
        format!("  {name:<18} {variable:<26} {} ({})\n", setting.help, takes(setting.takes))
    };
    table.iter().map(line).collect()
}
