//! Many mixed runs at once: how much longer they take than in the best order of their own times.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::names::RecipeName;
use rand::seq::SliceRandom as _;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::oneshot;

use journal::event::{Event, Record, Stage, VerdictKind};

/// Orders that are tried to find the best one, beside the longest first.
const ORDERS: usize = 20_000;

/// One run of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FleetRun {
    /// The recipe.
    pub recipe: RecipeName,
    /// Apps that it held.
    pub apps: usize,
    /// Milliseconds from its start to its slot.
    pub waited_ms: u64,
    /// Milliseconds from its slot to its end.
    pub held_ms: u64,
}

/// What a fleet showed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fleet {
    /// Its runs, in the order of their start.
    pub runs: Vec<FleetRun>,
    /// Milliseconds from the first start to the last end.
    pub took_ms: u64,
    /// The same in the best order that was found, by the times that the runs held their slots.
    pub best_ms: u64,
}

/// Runs each of `recipes` from a repository of its own, so that no two share an app. Each one starts when the
/// one before it is in the queue.
///
/// # Errors
/// When a run is not green, or a repository cannot be made.
pub async fn fleet(
    program: &Path,
    recipes: &[(RecipeName, PathBuf)],
    (tests, apps): (usize, usize),
    scratch: &Path,
) -> Result<Fleet, Failure> {
    // Caps of an earlier bench are still on the swarm.
    let mut caps = Command::new(program);
    caps.args(["caps", "--runs", &tests.to_string(), "--apps", &apps.to_string(), "--memory", "1000000"]);
    let set = caps.env("CCCI_SLOTS", "ccci-bench").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    if !set.is_ok_and(|status| status.success()) {
        let what = format!("the caps of the bench cannot be set by {} caps", program.display());
        return Err(Failure::new(Kind::WorldIncomplete, what, "run `cc-ci caps` by hand"));
    }
    let start = Instant::now();
    let mut under_way = Vec::new();
    for (n, (recipe, source)) in recipes.iter().enumerate() {
        let own = copy(source, &scratch.join(n.to_string())).await?;
        let (queued, is_queued) = oneshot::channel();
        let mut command = Command::new(program);
        command.arg("run").arg(recipe.as_str()).args(["--json", "--source"]).arg(own);
        command.env_remove("MAX_TESTS").env("CCCI_SLOTS", "ccci-bench");
        under_way.push(tokio::spawn(one(command, recipe.clone(), queued)));
        // A run that ends before it is in the queue is told by its end.
        let _ = is_queued.await;
    }
    // All of them end and tear down, also where one was red.
    let ended = futures_util::future::join_all(under_way).await;
    let ended = ended.into_iter().map(|run| run.map_err(|error| Failure::new(Kind::Bug, error.to_string(), ""))?);
    let runs: Vec<FleetRun> = ended.collect::<Result<_, Failure>>()?;
    let took_ms = ms(start.elapsed());
    let loads: Vec<(u64, usize)> = runs.iter().map(|run| (run.held_ms, run.apps)).collect();
    Ok(Fleet { best_ms: best(&loads, tests, apps), runs, took_ms })
}

/// A clone with one commit more, so that its head, and with it the app's name, is nobody else's.
async fn copy(source: &Path, dir: &Path) -> Result<PathBuf, Failure> {
    let broken = |why: String| {
        Failure::new(Kind::SourceUnreachable, format!("{} cannot be copied: {why}", source.display()), "git's words")
    };
    let steps: [Vec<&std::ffi::OsStr>; 2] = [
        vec!["clone".as_ref(), "--quiet".as_ref(), source.as_os_str(), dir.as_os_str()],
        vec![
            "-C".as_ref(),
            dir.as_os_str(),
            "commit".as_ref(),
            "--quiet".as_ref(),
            "--allow-empty".as_ref(),
            "-m".as_ref(),
            dir.as_os_str(),
        ],
    ];
    for step in steps {
        let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"];
        let done =
            Command::new("git").args(who).args(step).output().await.map_err(|error| broken(error.to_string()))?;
        if !done.status.success() {
            return Err(broken(String::from_utf8_lossy(&done.stderr).into_owned()));
        }
    }
    Ok(dir.to_owned())
}

async fn one(mut command: Command, recipe: RecipeName, queued: oneshot::Sender<()>) -> Result<FleetRun, Failure> {
    let broken =
        |why: String| Failure::new(Kind::WorldIncomplete, format!("a run of {recipe} {why}"), "run it by hand first");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| broken(format!("cannot be started: {error}")))?;
    let stdout = child.stdout.take().ok_or_else(|| broken("has no output".to_owned()))?;
    let mut lines = BufReader::new(stdout).lines();
    let (mut queued, mut apps, mut slot_ms, mut end) = (Some(queued), 1, 0, None);
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(record) = serde_json::from_str::<Record>(&line) else { continue };
        match record.event {
            Event::RunStarted(started) => apps = 1 + started.dependencies.len(),
            Event::Progress { stage: Stage::Slot, .. } => {
                queued.take().map(|queued| queued.send(()));
            }
            Event::StageEnded { stage: Stage::Slot, .. } => {
                queued.take().map(|queued| queued.send(()));
                slot_ms = record.ms;
            }
            Event::RunEnded { verdict } => end = Some((verdict.word, verdict.line, record.ms)),
            _ => {}
        }
    }
    let _ = child.wait().await;
    match end {
        Some((VerdictKind::Passed, _, ms)) => {
            Ok(FleetRun { recipe, apps, waited_ms: slot_ms, held_ms: ms - slot_ms.min(ms) })
        }
        Some((_, line, _)) => Err(broken(format!("was not green: {line}"))),
        None => Err(broken("ended without a verdict".to_owned())),
    }
}

/// The shortest time for these loads (milliseconds, apps) among many orders, under caps on runs and apps.
fn best(loads: &[(u64, usize)], tests: usize, apps: usize) -> u64 {
    let mut order = loads.to_vec();
    order.sort_by_key(|load| std::cmp::Reverse(load.0));
    let mut shortest = takes(&order, tests, apps);
    let mut rng = rand::rng();
    for _ in 0..ORDERS {
        order.shuffle(&mut rng);
        shortest = shortest.min(takes(&order, tests, apps));
    }
    shortest
}

/// How long loads take when each begins as soon as it fits, the earlier ones first.
fn takes(order: &[(u64, usize)], tests: usize, apps: usize) -> u64 {
    let (mut waiting, mut live, mut now) = (order.to_vec(), Vec::<(u64, usize)>::new(), 0);
    loop {
        let mut free = apps.saturating_sub(live.iter().map(|one| one.1).sum());
        let mut at = 0;
        while at < waiting.len() {
            if live.len() < tests && waiting[at].1 <= free {
                let (time, held) = waiting.remove(at);
                free -= held;
                live.push((now + time, held));
            } else {
                at += 1;
            }
        }
        let Some(next) = live.iter().map(|one| one.0).min() else { return now };
        now = next;
        live.retain(|one| one.0 > now);
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_order_keeps_the_caps() {
        // Two at a time: 30 beside 10 + 20.
        assert_eq!(best(&[(10, 1), (20, 1), (30, 1)], 2, 2), 30);
        assert_eq!(best(&[(10, 1), (20, 1), (30, 1)], 1, 2), 60);
        // Two apps each do not fit beside one another.
        assert_eq!(best(&[(10, 2), (10, 2), (10, 1)], 3, 3), 20);
        assert_eq!(best(&[], 1, 1), 0);
    }
}
