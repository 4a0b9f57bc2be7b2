use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use base::failure::{Failure, Kind};
use base::names::RunId;

use crate::context::StageRun;

/// Starts a process of its own that ends what a run keeps, when its time is over.
///
/// # Errors
/// When none can be started.
pub(crate) fn end_later(cx: &StageRun, run: &RunId) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Kind::Bug, format!("nothing can be started that ends the app later: {error}"), "please report it")
    };
    // What flags said to this process, that one must know too: a realm is removed over HTTPS.
    let base = cx.app.spec.domain.as_str().split_once('.').map_or("", |(_, base)| base);
    let address = cx.run.fixed_address.map(|address| ("CCCI_ADDRESS", address.to_string()));
    Command::new(std::env::current_exe().map_err(failed)?)
        .args(["reap", "--run", run.as_str(), "--when-due"])
        .env("CCCI_STATE", cx.app.dir.state())
        .env("CCCI_BASE_DOMAIN", base)
        .env("CCCI_HTTPS_PORT", cx.run.https_port.to_string())
        .envs(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Out of the terminal's group: Ctrl-C there ends other things.
        .process_group(0)
        .spawn()
        .map(drop)
        .map_err(failed)
}
