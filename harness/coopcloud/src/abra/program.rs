//! Finds the abra program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base::failure::{Failure, Kind};

/// The configured program, else `abra` on `PATH`, else `abra-lite` next to this program, else `abra-lite` on `PATH`.
///
/// # Errors
/// [`Kind::AbraUnusable`] if there is none.
pub fn find_program(asked: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = asked {
        // Calls run in other folders: a relative path must keep its meaning.
        return std::path::absolute(path).map_err(|error| none(&error.to_string()));
    }
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("abra-lite")));
    on_path("abra")
        .or(beside.filter(|path| path.is_file()))
        .or_else(|| on_path("abra-lite"))
        .ok_or_else(|| none("there is no abra on PATH and no abra-lite next to cc-ci"))
}

fn none(why: &str) -> Failure {
    Failure::new(Kind::AbraUnusable, why, "install abra, or build abra-lite, or set CCCI_ABRA to one of them")
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// The first line of `--version`, such as "abra-lite 0.1.0".
///
/// # Errors
/// [`Kind::AbraUnusable`] if the program cannot be started.
pub async fn version_of(program: &Path) -> Result<String, Failure> {
    let call =
        super::call::over_pipes(program, Path::new("/nonexistent"), &["--version"], Duration::from_secs(10)).await?;
    match (call.exit, call.output().lines().map(str::trim).find(|line| !line.is_empty())) {
        (Some(0), Some(line)) => Ok(line.to_owned()),
        (exit, _) => Err(Failure::new(
            Kind::AbraUnusable,
            format!("{} does not report its version (exit {exit:?}), so it is no abra", program.display()),
            "--abra (CCCI_ABRA), or abra on PATH",
        )),
    }
}
