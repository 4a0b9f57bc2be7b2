//! One run of cc-ci as a user starts it, timed from outside.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use journal::event::{Event, Origin, Record, RunStarted, Stage, VerdictKind};

/// What one run showed.
#[derive(Debug)]
pub struct CcCiRun {
    /// From start to end of the process.
    pub total: Duration,
    /// The largest memory that it held, in bytes.
    pub peak_bytes: u64,
    /// Time that the recipe's own tests took; it is theirs, not cc-ci's.
    pub overlays: Duration,
    /// The run's facts.
    pub started: RunStarted,
    /// Each compose file that was deployed, with its revision.
    pub composes: Vec<(String, String)>,
    /// What each stage took.
    pub stages: Vec<(Stage, Duration)>,
}

/// Runs `cc-ci run` with `args` and reads its events.
///
/// # Errors
/// When the run is not green: a figure of a run that failed says nothing.
pub async fn cc_ci_run(program: &Path, args: &[String]) -> Result<CcCiRun, Failure> {
    let start = Instant::now();
    let mut child = Command::new(program)
        .arg("run")
        .args(args)
        .arg("--json")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| broken(&format!("cannot be started: {error}")))?;
    let status = child.id().map(|id| PathBuf::from(format!("/proc/{id}/status")));
    let stdout = child.stdout.take().ok_or_else(|| broken("has no output"))?;
    let mut lines = BufReader::new(stdout).lines();
    let (mut peak, mut overlays, mut started, mut word) = (0, Duration::ZERO, None, None);
    let (mut composes, mut stages) = (Vec::new(), Vec::new());
    while let Ok(Some(line)) = lines.next_line().await {
        peak = status.as_deref().and_then(high_water).unwrap_or(0).max(peak);
        let Ok(record) = serde_json::from_str::<Record>(&line) else { continue };
        match record.event {
            Event::RunStarted(facts) => started = Some(*facts),
            Event::CheckEnded { check, .. } if check.origin != Origin::Generic => {
                overlays += Duration::from_millis(check.took_ms);
            }
            Event::ComposeDeployed { version, yaml, .. } => composes.push((version, yaml)),
            Event::StageEnded { stage, took_ms, .. } => stages.push((stage, Duration::from_millis(took_ms))),
            Event::RunEnded { verdict } => word = Some(verdict.word),
            _ => {}
        }
    }
    let ended = child.wait().await.map_err(|error| broken(&error.to_string()))?;
    let total = start.elapsed();
    match (started, word) {
        (Some(started), Some(VerdictKind::Passed)) if ended.success() => {
            Ok(CcCiRun { total, peak_bytes: peak, overlays, started, composes, stages })
        }
        _ => Err(broken(&format!("was not green ({ended})"))),
    }
}

/// Median milliseconds of `cc-ci plan` over twenty calls.
///
/// # Errors
/// When a call fails.
pub async fn plan_ms(program: &Path, args: &[String]) -> Result<f64, Failure> {
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        let output = Command::new(program).arg("plan").args(args).output().await;
        let output = output.map_err(|error| broken(&error.to_string()))?;
        if !output.status.success() {
            return Err(broken("could not plan"));
        }
        times.push(start.elapsed());
    }
    Ok(super::median(times).as_secs_f64() * 1000.0)
}

/// The kernel's own high-water mark of a process's memory.
fn high_water(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

fn broken(why: &str) -> Failure {
    Failure::new(Kind::WorldIncomplete, format!("the measured run {why}"), "run it by hand first: cc-ci run")
}
