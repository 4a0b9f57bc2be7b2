//! The docker command line, for the few commands that are better than its API.

use base::failure::{Failure, Kind};

/// Runs `docker` and returns its trimmed output. `doing` completes "cannot …".
pub(super) async fn docker(args: &[&str], doing: &str) -> Result<String, Failure> {
    let output = tokio::process::Command::new("docker").args(args).stdin(std::process::Stdio::null()).output().await;
    let failed = |why: &str| {
        Failure::new(
            Kind::WorldIncomplete,
            format!("cannot {doing}: {why}"),
            format!("try by hand: docker {}", args.join(" ")),
        )
    };
    let output = output.map_err(|error| failed(&format!("docker cannot be started: {error}")))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(failed(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("docker printed nothing")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
