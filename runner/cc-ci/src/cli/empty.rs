//! A variable that is set and empty is one that is not set. Pipelines, unit files and compose files pass on what they do not have as
//! empty text, and clap would take that for a value.

use std::ffi::OsStr;

use clap::{Arg, Command};

/// The command line without the variables that are empty.
pub(super) fn without_empty(command: Command) -> Command {
    without(command, &|name| std::env::var_os(name).is_some_and(|value| value.is_empty()))
}

pub(super) fn without(command: Command, is_empty: &dyn Fn(&OsStr) -> bool) -> Command {
    let unset = |option: Arg| match option.get_env() {
        Some(name) if is_empty(name) => option.env(None::<&'static str>),
        _ => option,
    };
    command.mut_args(unset).mut_subcommands(|command| without(command, is_empty))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The variables of a command and of those below it.
    fn variables(command: &Command) -> Vec<String> {
        let own = command.get_arguments().filter_map(|option| Some(option.get_env()?.to_string_lossy().into_owned()));
        own.chain(command.get_subcommands().flat_map(variables)).collect()
    }

    #[test]
    fn an_empty_variable_is_none_at_every_command() {
        let whole = super::super::Cli::command();
        let all = variables(&whole);
        for name in ["MAX_TESTS", "CCCI_STATE", "CCCI_DRONE_URL", "CCCI_REPORT_TO"] {
            assert!(all.iter().any(|one| one == name), "{name} of {all:?}");
        }
        assert_eq!(variables(&without(whole.clone(), &|_| true)), Vec::<String>::new());
        assert_eq!(variables(&without(whole.clone(), &|_| false)), all);
        let some: Vec<String> = all.into_iter().filter(|name| name != "CCCI_REPORT_TOKEN_FILE").collect();
        assert_eq!(variables(&without(whole, &|name| name == "CCCI_REPORT_TOKEN_FILE")), some);
    }
}
