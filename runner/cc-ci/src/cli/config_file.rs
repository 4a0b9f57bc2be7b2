//! `cc-ci.toml`: settings below flags and variables. The working directory is not searched: in a pipeline it is a
//! stranger's repository, and settings name programs that are started.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use serde::Serialize;

use journal::plain_file;
use recipe_folder::recipe_toml::shown::nearest;

/// The flag and the variable that name the file.
const FLAG: &str = "--config-file";
const VARIABLE: &str = "CCCI_CONFIG_FILE";
/// Below the user's and the system's folder for settings.
const NAME: &str = "cc-ci/cc-ci.toml";
const MOST_BYTES: u64 = 256 * 1024;
/// Commands that take most settings, with what each needs to be parsed. What belongs together is checked with these.
const WHOLE: [(&str, &[&str]); 2] = [("serve", &[]), ("run", &["custom-html"])];

/// A file that was read, and found to be right.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

/// A setting as the command has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Effective {
    /// The key in the file; the flag is the same with two dashes.
    pub(super) key: String,
    /// What it is; none where it has no value.
    pub(super) value: Option<String>,
    /// `--flag`, a variable, the file's path, or `default`.
    pub(super) origin: String,
}

impl ConfigFile {
    /// The file of a command line: the one that is named, else the user's, else the system's.
    pub(super) fn find(words: &[OsString], variable: &dyn Fn(&str) -> Option<OsString>) -> Option<(PathBuf, bool)> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let Some(named) = named(words).or_else(|| variable(VARIABLE)) {
            return Some((named.into(), true));
        }
        let home = || variable("HOME").map(|home| PathBuf::from(home).join(".config"));
        let user = variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
        let folders = user.into_iter().chain([PathBuf::from("/etc")]);
        folders.map(|folder| folder.join(NAME)).find(|path| path.exists()).map(|path| (path, false))
    }

    /// Reads a file against the command line that it adds to.
    ///
    /// # Errors
    /// It cannot be read, or says what no flag would take.
    pub(super) fn read(path: &Path, command: &Command) -> Result<Self, String> {
        let at = |why: String| format!("{}: {why}", path.display());
        // An operator may have it as a link.
        let real = path.canonicalize().map_err(|error| at(error.to_string()))?;
        let bytes = plain_file::read(&real, MOST_BYTES)
            .map_err(|error| at(error.to_string()))?
            .ok_or_else(|| at("this is no plain file of at most 256 KiB".to_owned()))?;
        let text = String::from_utf8(bytes).map_err(|_| at("this is no UTF-8 text".to_owned()))?;
        let values = values(&text, command).map_err(at)?;
        Ok(Self { path: path.to_owned(), values })
    }

    /// The command line with the file's values in the place of defaults.
    pub(super) fn below(&self, command: Command) -> Command {
        let set = |option: Arg| match option.get_long().and_then(|long| self.values.get(long)) {
            // clap keeps defaults as long as the program; there are few, and this happens once.
            Some(value) if is_setting(&option) => option.default_value(&*value.clone().leak()),
            _ => option,
        };
        command.mut_args(set).mut_subcommands(|command| self.below(command))
    }

    /// What a command has of each of its settings, and from where.
    pub(super) fn effective(&self, command: &Command, matches: &ArgMatches) -> Vec<Effective> {
        let Some((name, given)) = matches.subcommand() else { return Vec::new() };
        let own = command.find_subcommand(name).into_iter().flat_map(Command::get_arguments);
        let mut told = BTreeSet::new();
        let mut all = Vec::new();
        for option in command.get_arguments().chain(own).filter(|option| is_setting(option)) {
            let Some(key) = option.get_long().filter(|key| told.insert((*key).to_owned())) else { continue };
            let id = option.get_id().as_str();
            let value =
                given.try_get_raw(id).ok().flatten().map(|mut values| {
                    values.next().map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
                });
            let origin = match given.value_source(id) {
                Some(ValueSource::CommandLine) => format!("--{key}"),
                Some(ValueSource::EnvVariable) => variable_of(option),
                _ if self.values.contains_key(key) => self.path.display().to_string(),
                _ => "default".to_owned(),
            };
            all.push(Effective { key: key.to_owned(), value, origin });
        }
        all
    }
}

/// The value of the flag among words that are not parsed yet.
fn named(words: &[OsString]) -> Option<OsString> {
    let words = words.iter().take_while(|word| *word != "--");
    let mut after = words.clone().skip(1);
    for word in words {
        let next = after.next();
        if word == FLAG {
            return next.cloned();
        }
        let value = word.to_str().and_then(|word| word.strip_prefix(FLAG)?.strip_prefix('='));
        if value.is_some() {
            return value.map(Into::into);
        }
    }
    None
}

/// Whether an option is a setting: it has a variable of cc-ci's. The file itself is none.
fn is_setting(option: &Arg) -> bool {
    let is_ours = |name: &OsStr| name == "MAX_TESTS" || name.to_string_lossy().starts_with("CCCI_");
    option.get_env().is_some_and(|name| is_ours(name) && name != VARIABLE)
}

fn variable_of(option: &Arg) -> String {
    option.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The keys of a command and of those below it, each with a command that has it.
fn keys(command: &Command) -> BTreeMap<String, String> {
    let of = |command: &Command, name: &str| -> Vec<(String, String)> {
        let settings = command.get_arguments().filter(|option| is_setting(option));
        settings.filter_map(|option| Some((option.get_long()?.to_owned(), name.to_owned()))).collect()
    };
    let (whole, _) = WHOLE[0];
    let mut all: BTreeMap<_, _> = of(command, whole).into_iter().collect();
    for below in command.get_subcommands() {
        for (key, name) in of(below, below.get_name()) {
            all.entry(key).or_insert(name);
        }
    }
    all
}

fn values(text: &str, command: &Command) -> Result<BTreeMap<String, String>, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    let known = keys(command);
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let Some(taken_by) = known.get(&key) else {
            let help = nearest(&key, known.keys().map(String::as_str));
            return Err(format!("there is no setting {key:?}{help}; each key is a flag without its dashes"));
        };
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(truth) => truth.to_string(),
            other => return Err(format!("{key} is {}, and has to be text, a number or true", other.type_str())),
        };
        // What else the command needs is not the file's matter.
        let alone = parsed(command, taken_by, &[], [(&key, &value)]);
        if let Some((kind, why)) = alone
            && kind != ErrorKind::MissingRequiredArgument
        {
            return Err(format!("{key}: {why}"));
        }
        values.insert(key, value);
    }
    for (name, needs) in WHOLE {
        let has = |key: &str| {
            let own = command.find_subcommand(name).into_iter().flat_map(Command::get_arguments);
            command.get_arguments().chain(own).any(|option| option.get_long() == Some(key) && is_setting(option))
        };
        if let Some((_, why)) = parsed(command, name, needs, values.iter().filter(|(key, _)| has(key))) {
            return Err(why);
        }
    }
    Ok(values)
}

/// Why a command does not take settings as flags, if it does not.
fn parsed<'a>(
    command: &Command,
    name: &str,
    needs: &[&str],
    values: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Option<(ErrorKind, String)> {
    let is_switch = |key: &str| {
        let options = command.get_subcommands().flat_map(Command::get_arguments);
        options
            .chain(command.get_arguments())
            .any(|option| option.get_long() == Some(key) && matches!(option.get_action(), clap::ArgAction::SetTrue))
    };
    let flags = values.into_iter().filter(|(key, _)| !is_switch(key)).map(|(key, value)| format!("--{key}={value}"));
    let words = ["cc-ci", name].into_iter().chain(needs.iter().copied()).map(str::to_owned).chain(flags);
    let error = super::empty::without_empty(command.clone()).try_get_matches_from(words).err()?;
    let said = error.to_string();
    let line = said.lines().take_while(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    Some((error.kind(), line.trim_start_matches("error: ").to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Cli;
    use super::*;

    fn file(text: &str) -> Result<BTreeMap<String, String>, String> {
        values(text, &Cli::command())
    }

    #[test]
    fn a_file_says_what_flags_say() {
        let text = "base-domain = 'ci.example.org'\nmax-tests = 3\nkeep-days = 7\nreport-pictures = true\n";
        let values = file(text).unwrap();
        assert_eq!(values.get("max-tests").map(String::as_str), Some("3"));
        assert_eq!(values.len(), 4);
    }

    #[test]
    fn what_no_flag_would_take_is_refused_with_its_key() {
        for (text, wanted) in [
            ("base-domian = 'x'", "did you mean \"base-domain\"?"),
            ("[serve]\nlisten = 1", "there is no setting \"serve\""),
            ("config-file = 'x'", "there is no setting"),
            ("max-tests = 0", "max-tests: invalid value '0'"),
            ("https-port = 'x'", "https-port: invalid value 'x'"),
            ("max-wait = '9 weeks'", "max-wait: "),
            ("abra = ['x']", "abra is array"),
            ("forge-url = 'https://git.example.org'", "--forge-owner"),
            ("max-tests = ", "line 1"),
        ] {
            let said = file(text).unwrap_err();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }

    #[test]
    fn a_flag_wins_over_the_file_and_every_setting_has_an_origin() {
        let config =
            ConfigFile { path: "/etc/x.toml".into(), values: file("http-port = 8080\nhttps-port = 8443").unwrap() };
        let mut command = config.below(Cli::command());
        let matches = command.try_get_matches_from_mut(["cc-ci", "doctor", "--http-port", "81"]).unwrap();
        let effective = config.effective(&command, &matches);
        let of = |key: &str| {
            let one = effective.iter().find(|one| one.key == key).unwrap();
            (one.value.clone().unwrap_or_default(), one.origin.clone())
        };
        assert_eq!(of("http-port"), ("81".to_owned(), "--http-port".to_owned()));
        assert_eq!(of("https-port"), ("8443".to_owned(), "/etc/x.toml".to_owned()));
        assert_eq!(of("images-unused"), ("7".to_owned(), "default".to_owned()));
    }

    #[test]
    fn the_working_directory_is_not_searched() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        let dir = tempfile::tempdir().unwrap();
        let none = |_: &str| None;
        let at = |line: &str| ConfigFile::find(&words(line), &none);
        assert_eq!(at("cc-ci --config-file a.toml run x"), Some(("a.toml".into(), true)));
        assert_eq!(at("cc-ci run x --config-file=b.toml"), Some(("b.toml".into(), true)));
        assert!(at("cc-ci shell x -- --config-file c.toml").is_none_or(|(_, named)| !named));
        let user = |name: &str| (name == "XDG_CONFIG_HOME").then(|| dir.path().as_os_str().to_owned());
        std::fs::create_dir(dir.path().join("cc-ci")).unwrap();
        let path = dir.path().join(NAME);
        std::fs::write(&path, "").unwrap();
        assert_eq!(ConfigFile::find(&words("cc-ci run x"), &user), Some((path, false)));
    }
}
