//! A run as HTML: a self-contained page (no script, picture or font is fetched), and only its body, for pages of `cc-ci
//! serve`. All text from outside is cleaned here and escaped by the template.

use std::path::Path;

use askama::Template;
use jiff::tz::TimeZone;

use self::exchanges::{Did, Room, did};
pub use self::picture::PNG;
use self::picture::{Picture, pictures};
use self::timeline::{Bar, Tick, bar, span_ms, ticks};
use journal::event::{AbraCall, AppUsed, CheckResult, Fault, Origin, Outcome, TaskFact, Used};
use journal::fold::{RunView, StageView};
use journal::on_main::OnMain;
use journal::text::{Bounds, block, one_line, seconds};
use journal::tone::Tone;

mod exchanges;
mod picture;
mod timeline;

const BLOCK: Bounds = Bounds { lines: 600, columns: 2_000 };
const LINE: usize = 600;
/// Maximum number of checks of one stage on a page. No run has as many, but a journal's origin is unknown.
const CHECKS: usize = 500;

/// Where a page gets the browsers' pictures from.
#[derive(Debug, Clone, Copy)]
pub enum Pictures<'a> {
    /// Omitted.
    None,
    /// From this folder, embedded in the page.
    Folder(&'a Path),
    /// Linked below this path of a server.
    Behind(&'a str),
}

/// Whether the run's process lives: then a stage without an end is in progress, and was not killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Over or killed.
    Over,
    /// In progress.
    Live,
}

/// Renders a run as one page. `remarks` are those of its journal.
pub fn render(view: &RunView, remarks: &[String], pictures: Pictures<'_>) -> Result<String, askama::Error> {
    ReportPage { body: Body::of(view, remarks, None, pictures, Life::Over) }.render()
}

/// Renders the content of a run's page and failures that the default branch has too, for a page with `report.css` and
/// `sprites.html`.
pub fn body(
    view: &RunView,
    remarks: &[String],
    on_main: Option<&OnMain>,
    pictures: Pictures<'_>,
    life: Life,
) -> Result<String, askama::Error> {
    Body::of(view, remarks, on_main, pictures, life).render()
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    body: Body,
}

#[derive(Template)]
#[template(path = "run.html")]
struct Body {
    tone: &'static str,
    word: &'static str,
    symbol: &'static str,
    recipe: String,
    commit_short: String,
    pull_request: Option<u64>,
    run: String,
    took: String,
    line: String,
    look_at: Option<String>,
    on_main: Vec<String>,
    deciding: Option<&'static str>,
    remarks: Vec<String>,
    left: Vec<LeftObject>,
    left_line: &'static str,
    ticks: Vec<Tick>,
    any_expected: bool,
    facts: Vec<Fact>,
    stages: Vec<StagePart>,
    cc_ci: String,
}

struct LeftObject {
    kind: String,
    name: String,
}

struct Fact {
    name: &'static str,
    value: String,
    code: bool,
    wide: bool,
}

struct StagePart {
    name: &'static str,
    tone: &'static str,
    word: &'static str,
    took: Option<String>,
    expected: Option<String>,
    used: Option<String>,
    used_by_app: Option<String>,
    bar: Option<Bar>,
    why: Option<String>,
    fault: Option<FaultPart>,
    deciding: bool,
    checks: Vec<CheckPart>,
    notes: Vec<String>,
    calls: Vec<CallPart>,
    logs: Vec<LogPart>,
    tasks: Vec<TaskPart>,
    compose: Vec<ComposePart>,
    steps: Vec<String>,
    deadline: String,
}

struct FaultPart {
    cause: &'static str,
    kind: &'static str,
    what: String,
    look_at: String,
    detail: String,
    pictures: Vec<Picture>,
}

struct CheckPart {
    name: String,
    origin: Option<&'static str>,
    tone: &'static str,
    word: &'static str,
    text: String,
    fault: Option<FaultPart>,
    did: Option<Did>,
    took: String,
}

struct CallPart {
    args: String,
    good: bool,
    exit: String,
    took: String,
    output: String,
}

struct LogPart {
    service: String,
    cut: bool,
    text: String,
}

struct TaskPart {
    bad: bool,
    at: String,
    service: String,
    image: String,
    state: String,
    desired: String,
    exit: String,
    error: String,
}

struct ComposePart {
    version: String,
    yaml: String,
}

impl Body {
    fn title(&self) -> String {
        format!("{} {}: {} at {}", self.symbol, self.word, self.recipe, self.commit_short)
    }

    fn of(view: &RunView, remarks: &[String], on_main: Option<&OnMain>, pictures: Pictures<'_>, life: Life) -> Self {
        let started = &view.started;
        let tone = view.tone();
        let is_live = life == Life::Live && view.verdict.is_none();
        let span = span_ms(view);
        let decided = view.verdict.as_ref().and_then(|verdict| verdict.decided_by.as_ref());
        let left = view.left.iter().flatten();
        let mut room = Room::new();
        let around = Around { span, pictures, is_live };
        Self {
            tone: if is_live { LIVE } else { class(tone) },
            word: if is_live { "under way" } else { tone.word() },
            symbol: if is_live { "▸" } else { tone.symbol() },
            recipe: started.recipe.to_string(),
            commit_short: started.head.short().to_owned(),
            pull_request: started.pull_request,
            run: started.run.to_string(),
            took: seconds(view.took_ms),
            line: if is_live { doing(view) } else { one_line(&view.line(), LINE) },
            look_at: view.look_at().filter(|_| !is_live).map(|text| one_line(text, LINE)),
            on_main: on_main.map(OnMain::lines).unwrap_or_default(),
            deciding: decided.map(|decision| decision.stage.name()),
            remarks: remarks.iter().map(|remark| one_line(remark, LINE)).collect(),
            left: left
                .map(|object| LeftObject { kind: one_line(&object.kind, 40), name: one_line(&object.name, 200) })
                .collect(),
            left_line: match view.left.as_deref() {
                _ if is_live => "The run is under way.",
                Some([]) => "Nothing was left behind.",
                Some(_) => "Objects were left behind.",
                None => "Teardown did not reach its last check: objects may be left behind.",
            },
            ticks: ticks(span),
            any_expected: view.stages.iter().any(|stage| stage.expected_ms.is_some()),
            facts: facts(view),
            stages: view.stages.iter().map(|stage| StagePart::of(view, stage, &around, &mut room)).collect(),
            cc_ci: one_line(&started.cc_ci, 40),
        }
    }
}

/// The class of elements in progress.
const LIVE: &str = "live";

/// The current activity of a run in progress.
fn doing(view: &RunView) -> String {
    match view.running() {
        Some(stage) => {
            let busy = stage.busy_with.as_deref().map(|text| format!(": {text}"));
            one_line(&format!("{}{}", stage.stage, busy.unwrap_or_default()), LINE)
        }
        None => "between two stages".to_owned(),
    }
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::NoEnd => "no-end",
        Tone::NotReached => "not-reached",
        tone => tone.word(),
    }
}

fn facts(view: &RunView) -> Vec<Fact> {
    let started = &view.started;
    let fact = |name, value: &str| Fact { name, value: one_line(value, LINE), code: false, wide: false };
    let code = |name, value: &str| Fact { code: true, ..fact(name, value) };
    let at = view.at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let head = started.head_version.as_deref().unwrap_or("a head that names no version");
    let versions = match &started.base {
        Some(base) => format!("{base} → {head}"),
        None if !started.only.is_empty() => format!("{head} (no upgrade was requested)"),
        None => format!("{head} (no release before it)"),
    };
    let ipvs = if started.host.ipvs { "with IPVS" } else { "without IPVS" };
    let with = started.dependencies.iter().map(|other| format!("{} {} ({})", other.recipe, other.release, other.why));
    let with = fact("with", &with.collect::<Vec<_>>().join(", "));
    let mut facts = vec![
        Fact { wide: true, ..fact("change", &started.head_subject) },
        code("commit", started.head.as_str()),
        fact("versions", &versions),
        code("source", &started.source),
        fact("started", &at),
        code("domain", started.domain.as_str()),
        fact("host", &started.host.name),
        code("abra", &started.host.abra),
        fact("engine", &format!("docker {}, kernel {ipvs}", started.host.engine)),
    ];
    if !started.dependencies.is_empty() {
        facts.insert(3, with);
    }
    facts.extend(started.restart_of.iter().map(|first| code("restart of", first.as_str())));
    facts
}

/// Context shared by all stages of a page.
struct Around<'a> {
    /// The length of the time line, in milliseconds.
    span: u64,
    pictures: Pictures<'a>,
    is_live: bool,
}

impl StagePart {
    fn of(view: &RunView, stage: &StageView, around: &Around<'_>, room: &mut Room) -> Self {
        let Around { span, pictures, is_live } = *around;
        let tone = stage.tone();
        let (class, word) = match tone {
            Tone::NoEnd if is_live => (LIVE, "running"),
            Tone::NotReached if is_live => (class(tone), "waiting"),
            tone => (class(tone), tone.word()),
        };
        let result_fault = stage.result().and_then(|result| result.fault.as_ref());
        // Green checks are omitted first: a reader looks for the red ones.
        let (green, red): (Vec<_>, Vec<_>) =
            stage.checks.iter().enumerate().partition(|(_, check)| check.outcome == Outcome::Passed);
        let mut shown: Vec<_> = red.into_iter().take(CHECKS).chain(green.into_iter().take(CHECKS)).collect();
        shown.sort_by_key(|(at, _)| *at);
        let mut checks: Vec<CheckPart> =
            shown.into_iter().map(|(_, check)| CheckPart::of(check, result_fault, pictures, room)).collect();
        let more = stage.checks.len() - checks.len();
        let more = (more > 0).then(|| format!("{more} more checks are in the journal"));
        checks.extend(stage.unseen_opt_outs().map(|(check, reason)| CheckPart {
            name: one_line(check, 200),
            origin: None,
            tone: self::class(Tone::Skipped),
            word: Tone::Skipped.word(),
            text: one_line(&format!("opted out: {reason}"), LINE),
            fault: None,
            did: None,
            took: String::new(),
        }));
        Self {
            name: stage.stage.name(),
            tone: class,
            word,
            took: stage.took_ms.map(seconds),
            expected: stage.expected_ms.map(seconds),
            used: stage.used.as_ref().map(Used::words),
            used_by_app: stage.used.as_ref().and_then(by_app),
            bar: bar(view, stage, span),
            why: if is_live && class == LIVE {
                stage.busy_with.as_deref().map(|text| one_line(text, LINE))
            } else {
                why(stage).filter(|_| !is_live || tone != Tone::NotReached)
            },
            fault: result_fault.map(|fault| FaultPart::of(fault, pictures)),
            deciding: (tone == Tone::NoEnd && !is_live) || view.deciding_stage() == Some(stage.stage),
            checks,
            notes: stage.notes.iter().take(CHECKS).map(|note| one_line(note, LINE)).chain(more).collect(),
            calls: stage.calls.iter().map(CallPart::of).collect(),
            logs: stage
                .logs
                .iter()
                .map(|log| LogPart {
                    service: one_line(&log.service, 100),
                    cut: log.cut,
                    text: block(&log.text, BLOCK),
                })
                .collect(),
            tasks: stage.tasks.iter().map(TaskPart::of).collect(),
            compose: stage
                .compose
                .iter()
                .map(|compose| ComposePart {
                    version: one_line(&compose.version, 100),
                    yaml: block(&compose.yaml, BLOCK),
                })
                .collect(),
            steps: stage.planned.iter().flat_map(|planned| &planned.steps).map(|step| one_line(step, LINE)).collect(),
            deadline: stage
                .planned
                .as_ref()
                .map(|planned| format!("at most {}", seconds(planned.deadline_s.saturating_mul(1_000))))
                .unwrap_or_default(),
        }
    }
}

/// The usage of each app, if there are several.
fn by_app(used: &Used) -> Option<String> {
    let one = |app: &AppUsed| {
        let alone = Used { memory_peak: app.memory_peak, disk: app.disk, apps: Vec::new() };
        format!("{}: {}", one_line(&app.app, 60), alone.words())
    };
    (used.apps.len() > 1).then(|| used.apps.iter().map(one).collect::<Vec<_>>().join("; "))
}

/// The line under a stage's name that explains its state, if no fault does.
fn why(stage: &StageView) -> Option<String> {
    match stage.tone() {
        Tone::Skipped => Some(format!("Skipped: {}", one_line(stage.reason().unwrap_or("no reason given"), LINE))),
        Tone::Blocked => stage.reason().map(|reason| format!("Blocked: {}", one_line(reason, LINE))),
        Tone::NoEnd => {
            let busy = stage.busy_with.as_deref().map(|text| format!(" Last seen: {}", one_line(text, LINE)));
            Some(format!("The run was killed here.{}", busy.unwrap_or_default()))
        }
        Tone::NotReached => Some("The run did not reach this stage.".to_owned()),
        _ => None,
    }
}

impl FaultPart {
    fn of(fault: &Fault, from: Pictures<'_>) -> Self {
        Self {
            cause: fault.cause.words(),
            kind: fault.failure.kind.code(),
            what: one_line(&fault.failure.what, LINE),
            look_at: one_line(&fault.failure.look_at, LINE),
            detail: block(&fault.failure.detail, BLOCK),
            pictures: pictures(&fault.failure.files, from),
        }
    }
}

impl CheckPart {
    /// A fault that the stage shows in full above is only named here.
    fn of(check: &CheckResult, shown: Option<&Fault>, pictures: Pictures<'_>, room: &mut Room) -> Self {
        let tone = Tone::from(check.outcome);
        let text = match &check.fault {
            Some(fault) if check.outcome != Outcome::Passed => &fault.failure.what,
            _ => &check.text,
        };
        Self {
            name: one_line(&check.name, 200),
            origin: (check.origin != Origin::Generic).then(|| check.origin.name()),
            tone: class(tone),
            word: tone.word(),
            text: one_line(text, LINE),
            fault: check
                .fault
                .as_ref()
                .filter(|fault| Some(*fault) != shown)
                .map(|fault| FaultPart::of(fault, pictures)),
            did: did(check, pictures, room),
            took: if check.took_ms == 0 { String::new() } else { seconds(check.took_ms) },
        }
    }
}

impl CallPart {
    fn of(call: &AbraCall) -> Self {
        Self {
            args: one_line(&call.args.join(" "), LINE),
            good: call.exit == Some(0),
            exit: call.exit.map_or_else(|| "killed".to_owned(), |code| format!("exit {code}")),
            took: seconds(call.took_ms),
            output: block(&call.output, BLOCK),
        }
    }
}

impl TaskPart {
    fn of(task: &TaskFact) -> Self {
        Self {
            bad: matches!(task.state.as_str(), "failed" | "rejected" | "orphaned"),
            at: one_line(&task.at, 40),
            service: one_line(&task.service, 100),
            image: one_line(&task.image, 200),
            state: one_line(&task.state, 20),
            desired: one_line(&task.desired, 20),
            exit: task.exit.map(|code| code.to_string()).unwrap_or_default(),
            error: one_line(&task.error, LINE),
        }
    }
}

#[cfg(test)]
mod tests;
