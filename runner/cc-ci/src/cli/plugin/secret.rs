//! A secret of the pipeline comes as a variable, which every program that a run starts would have, and which stands in
//! `/proc` for all that runs as the same user. So the plugin begins again in the same process, with the token in a
//! pipe in its place.
//!
//! The first process of a container has to be an init, which ends the browser's orphans. It would have the
//! secret as well, so it comes after the plugin has put that away: the plugin begins again below it.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base::failure::{Failure, Kind};
use forge::drone::{holds_secret, name_in};
use forge::token::LONGEST;

use super::table::TOKEN;

/// The variable of `report-token-file`.
const FILE: &str = "PLUGIN_REPORT_TOKEN_FILE";
/// The init of the image.
const INIT: &str = "/usr/bin/tini";

/// The variables that no program of a run may have, in every form of their names.
pub(super) fn secrets(variables: impl IntoIterator<Item = String>) -> Vec<String> {
    let is_secret = |name: &String| holds_secret(name) || name_in(name).as_deref() == Some(TOKEN.name);
    variables.into_iter().filter(is_secret).collect()
}

/// Whether this is the first process of a container that has an init for it.
pub(super) fn wants_init() -> bool {
    std::process::id() == 1 && Path::new(INIT).exists()
}

/// Begins again without the secrets; it comes back only where that fails.
pub(super) fn hand_over(token: Option<&str>, has_file: bool, secrets: &[String]) -> Failure {
    let wrong = |what: &str| Failure::new(Kind::Usage, what, "cc-ci plugin --help, which lists every setting");
    if token.is_some() && has_file {
        return wrong("the settings report-token and report-token-file cannot be used together");
    }
    // A pipe takes as much as that without a reader.
    if token.is_some_and(|token| token.len() > LONGEST) {
        return wrong("the setting report-token does not hold a token");
    }
    match again(token, secrets) {
        Ok(failed) | Err(failed) => {
            Failure::new(Kind::Bug, format!("the plugin cannot begin again without its secret: {failed}"), "the image")
        }
    }
}

fn again(token: Option<&str>, secrets: &[String]) -> io::Result<io::Error> {
    let own = std::env::current_exe()?;
    let mut plugin = if wants_init() {
        let mut init = Command::new(INIT);
        init.arg("--").arg(own);
        init
    } else {
        Command::new(own)
    };
    plugin.arg("plugin");
    for name in secrets {
        plugin.env_remove(name);
    }
    if let Some(token) = token {
        let (read, mut write) = io::pipe()?;
        write.write_all(token.as_bytes())?;
        plugin.env(FILE, "/dev/stdin").stdin(Stdio::from(read));
    }
    Ok(plugin.exec())
}
