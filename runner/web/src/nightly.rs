//! The nightly sweep: which recipes turned, everything that was tested, and earlier sweeps. Pure.

use askama::Template;
use jiff::Timestamp;

use super::line::class;
use super::shell::Shell;
use super::when::{ago, iso};
use journal::text::{count, one_line};
use journal::tone::Tone;
use nightly::{Clock, Sweep, SweepPhase, SweepRun, Swept, SweptHealth, Turned, WebhookMessage};

/// Maximum width of a line, in columns.
const COLUMNS: usize = 160;

#[derive(Template)]
#[template(path = "pages/nightly.html")]
pub(super) struct NightlyPage {
    shell: Shell,
    lead: String,
    /// Further sentences.
    remarks: String,
    turned: Vec<TurnLine>,
    is_over: bool,
    rows: Vec<NightLine>,
    others: Vec<OtherLine>,
}

struct TurnLine {
    recipe: String,
    tested: String,
    tone: &'static str,
    word: &'static str,
    was_tone: &'static str,
    was: &'static str,
    why: String,
    run_href: Option<String>,
}

struct NightLine {
    recipe: String,
    tested: String,
    tone: &'static str,
    word: &'static str,
    line: String,
    run_href: Option<String>,
    at: Option<String>,
    ago: String,
}

struct OtherLine {
    day: String,
    words: String,
}

/// The page's data.
#[derive(Debug, Clone, Default)]
pub(super) struct Nights {
    /// The shown sweep, if there is any yet.
    pub(super) shown: Option<Sweep>,
    /// All stored sweeps, newest first.
    pub(super) all: Vec<Sweep>,
    /// The configured time, if it was ever set.
    pub(super) clock: Option<Clock>,
}

impl NightlyPage {
    pub(super) fn new(shell: Shell, nights: &Nights, now: Timestamp) -> Self {
        let shown = nights.shown.as_ref();
        let is_over = shown.is_none_or(|sweep| sweep.ended.is_some());
        let others = nights.all.iter().filter(|sweep| shown.is_none_or(|shown| shown.date != sweep.date));
        Self {
            shell: if is_over { shell } else { shell.live("events") },
            lead: lead(shown),
            remarks: remarks(shown, nights.clock.as_ref()).join(" "),
            turned: shown.iter().flat_map(|sweep| sweep.turned()).map(turn_line).collect(),
            is_over,
            rows: shown.iter().flat_map(|sweep| &sweep.recipes).flat_map(|swept| lines(swept, now)).collect(),
            others: others.map(|sweep| OtherLine { day: sweep.date.to_string(), words: words(sweep) }).collect(),
        }
    }
}

fn lead(shown: Option<&Sweep>) -> String {
    match shown {
        None => "There was no sweep yet.".to_owned(),
        Some(sweep) if sweep.ended.is_none() => {
            format!("The sweep of {} is in progress: {}; {} to come.", sweep.date, counted(sweep), sweep.open())
        }
        Some(sweep) => format!("The sweep of {}: {}.", sweep.date, words(sweep)),
    }
}

fn counted(sweep: &Sweep) -> String {
    let all = [SweptHealth::Green, SweptHealth::Red, SweptHealth::Blocked];
    all.map(|health| format!("{} {}", sweep.count(health), health.word())).join(", ")
}

fn words(sweep: &Sweep) -> String {
    let turned = match sweep.turned().count() {
        0 => "nothing turned".to_owned(),
        number => format!("{number} turned"),
    };
    let under_way = if sweep.ended.is_none() { ", under way" } else { "" };
    format!("{}; {turned}{under_way}", counted(sweep))
}

fn remarks(shown: Option<&Sweep>, clock: Option<&Clock>) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(sweep) = shown {
        remarks.extend(sweep.cut_short.as_ref().map(|why| format!("It was cut short: {}.", one_line(why, COLUMNS))));
        if !sweep.left_out.is_empty() {
            let days: Vec<String> = sweep.left_out.iter().map(ToString::to_string).collect();
            remarks.push(format!("It took so long that the sweep of {} was skipped.", days.join(", ")));
        }
        match &sweep.message {
            WebhookMessage::GivenUp { why } => {
                remarks.push(format!("Its message could not be sent: {}.", one_line(why, COLUMNS)))
            }
            WebhookMessage::Waits { tries: 1.., .. } => remarks.push("Its message could not be sent yet.".to_owned()),
            WebhookMessage::None | WebhookMessage::Waits { .. } | WebhookMessage::Sent { .. } => {}
        }
    }
    remarks.push(match clock {
        Some(clock) => {
            format!(
                "Every recipe is tested at its newest release and at its default branch, each day at {}.",
                clock.hour
            )
        }
        None => "The operator of this cc-ci can configure its time with CCCI_NIGHTLY.".to_owned(),
    });
    remarks
}

fn tone(health: SweptHealth) -> &'static str {
    class(match health {
        SweptHealth::Green => Tone::Passed,
        SweptHealth::Red => Tone::Failed,
        SweptHealth::Blocked => Tone::Blocked,
    })
}

fn tested(run: &SweepRun) -> String {
    let at = run.commit.as_ref().map_or_else(String::new, |commit| format!(" at {}", commit.short()));
    format!("{}{at}", run.tested.words())
}

fn turn_line(turned: Turned<'_>) -> TurnLine {
    TurnLine {
        recipe: turned.recipe.to_string(),
        tested: tested(turned.run),
        tone: tone(turned.now),
        word: turned.now.word(),
        was_tone: tone(turned.was),
        was: turned.was.word(),
        why: if turned.now == SweptHealth::Green { String::new() } else { one_line(&turned.end.line, COLUMNS) },
        run_href: turned.end.run.as_ref().map(|run| format!("runs/{run}")),
    }
}

/// A line for each run; one line if there is none.
fn lines(swept: &Swept, now: Timestamp) -> Vec<NightLine> {
    let recipe = swept.recipe.to_string();
    if swept.runs.is_empty() {
        let line = swept.not_tested.as_deref().map_or_else(String::new, |why| one_line(why, COLUMNS));
        let (tone, word) =
            if swept.not_tested.is_some() { ("skipped", "not tested") } else { ("not-reached", "to come") };
        let (tested, ago) = (String::new(), String::new());
        return vec![NightLine { recipe, tested, tone, word, line, run_href: None, at: None, ago }];
    }
    swept.runs.iter().map(|run| line(&recipe, run, now)).collect()
}

fn line(recipe: &str, run: &SweepRun, now: Timestamp) -> NightLine {
    let (recipe, tested) = (recipe.to_owned(), tested(run));
    match &run.phase {
        SweepPhase::Waiting => NightLine {
            recipe,
            tested,
            tone: "not-reached",
            word: "to come",
            line: String::new(),
            run_href: None,
            at: None,
            ago: String::new(),
        },
        SweepPhase::Running { run } => NightLine {
            recipe,
            tested,
            tone: "live",
            word: "under way",
            line: String::new(),
            run_href: Some(format!("runs/{run}")),
            at: None,
            ago: String::new(),
        },
        SweepPhase::Ended(end) => NightLine {
            recipe,
            tested,
            tone: end.health.map_or("skipped", tone),
            word: end.health.map_or("not tested", SweptHealth::word),
            line: if end.health == Some(SweptHealth::Green) { String::new() } else { one_line(&end.line, COLUMNS) },
            run_href: end.run.as_ref().map(|run| format!("runs/{run}")),
            at: Some(iso(end.at)),
            ago: ago(end.at, now),
        },
    }
}

/// A sweep's summary for the window's title.
pub(super) fn title(sweep: Option<&Sweep>) -> String {
    sweep.map_or_else(
        || "Nightly".to_owned(),
        |sweep| format!("Sweep of {}: {}", sweep.date, count(sweep.turned().count(), "turn")),
    )
}
