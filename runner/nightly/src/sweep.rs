//! One sweep: what it tests, its progress, and which recipes turned. Pure; the types are the file format.

use base::failure::{Cause, Kind};
use base::names::{Commit, RecipeName, RunId, is_ref};
use coopcloud::version;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::hook::WebhookMessage;
use journal::event::{Stage, VerdictKind};
use journal::fold::RunView;
use journal::text::one_line;
use journal::tone::Tone;
use source::Heads;

/// After this many consecutive runs blocked for the same reason, the sweep is cut short: the rest would end the same
/// way.
const IN_A_ROW: usize = 3;
/// Maximum length of a verdict's line.
const COLUMNS: usize = 400;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Its day, in the zone of `hour`.
    pub date: Date,
    /// The configured time.
    pub hour: String,
    pub began: Timestamp,
    /// Absent while the sweep is in progress.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// The recipes that had a folder when it began.
    pub recipes: Vec<Swept>,
    /// Why it ended early.
    #[serde(default)]
    pub cut_short: Option<String>,
    /// Days whose sweep was skipped because this one was still in progress.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Date>,
    #[serde(default)]
    pub message: WebhookMessage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swept {
    pub recipe: RecipeName,
    /// Address of its repository, without credentials; absent before the repository was queried.
    #[serde(default)]
    pub source: Option<String>,
    /// Its tested revisions; empty before the repository was queried.
    #[serde(default)]
    pub runs: Vec<SweepRun>,
    /// Why no revision is tested.
    #[serde(default)]
    pub not_tested: Option<String>,
}

/// One revision of a recipe in a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepRun {
    pub tested: Tested,
    /// Absent if the repository did not answer.
    #[serde(default)]
    pub commit: Option<Commit>,
    pub phase: SweepPhase,
    /// How often cc-ci was restarted during the run.
    #[serde(default)]
    pub restarts: u32,
    /// The state in the newest earlier sweep that knows it; set when the run ends.
    #[serde(default)]
    pub was: Option<SweptHealth>,
}

/// What a commit is to its recipe: the newest release, the default branch, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tested {
    /// The release of this commit.
    #[serde(default)]
    pub release: Option<String>,
    /// Whether it is the head of the default branch.
    pub main: bool,
}

/// Progress of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweepPhase {
    Waiting,
    /// In progress. Written before the process is started.
    Running {
        run: RunId,
    },
    Ended(SweepEnd),
}

/// How a run of a sweep ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepEnd {
    /// The recipe's state; absent if the run says nothing about it: stopped, skipped, no slot.
    pub health: Option<SweptHealth>,
    /// Absent if no run began.
    #[serde(default)]
    pub run: Option<RunId>,
    pub at: Timestamp,
    /// Who has to act.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// The stage that decided the verdict.
    #[serde(default)]
    pub stage: Option<Stage>,
    /// The code of the failure that decided the verdict.
    #[serde(default)]
    pub kind: Option<String>,
    /// One line, which may contain text from outside.
    pub line: String,
}

/// State of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweptHealth {
    /// Its run passed.
    Green,
    /// Its run failed, and the cause is not infrastructure.
    Red,
    /// Infrastructure prevented a result.
    Blocked,
}

impl SweptHealth {
    pub fn word(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::Blocked => "blocked",
        }
    }
}

/// The next step of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Query the repository of the recipe at this index.
    Ask(usize),
    /// Start this run of the recipe at this index.
    Start(usize, usize),
}

/// A recipe whose state changed since an earlier sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turned<'a> {
    pub recipe: &'a RecipeName,
    /// The run that shows it.
    pub run: &'a SweepRun,
    pub end: &'a SweepEnd,
    pub was: SweptHealth,
    pub now: SweptHealth,
}

impl Sweep {
    pub fn new(date: Date, hour: &str, began: Timestamp, recipes: Vec<RecipeName>) -> Self {
        let swept = |recipe| Swept { recipe, source: None, runs: Vec::new(), not_tested: None };
        Self {
            date,
            hour: hour.to_owned(),
            began,
            ended: None,
            recipes: recipes.into_iter().map(swept).collect(),
            cut_short: None,
            left_out: Vec::new(),
            message: WebhookMessage::None,
        }
    }

    /// The next step, recipe by recipe; `None` if every run is in progress or over.
    pub fn next(&self) -> Option<Next> {
        self.recipes.iter().enumerate().find_map(|(at, swept)| {
            if swept.runs.is_empty() {
                return swept.not_tested.is_none().then_some(Next::Ask(at));
            }
            let waits = swept.runs.iter().position(|run| run.phase == SweepPhase::Waiting);
            waits.map(|run| Next::Start(at, run))
        })
    }

    /// Why to stop early: the newest consecutive runs were blocked for the same reason.
    pub fn hopeless(&self) -> Option<&str> {
        let mut ends: Vec<&SweepEnd> = self.ends().map(|(.., end)| end).collect();
        ends.sort_by_key(|end| std::cmp::Reverse(end.at));
        let last = ends.get(..IN_A_ROW)?;
        let kind = last.first()?.kind.as_deref()?;
        let same = |end: &&SweepEnd| end.health == Some(SweptHealth::Blocked) && end.kind.as_deref() == Some(kind);
        last.iter().all(same).then_some(kind)
    }

    /// Skips everything that has not begun.
    pub fn cut_short(&mut self, why: &str) {
        self.cut_short = Some(why.to_owned());
        for swept in &mut self.recipes {
            if swept.runs.is_empty() && swept.not_tested.is_none() {
                swept.not_tested = Some("left out".to_owned());
            }
            swept.runs.retain(|run| run.phase != SweepPhase::Waiting);
            if swept.runs.is_empty() && swept.not_tested.is_none() {
                swept.not_tested = Some("left out".to_owned());
            }
        }
    }

    fn ends(&self) -> impl Iterator<Item = (&RecipeName, &SweepRun, &SweepEnd)> {
        self.recipes
            .iter()
            .flat_map(|swept| swept.runs.iter().filter_map(move |run| Some((&swept.recipe, run, run.end()?))))
    }

    /// The recipes that turned, one item per run.
    pub fn turned(&self) -> impl Iterator<Item = Turned<'_>> {
        self.ends().filter_map(|(recipe, run, end)| {
            let (was, now) = (run.was?, end.health?);
            (was != now).then_some(Turned { recipe, run, end, was, now })
        })
    }

    /// How many runs ended in this state.
    pub fn count(&self, health: SweptHealth) -> usize {
        self.ends().filter(|(.., end)| end.health == Some(health)).count()
    }

    /// The number of unfinished runs plus the number of recipes not queried yet.
    pub fn open(&self) -> usize {
        let of = |swept: &Swept| match (swept.runs.is_empty(), &swept.not_tested) {
            (true, None) => 1,
            _ => swept.runs.iter().filter(|run| run.end().is_none()).count(),
        };
        self.recipes.iter().map(of).sum()
    }
}

impl SweepRun {
    pub fn end(&self) -> Option<&SweepEnd> {
        match &self.phase {
            SweepPhase::Ended(end) => Some(end),
            _ => None,
        }
    }
}

impl Tested {
    /// For people: `main`, `release 1.2.0+1.29`.
    pub fn words(&self) -> String {
        // A tag's name may be no version.
        let name = |release: &String| if is_ref(release) { one_line(release, 40) } else { "of an odd name".to_owned() };
        match (&self.release, self.main) {
            (Some(release), true) => format!("release {} and main", name(release)),
            (Some(release), false) => format!("release {}", name(release)),
            (None, _) => "main".to_owned(),
        }
    }
}

/// The revisions to test: the newest release and the default branch, once if they are the same commit.
pub(super) fn revisions(heads: &Heads) -> Vec<SweepRun> {
    let waiting = |release: Option<&str>, main, commit: Commit| SweepRun {
        tested: Tested { release: release.map(str::to_owned), main },
        commit: Some(commit),
        phase: SweepPhase::Waiting,
        restarts: 0,
        was: None,
    };
    let names: Vec<String> = heads.tags.iter().map(|tag| tag.name.clone()).collect();
    let newest = version::newest(&names);
    let release = newest.and_then(|name| heads.tags.iter().find(|tag| tag.name == name));
    let commit = release.and_then(|tag| tag.commit.parse::<Commit>().ok());
    match (release, commit) {
        (Some(tag), Some(commit)) if commit == heads.main => vec![waiting(Some(&tag.name), true, commit)],
        (Some(tag), Some(commit)) => {
            vec![waiting(Some(&tag.name), false, commit), waiting(None, true, heads.main.clone())]
        }
        _ => vec![waiting(None, true, heads.main.clone())],
    }
}

/// The placeholder for a recipe's revisions if its repository does not answer.
pub(super) fn not_asked(kind: Kind, line: &str, at: Timestamp) -> SweepRun {
    SweepRun {
        tested: Tested { release: None, main: true },
        commit: None,
        phase: SweepPhase::Ended(SweepEnd {
            health: Some(SweptHealth::Blocked),
            run: None,
            at,
            cause: Some(kind.usual_cause()),
            stage: None,
            kind: Some(kind.code().to_owned()),
            line: one_line(line, COLUMNS),
        }),
        restarts: 0,
        was: None,
    }
}

/// The end of a run, from its journal; `None` without a verdict.
pub(super) fn end_of(view: &RunView, at: Timestamp) -> Option<SweepEnd> {
    let verdict = view.verdict.as_ref()?;
    let decided = verdict.decided_by.as_ref();
    let kind = decided.map(|decision| decision.fault.failure.kind);
    let health = match (view.tone(), verdict.word) {
        // Other runs held the slots for the whole waiting time: neither the recipe nor a fault.
        _ if kind == Some(Kind::NoSlot) => None,
        (_, VerdictKind::Cancelled) => None,
        (Tone::Passed, _) => Some(SweptHealth::Green),
        (Tone::Failed, VerdictKind::Failed(cause)) if cause != Cause::Infrastructure => Some(SweptHealth::Red),
        _ => Some(SweptHealth::Blocked),
    };
    let cause = match verdict.word {
        VerdictKind::Failed(cause) => Some(cause),
        VerdictKind::Passed | VerdictKind::Cancelled => None,
    };
    Some(SweepEnd {
        health,
        run: Some(view.started.run.clone()),
        at,
        cause,
        stage: view.deciding_stage(),
        kind: kind.map(|kind| kind.code().to_owned()),
        line: one_line(&verdict.line, COLUMNS),
    })
}

/// The state of a run that ends now in the newest earlier sweep that knows it. A commit that is both release and main
/// turned if either did.
pub(super) fn before(
    earlier: &[Sweep],
    recipe: &RecipeName,
    tested: &Tested,
    now: Option<SweptHealth>,
) -> Option<SweptHealth> {
    let last = |is: fn(&Tested) -> bool| {
        let ends = earlier.iter().flat_map(Sweep::ends);
        ends.filter(|(name, run, _)| *name == recipe && is(&run.tested)).find_map(|(.., end)| end.health)
    };
    let main = tested.main.then(|| last(|tested| tested.main)).flatten();
    let release = tested.release.as_ref().and_then(|_| last(|tested| tested.release.is_some()));
    let known = [main, release];
    known.iter().flatten().find(|was| Some(**was) != now).or(known.iter().flatten().next()).copied()
}

/// The newest day on which this commit was green in the same role, with no other commit since.
pub(super) fn green_on(earlier: &[Sweep], recipe: &RecipeName, run: &SweepRun) -> Option<Date> {
    earlier.iter().find_map(|sweep| {
        let mut ends = sweep.ends().filter(|(name, ..)| *name == recipe);
        let (_, known, end) = ends.find(|(_, known, end)| known.tested == run.tested && end.health.is_some())?;
        Some((known.commit == run.commit && end.health == Some(SweptHealth::Green)).then_some(sweep.date))
    })?
}

impl Turned<'_> {
    /// One line without text from outside: `n8n, main at 1a2b3c4d: red by the recipe in upgrade, was green`.
    pub fn words(&self) -> String {
        let at = self.run.commit.as_ref().map_or_else(String::new, |commit| format!(" at {}", commit.short()));
        let by = self.end.cause.map_or_else(String::new, |cause| format!(" by {}", cause.words()));
        let stage = self.end.stage.map_or_else(String::new, |stage| format!(" in {stage}"));
        let (tested, now, was) = (self.run.tested.words(), self.now.word(), self.was.word());
        format!("{}, {tested}{at}: {now}{by}{stage}, was {was}", self.recipe)
    }
}

#[cfg(test)]
pub(super) mod tests;
