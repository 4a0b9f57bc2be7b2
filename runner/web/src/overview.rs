//! The first page: each recipe's newest whole run, live runs, and waiting ones.

use std::collections::HashMap;

use askama::Template;
use base::names::RunId;
use jiff::Timestamp;
use slots::status::{Status, Waiter};

use super::line::{RunLine, about, class, href};
use super::shell::Shell;
use super::when::{ago, iso};
use history::{RunRow, StageRow, StageState};
use journal::event::Stage;
use journal::text::{count, one_line, seconds};
use journal::tone::Tone;

/// The stages with a column; the others concern the machine, or are the same in every run.
pub(super) const COLUMNS: [Stage; 5] = [Stage::Install, Stage::Upgrade, Stage::Backup, Stage::Functional, Stage::Fresh];
/// Width of a bar of the last runs including the gap, in pixels.
const BAR: usize = 7;
const GAP: usize = 3;
const HIGH: usize = 24;

/// The history's data of a recipe.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The newest run that tests the whole recipe, else the newest.
    pub(super) run: RunRow,
    pub(super) stages: Vec<StageRow>,
    /// Newest first.
    pub(super) last: Vec<RunRow>,
}

/// The page's data.
#[derive(Debug, Clone)]
pub(super) struct OverviewData {
    pub(super) rows: Vec<Row>,
    pub(super) live: Vec<RunRow>,
    pub(super) recent: Vec<RunRow>,
    /// `None` if the swarm does not answer, or no run has requested a slot yet.
    pub(super) slots: Option<Status>,
    /// The usual duration of runs.
    pub(super) usual_ms: HashMap<String, u64>,
    pub(super) now: Timestamp,
}

#[derive(Template)]
#[template(path = "pages/overview.html")]
pub(super) struct Overview {
    shell: Shell,
    lead: String,
    live: Vec<LiveLine>,
    queue: Vec<QueueLine>,
    columns: Vec<&'static str>,
    rows: Vec<RowLine>,
    recent: Vec<RunLine>,
}

struct LiveLine {
    href: String,
    recipe: String,
    about: String,
    doing: String,
    took: String,
    usual: Option<String>,
    share: Option<u64>,
}

struct QueueLine {
    /// `None` where the run belongs to another host and its journal is not here.
    href: Option<String>,
    recipe: String,
    about: String,
    place: String,
    why: String,
    begins: String,
}

struct RowLine {
    recipe: String,
    href: String,
    version: String,
    tone: &'static str,
    word: &'static str,
    cause: Option<&'static str>,
    run_href: String,
    cells: Vec<Cell>,
    spark: Vec<Bar>,
    spark_width: usize,
    spark_words: String,
    at: String,
    ago: String,
}

struct Cell {
    stage: &'static str,
    tone: &'static str,
    href: Option<String>,
    title: String,
}

struct Bar {
    href: String,
    title: String,
    tone: &'static str,
    x: usize,
    y: usize,
    height: usize,
}

impl Overview {
    pub(super) fn new(shell: Shell, seen: &OverviewData) -> Self {
        let waiting: Vec<&Waiter> = seen.slots.iter().flat_map(|status| &status.waiters).collect();
        let waits = |run: &RunId| waiting.iter().any(|waiter| waiter.ask.run == *run);
        let of_run = |run: &RunId| seen.live.iter().find(|row| row.run == *run);
        Self {
            shell,
            lead: lead(seen),
            live: seen.live.iter().filter(|run| !waits(&run.run)).map(|run| live_line(run, seen)).collect(),
            queue: waiting.iter().map(|waiter| queue_line(waiter, of_run(&waiter.ask.run))).collect(),
            columns: COLUMNS.map(Stage::name).to_vec(),
            rows: seen.rows.iter().map(|row| row_line(row, seen.now)).collect(),
            recent: seen.recent.iter().map(|run| RunLine::of(run, seen.now)).collect(),
        }
    }
}

fn lead(seen: &OverviewData) -> String {
    let of = |tone: Tone| seen.rows.iter().filter(|row| row.run.tone == Some(tone)).count();
    let all = count(seen.rows.len(), "recipe");
    match (of(Tone::Passed), seen.rows.len()) {
        (_, 0) => "No recipe was tested yet.".to_owned(),
        (green, rows) if green == rows => format!("{all}, all green in their newest whole run."),
        (green, _) => {
            let red = of(Tone::Failed);
            let other = seen.rows.len() - green - red;
            let other = if other == 0 { String::new() } else { format!(", {other} without a verdict on the recipe") };
            format!("{all}: {green} green and {red} red in their newest whole run{other}.")
        }
    }
}

fn live_line(run: &RunRow, seen: &OverviewData) -> LiveLine {
    let took = u64::try_from(run.age(seen.now).as_millis()).unwrap_or(run.took_ms);
    let usual = seen.usual_ms.get(run.recipe.as_str()).copied().filter(|usual| *usual > 0);
    LiveLine {
        href: href(run),
        recipe: run.recipe.to_string(),
        about: about(run),
        doing: one_line(&run.line, 120),
        took: seconds(took),
        usual: usual.map(seconds),
        share: usual.map(|usual| (took.saturating_mul(100) / usual).min(100)),
    }
}

fn queue_line(waiter: &Waiter, run: Option<&RunRow>) -> QueueLine {
    let in_words = |time_s: u64| format!("begins in about {}", seconds(time_s.saturating_mul(1_000)));
    QueueLine {
        href: run.map(href),
        recipe: waiter.ask.recipe.to_string(),
        about: run.map_or_else(|| one_line(&waiter.ask.owner, 60), about),
        place: waiter.place.to_string(),
        why: one_line(&waiter.why.to_string(), 120),
        begins: waiter.expected_s.map_or_else(String::new, in_words),
    }
}

fn row_line(row: &Row, now: Timestamp) -> RowLine {
    let run = &row.run;
    RowLine {
        recipe: run.recipe.to_string(),
        href: format!("recipes/{}", run.recipe),
        version: match (&run.head_version, run.pull_request) {
            (Some(version), Some(number)) => format!("{}, pull request {number}", one_line(version, 40)),
            (Some(version), None) => one_line(version, 40),
            (None, Some(number)) => format!("pull request {number}"),
            (None, None) => run.head.short().to_owned(),
        },
        tone: run.tone.map_or("live", class),
        word: run.tone.map_or("under way", Tone::word),
        cause: run.cause().map(base::failure::Cause::words),
        run_href: href(run),
        cells: COLUMNS.map(|stage| cell(stage, row)).into(),
        spark: bars(&row.last),
        spark_width: row.last.len().max(1) * (BAR + GAP),
        spark_words: {
            let green = row.last.iter().filter(|run| run.tone == Some(Tone::Passed)).count();
            format!("{green} of the last {} green", count(row.last.len(), "run"))
        },
        at: iso(run.at),
        ago: ago(run.at, now),
    }
}

fn cell(stage: Stage, row: &Row) -> Cell {
    let name = stage.name();
    let seen = row.stages.iter().find(|seen| seen.stage == stage);
    let is_live = row.run.tone.is_none();
    let tone = match seen.map(|seen| (seen.state, seen)) {
        Some((StageState::Ended(outcome), _)) => Tone::from(outcome),
        Some((StageState::Running, _)) => Tone::NoEnd,
        Some((StageState::Waiting, seen)) if seen.reason.is_some() => Tone::Skipped,
        _ => Tone::NotReached,
    };
    let why = seen.and_then(|seen| seen.what.as_deref().or(seen.reason.as_deref()));
    let why = why.map_or_else(String::new, |why| format!(": {}", one_line(why, 160)));
    Cell {
        stage: name,
        tone: if is_live && tone == Tone::NoEnd { "live" } else { class(tone) },
        href: seen.map(|_| format!("{}#{name}", href(&row.run))),
        title: format!("{name} {}{why}", if is_live && tone == Tone::NoEnd { "running" } else { tone.word() }),
    }
}

/// The last runs as bars, the newest at the right; the height is the duration.
fn bars(last: &[RunRow]) -> Vec<Bar> {
    let most = last.iter().map(|run| run.took_ms).max().unwrap_or(1).max(1);
    let bar = |(at, run): (usize, &RunRow)| {
        let share = usize::try_from(run.took_ms.saturating_mul(HIGH as u64 - 6) / most).unwrap_or(0);
        let height = 6 + share;
        let word = run.tone.map_or("under way", Tone::word);
        Bar {
            href: href(run),
            title: format!("{word}, {}, {}", about(run), seconds(run.took_ms)),
            tone: run.tone.map_or("live", class),
            x: at * (BAR + GAP),
            y: HIGH - height,
            height,
        }
    };
    last.iter().rev().enumerate().map(bar).collect()
}
