//! A recipe's compose files as docker's own loader for stacks sees them, before anything is deployed: the client is asked
//! for the configuration of the stack (`docker stack config`, seen with 28.2), which holds the files to the schema of their
//! version and reaches no engine.
//!
//! The real abra links the same loader and holds the files to the schema *before* it fills variables in: a duration by a
//! variable was seen to be refused there (high certainty); that a number would be too is not known, so only that stops a run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use coopcloud::variables::{HANDED_ON, is_reserved};

/// What the loader says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded {
    /// It takes the files.
    Taken,
    /// It refuses them, with these words.
    Refused(String),
    /// It cannot be asked here: why.
    NotAsked(String),
}

/// Whether variables are filled in first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variables {
    /// As docker does it.
    FilledIn,
    /// As abra does it.
    AsWritten,
}

/// Asks for the configuration that these files make, all below `dir`.
pub fn load(dir: &Path, files: &[String], vars: &BTreeMap<String, String>, variables: Variables) -> Loaded {
    let mut args: Vec<OsString> = vec!["stack".into(), "config".into()];
    if variables == Variables::AsWritten {
        args.push("--skip-interpolation".into());
    }
    for file in files {
        args.extend([OsString::from("--compose-file"), file.into()]);
    }
    let machine = HANDED_ON.into_iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
    let settings = vars.iter().filter(|(name, _)| !is_reserved(name)).map(|(name, value)| (name.into(), value.into()));
    let ended = duct::cmd("docker", args)
        .dir(dir)
        .full_env(machine.chain(settings))
        .stdin_null()
        .stdout_null()
        .stderr_capture()
        .unchecked()
        .run();
    match ended {
        Err(error) => Loaded::NotAsked(format!("docker's client cannot be started: {error}")),
        Ok(output) if output.status.success() => Loaded::Taken,
        Ok(output) => said(&String::from_utf8_lossy(&output.stderr)),
    }
}

/// What the loader's words mean.
fn said(stderr: &str) -> Loaded {
    let is_told = |line: &&str| !line.is_empty() && !line.starts_with("time=") && !line.contains("variable is not set");
    let words: Vec<&str> = stderr.lines().map(str::trim).filter(is_told).collect();
    let text = words.join(" ");
    // A client older than the command shows its usage.
    let unknown = ["unknown docker command", "unknown flag", "Usage:", "is not a docker command"];
    if unknown.iter().any(|words| text.contains(words)) || text.is_empty() {
        return Loaded::NotAsked("this docker client has no `stack config`".to_owned());
    }
    Loaded::Refused(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_loader_says_is_told_apart_from_a_client_that_has_none() {
        let words = "services.app.depends_on must be a list\n";
        assert_eq!(said(words), Loaded::Refused("services.app.depends_on must be a list".to_owned()));
        assert!(matches!(said("docker: 'stack config' is not a docker command.\n"), Loaded::NotAsked(_)));
        assert!(matches!(said("unknown flag: --skip-interpolation\n\nUsage:  docker stack"), Loaded::NotAsked(_)));
    }

    #[test]
    fn a_real_client_holds_files_to_the_schema_of_their_version() {
        let dir = tempfile::tempdir().unwrap();
        let load = |text: &str, variables| {
            std::fs::write(dir.path().join("compose.yml"), text).unwrap();
            load(dir.path(), &["compose.yml".to_owned()], &BTreeMap::new(), variables)
        };
        let file = |more: &str| format!("version: '3.8'\nservices:\n  app:\n    image: a:1\n{more}");
        assert_eq!(load(&file("    depends_on: [nobody]\n"), Variables::FilledIn), Loaded::Taken);
        let refused = |text: &str, variables| match load(text, variables) {
            Loaded::Refused(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(refused(&file("    depends_on: {a: {}}\n"), Variables::FilledIn).contains("depends_on"));
        let duration = file("    healthcheck: {test: [CMD, x], start_period: '${P:-2s}'}\n");
        assert_eq!(load(&duration, Variables::FilledIn), Loaded::Taken);
        assert!(refused(&duration, Variables::AsWritten).contains("duration"));
    }
}
