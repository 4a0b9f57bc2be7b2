//! `cc-ci status`: who holds a slot on this swarm, who waits, and for how long.

use host::say;
use std::fmt::Write as _;

use base::failure::Failure;
use jiff::Timestamp;
use slots::Board;
use slots::Claims;
use slots::status::{Holder, HolderState, Status, Waiter, status};
use swarm::Swarm;

use host::queue::{UsualTimes, slots_of};
use host::settings::Settings;
use journal::exit::Exit;
use journal::text::{count, one_line, seconds};

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci status         who holds a slot, who waits, and for how long\n",
    "  cc-ci status --json  for programs\n",
))]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let swarm = Swarm::connect().await?;
    let times = UsualTimes::read(&settings.state_dir()?);
    let seen = slots_of(&swarm, settings).board().look().await?.map(|view| status(&view, |ask| times.takes(ask)));
    if args.json {
        say!("{:#}", serde_json::json!(seen));
        return Ok(Exit::Passed);
    }
    let Some(seen) = seen else {
        say!("no run has asked for a slot on this swarm yet");
        return Ok(Exit::Passed);
    };
    let mut ends: Vec<(String, i64)> = Vec::new();
    for claim in Claims(&swarm).all().await? {
        ends.extend(claim.kept_until.map(|until| (claim.run.to_string(), until)));
    }
    host::screen::text(render(&seen, &ends, Timestamp::now().as_second()));
    Ok(Exit::Passed)
}

/// The status in lines. `ends` says until when (Unix seconds) the app of a run is kept.
fn render(status: &Status, ends: &[(String, i64)], now: i64) -> String {
    let caps = &status.caps;
    let mut text = format!(
        "{} of {}, {} of {}, {} of {} MiB\n",
        status.tests,
        count(usize::try_from(caps.tests).unwrap_or(usize::MAX), "run"),
        status.apps,
        count(usize::try_from(caps.apps).unwrap_or(usize::MAX), "app"),
        status.mib,
        caps.mib,
    );
    for holder in &status.holders {
        let _ = writeln!(text, "  {}", holds(holder, ends, now));
    }
    match status.waiters.len() {
        0 => text.push_str("nobody waits\n"),
        1 => text.push_str("1 waits\n"),
        more => {
            let _ = writeln!(text, "{more} wait");
        }
    }
    for waiter in &status.waiters {
        let _ = writeln!(text, "  {}", waits(waiter));
    }
    text
}

fn holds(holder: &Holder, ends: &[(String, i64)], now: i64) -> String {
    let ask = &holder.ask;
    let apps = count(usize::try_from(ask.apps).unwrap_or(usize::MAX), "app");
    let state = match &holder.state {
        HolderState::Runs => format!("for {}", clock(holder.held_s)),
        HolderState::Stops(by) => format!("for {}; is being stopped by {}", clock(holder.held_s), one_line(by, 60)),
        HolderState::Kept => {
            let until = ends.iter().find(|(run, _)| *run == ask.run.as_str()).map(|(_, until)| until - now);
            let left = until.and_then(|left| u64::try_from(left).ok()).map_or("a moment".to_owned(), clock);
            format!("has ended; its app stays for {left}")
        }
        HolderState::Dead => "is dead; its apps are to be removed (`cc-ci reap`)".to_owned(),
    };
    let silent = holder
        .silent_s
        .filter(|silent| *silent > 10)
        .map_or_else(String::new, |silent| format!("; no sign of life for {}", clock(silent)));
    format!(
        "{:<24} {:<16} {apps}, {} MiB on {}, {state}{silent}",
        ask.run,
        ask.recipe,
        ask.mib,
        one_line(&ask.owner, 40)
    )
}

fn waits(waiter: &Waiter) -> String {
    let ask = &waiter.ask;
    let expected = waiter.expected_s.map_or_else(String::new, |time| format!(", begins in about {}", clock(time)));
    let apps = count(usize::try_from(ask.apps).unwrap_or(usize::MAX), "app");
    format!(
        "{:<24} {:<16} {apps}, {} MiB on {}, place {}: {} for {}{expected}",
        ask.run,
        ask.recipe,
        ask.mib,
        one_line(&ask.owner, 40),
        waiter.place,
        waiter.why,
        clock(waiter.waited_s)
    )
}

fn clock(time_s: u64) -> String {
    seconds(time_s.saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slots::{Caps, SlotRequest};

    fn ask(run: &str, recipe: &str, apps: u32) -> SlotRequest {
        SlotRequest {
            run: run.parse().unwrap(),
            recipe: recipe.parse().unwrap(),
            owner: "ci-1".to_owned(),
            apps,
            mib: 512 * u64::from(apps),
            ports: [].into(),
            stacks: [].into(),
            most_runs: None,
            yields: false,
            limit_s: 600,
        }
    }

    #[test]
    fn it_says_who_holds_and_who_waits() {
        let holder =
            |run, recipe, apps, state, silent_s| Holder { ask: ask(run, recipe, apps), held_s: 83, silent_s, state };
        let status = Status {
            caps: Caps { tests: 2, apps: 6, mib: 8_000 },
            tests: 2,
            apps: 5,
            mib: 2_560,
            holders: vec![
                holder("20260101-a", "gitea", 2, HolderState::Runs, Some(2)),
                holder("20260101-b", "n8n", 1, HolderState::Stops("anna".to_owned()), Some(14)),
                holder("20260101-c", "ghost", 1, HolderState::Kept, None),
                holder("20260101-d", "mumble", 1, HolderState::Dead, None),
            ],
            waiters: vec![Waiter {
                ask: ask("20260101-e", "immich", 2),
                place: 1,
                waited_s: 5,
                why: "for room".to_owned(),
                expected_s: Some(40),
            }],
        };
        insta::assert_snapshot!(render(&status, &[("20260101-c".to_owned(), 1_600)], 1_000));
    }
}
