//! What one would write without cc-ci: a shell script that deploys, sleeps a second, looks again.

use std::path::Path;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use tokio::process::Command;

use super::floor::Trees;

/// Runs the plain script on the same trees, and gives its time.
///
/// # Errors
/// When the script fails.
pub async fn plain(script: &Path, trees: &Trees, url: &str, resolve: &str, ca: &str) -> Result<Duration, Failure> {
    let start = Instant::now();
    let output = Command::new("bash")
        .arg(script)
        .env("STACK", &trees.stack)
        .env("BASE", trees.base.join("bench.yml"))
        .env("HEAD", trees.head.join("bench.yml"))
        .env("URL", url)
        .env("RESOLVE", resolve)
        .env("CA", ca)
        .output()
        .await;
    let fail =
        |why: String| Failure::new(Kind::WorldIncomplete, format!("the plain script failed: {why}"), "run it by hand");
    let output = output.map_err(|error| fail(error.to_string()))?;
    if !output.status.success() {
        return Err(fail(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()));
    }
    Ok(start.elapsed())
}
