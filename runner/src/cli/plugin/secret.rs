//! A secret of the pipeline comes as a variable, which every program that a run starts would have, and which stands in
//! `/proc` for whoever runs as the same user. So the plugin begins again in the same process, with the secret in a
//! pipe in its place.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use harness::failure::{Failure, Kind};
use trigger::drone::variable;
use trigger::token::LONGEST;

use super::table::TOKEN;

/// The variable of `report-token-file`.
const FILE: &str = "PLUGIN_REPORT_TOKEN_FILE";

/// Begins again; it comes back only where that fails.
pub(super) fn hand_over(token: &str, has_file: bool) -> Failure {
    let wrong = |what: &str| Failure::new(Kind::CheckBroken, what, "cc-ci plugin --help, which lists every setting");
    if has_file {
        return wrong("the settings report-token and report-token-file cannot be used together");
    }
    // A pipe takes as much as that without a reader.
    if token.len() > LONGEST {
        return wrong("the setting report-token does not hold a token");
    }
    match again(token) {
        Ok(failed) | Err(failed) => {
            Failure::new(Kind::Bug, format!("the plugin cannot begin again without its secret: {failed}"), "the image")
        }
    }
}

fn again(token: &str) -> io::Result<io::Error> {
    let (read, mut write) = io::pipe()?;
    write.write_all(token.as_bytes())?;
    drop(write);
    let mut plugin = Command::new(std::env::current_exe()?);
    plugin.arg("plugin").env_remove(variable(&TOKEN)).env(FILE, "/dev/stdin").stdin(read);
    Ok(plugin.exec())
}
