//! The page of a recipe: flakes, durations of stages, tested upgrades, and its runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use askama::Template;
use base::names::RecipeName;
use jiff::Timestamp;

use super::line::{RunLine, class, href};
use super::shell::Shell;
use super::when::{ago, iso};
use history::RunRow;
use history::query::{Flake, JournalLine, Parting, Spread, VersionPair, Week};
use journal::event::Stage;
use journal::text::{count, one_line, seconds};
use journal::tone::Tone;
use report::log::lines;

/// The history's data of a recipe.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) recipe: RecipeName,
    /// Flaky checks, each with the first point where its two runs differ.
    pub(super) flakes: Vec<(Flake, Option<Parting>)>,
    /// Durations of stages in the newest runs.
    pub(super) spreads: Vec<Spread>,
    /// Durations by week.
    pub(super) weeks: Vec<Week>,
    pub(super) pairs: Vec<VersionPair>,
    pub(super) runs: Vec<RunRow>,
    /// stable, testing or unstable, if known.
    pub(super) standing: Option<&'static str>,
    pub(super) now: Timestamp,
}

#[derive(Template)]
#[template(path = "pages/recipe.html")]
pub(super) struct RecipePage {
    shell: Shell,
    recipe: String,
    standing: Option<&'static str>,
    lead: String,
    flakes: Vec<FlakeLine>,
    trends: Vec<Trend>,
    trend_words: String,
    pairs: Vec<PairLine>,
    badge_markdown: String,
    recent: Vec<RunLine>,
}

struct FlakeLine {
    check: String,
    stage: &'static str,
    head: String,
    sides: [ChartSide; 2],
    differ: Option<Differ>,
}

struct ChartSide {
    tone: &'static str,
    word: &'static str,
    run: String,
    href: String,
    text: String,
}

struct Differ {
    left_href: String,
    left_seq: u64,
    right_href: String,
    right_seq: u64,
    text: String,
}

struct Trend {
    stage: &'static str,
    p50: String,
    p95: String,
    words: String,
    p50_points: String,
    p95_points: String,
}

struct PairLine {
    base: String,
    head: String,
    tone: &'static str,
    word: &'static str,
    href: String,
    at: String,
    ago: String,
}

impl RecipePage {
    pub(super) fn new(shell: Shell, known: &Known, home: &str) -> Self {
        let recipe = known.recipe.to_string();
        let home = home.trim_end_matches('/');
        Self {
            badge_markdown: format!("[![{recipe}]({home}/badges/{recipe}.svg)]({home}/recipes/{recipe})"),
            lead: lead(known),
            flakes: known.flakes.iter().map(|(flake, parting)| flake_line(flake, parting.as_ref(), &shell)).collect(),
            trends: trends(known),
            trend_words: match known.weeks.len() {
                0 | 1 => "of its newest runs".to_owned(),
                weeks => format!("week by week, {weeks} weeks"),
            },
            pairs: known.pairs.iter().take(20).map(|pair| pair_line(pair, known.now)).collect(),
            recent: known.runs.iter().map(|run| RunLine::of(run, known.now)).collect(),
            standing: known.standing,
            recipe,
            shell,
        }
    }
}

fn lead(known: &Known) -> String {
    let Some(newest) = known.runs.first() else { return "It never ran here.".to_owned() };
    let green = known.runs.iter().filter(|run| run.tone == Some(Tone::Passed)).count();
    format!(
        "{} of its newest {} green; the last one {}.",
        green,
        count(known.runs.len(), "run"),
        ago(newest.at, known.now)
    )
}

fn flake_line(flake: &Flake, parting: Option<&Parting>, shell: &Shell) -> FlakeLine {
    // An export has no logs: there the run's page shows the stage.
    let record_href = |run: &RunRow, record: u64| {
        if shell.is_export { format!("{}#{}", href(run), flake.stage.name()) } else { record_href(run, record) }
    };
    let side = |run: &RunRow, tone: Tone, line: u64| ChartSide {
        tone: class(tone),
        word: tone.word(),
        run: run.run.to_string(),
        href: record_href(run, line),
        text: format!("{} on {}", one_line(&run.line, 200), one_line(&run.host, 60)),
    };
    let differ = parting.and_then(|parting| {
        let (left, right) = (parting.left.as_ref()?, parting.right.as_ref()?);
        let said = |line: &JournalLine| {
            let first = line.record().and_then(|record| lines(&record).into_iter().next());
            first.map_or_else(|| "what this release cannot read".to_owned(), |line| one_line(&line.text, 200))
        };
        Some(Differ {
            left_href: record_href(&flake.red, left.number),
            left_seq: left.number,
            right_href: record_href(&flake.green, right.number),
            right_seq: right.number,
            text: format!("“{}” against “{}”", said(left), said(right)),
        })
    });
    FlakeLine {
        check: one_line(&flake.check, 200),
        stage: flake.stage.name(),
        head: flake.red.head.short().to_owned(),
        sides: [side(&flake.red, Tone::Failed, flake.red_line), side(&flake.green, Tone::Passed, flake.green_line)],
        differ,
    }
}

/// The address of a record in the log.
fn record_href(run: &RunRow, record: u64) -> String {
    format!("{}/log?from={}#r{record}", href(run), super::log::window(record))
}

fn trends(known: &Known) -> Vec<Trend> {
    let mut by_stage: BTreeMap<Stage, Vec<(u64, u64)>> = BTreeMap::new();
    for spread in known.weeks.iter().flat_map(|week| &week.stages) {
        by_stage.entry(spread.stage).or_default().push((spread.p50_ms, spread.p95_ms));
    }
    let trend = |spread: &Spread| {
        let points = by_stage.get(&spread.stage).cloned().unwrap_or_default();
        let most = points.iter().map(|(_, p95)| *p95).max().unwrap_or(0).max(spread.p95_ms).max(1);
        let (p50, p95) = (seconds(spread.p50_ms), seconds(spread.p95_ms));
        Trend {
            stage: spread.stage.name(),
            words: format!(
                "{}: half of {} took {p50} at most, nearly all {p95}",
                spread.stage,
                count(usize::try_from(spread.runs).unwrap_or(usize::MAX), "run")
            ),
            p50_points: polyline(points.iter().map(|(p50, _)| *p50), most),
            p95_points: polyline(points.iter().map(|(_, p95)| *p95), most),
            p50,
            p95,
        }
    };
    known.spreads.iter().map(trend).collect()
}

/// Points of a line in a box of 100 by 40; a single value is a level line.
fn polyline(values: impl Iterator<Item = u64>, most: u64) -> String {
    let mut values: Vec<u64> = values.collect();
    if let [only] = values[..] {
        values.push(only);
    }
    let last = values.len().saturating_sub(1).max(1);
    let mut points = String::new();
    for (at, value) in values.iter().enumerate() {
        let y = 39 - value.saturating_mul(38) / most;
        let _ = write!(points, "{}{},{y}", if at == 0 { "" } else { " " }, at * 100 / last);
    }
    points
}

fn pair_line(pair: &VersionPair, now: Timestamp) -> PairLine {
    let tone = pair.upgrade.map_or(Tone::NotReached, Tone::from);
    let text =
        |version: Option<&String>, none: &str| version.map_or_else(|| none.to_owned(), |text| one_line(text, 60));
    PairLine {
        base: text(pair.base.as_ref(), "nothing: the first release"),
        head: text(pair.head_version.as_ref(), "a commit without a version"),
        tone: class(tone),
        word: tone.word(),
        href: format!("{}#upgrade", href(&pair.newest)),
        at: iso(pair.newest.at),
        ago: ago(pair.newest.at, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fills_its_box() {
        assert_eq!(polyline([10, 20, 5].into_iter(), 20), "0,20 50,1 100,30");
        assert_eq!(polyline([7].into_iter(), 7), "0,1 100,1");
        assert_eq!(polyline(std::iter::empty(), 1), "");
    }
}
