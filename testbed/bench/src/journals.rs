//! Journals as runs write them, made up, for the history's bench.

use base::failure::{Cause, Failure, Kind};
use base::names::{Domain, RunId};
use jiff::{SignedDuration, Timestamp};

use journal::event::Decision;
use journal::event::{
    AbraCall, CheckResult, CheckTrace, Event, Fault, HostFacts, JOURNAL_FORMAT, Origin, Outcome, PlannedStage, Record,
    RunStarted, Stage, StageResult, TaskFact, Used, Verdict, VerdictKind,
};

/// Recipes that the runs are of.
pub(super) const RECIPES: u32 = 100;
/// After so many runs everything that makes a run what it is comes again: its recipe, red or green, whether its head is
/// tried twice, whether a pull request asked for it.
pub(super) const ROUND: u32 = 1_800;
/// Seconds between the starts of two runs.
const APART: i64 = 300;

/// The id of the run with this number.
pub(super) fn id(number: u32) -> Option<RunId> {
    let at = start(number).strftime("%Y%m%d-%H%M%S").to_string();
    let letters: String = (0..4).map(|n| char::from(b'a' + (number / 26_u32.pow(n) % 26) as u8)).collect();
    format!("{at}-{letters}").parse().ok()
}

pub(super) fn start(number: u32) -> Timestamp {
    let first = Timestamp::from_second(1_730_000_000).unwrap_or_default();
    first.checked_add(SignedDuration::from_secs(i64::from(number) * APART)).unwrap_or(first)
}

/// A run of about 45 checks in nine stages, 110 lines and 45 kB. Every ninth is red in its upgrade, and every second
/// head is tried twice.
pub(super) fn run(number: u32) -> Option<Vec<u8>> {
    let mut told = Told { at: start(number), ms: 0, lines: Vec::new(), seq: 0 };
    let red = number % 9 == 4;
    told.tell(Event::RunStarted(Box::new(started(number)?)));
    let mut fault = None;
    for stage in Stage::ALL.into_iter().filter(|stage| !matches!(stage, Stage::Prove | Stage::Faults | Stage::Variants))
    {
        told.tell(Event::StageStarted { stage, deadline_s: 300, expected_ms: Some(4_000) });
        told.ms += 200 + u64::from(number % 700);
        told.stage(stage, number);
        let is_red = red && stage == Stage::Upgrade;
        if is_red {
            let failure = Failure::new(Kind::RolledBack, "swarm rolled app back to the old image", "the log of app");
            fault = Some(Fault { cause: Cause::Recipe, failure: failure.with_detail("task failed\n".repeat(40)) });
        }
        let outcome = if is_red { Outcome::Failed } else { Outcome::Passed };
        told.check(stage, 9, outcome, fault.clone().filter(|_| is_red));
        let result = StageResult { outcome, fault: fault.clone().filter(|_| is_red), reason: None };
        let used = Used { memory_peak: Some(400 << 20), disk: Some(40 << 20), apps: vec![] };
        told.tell(Event::StageEnded { stage, result, took_ms: 300 + u64::from(number % 700), used: Some(used) });
    }
    told.tell(Event::ObjectsLeft { objects: vec![] });
    let word = if red { VerdictKind::Failed(Cause::Recipe) } else { VerdictKind::Passed };
    let decided_by = fault.map(|fault| Decision { stage: Stage::Upgrade, fault });
    let line = format!("{} stages in 17.6 s, upgraded from 1.2.0+1.22.1-2", Stage::ALL.len());
    told.tell(Event::RunEnded { verdict: Verdict { word, line, decided_by } });
    Some(told.lines)
}

/// One run with this many events more than it needs: checks, calls, logs and progress in turns.
pub(super) fn long(number: u32, events: u32) -> Option<Vec<u8>> {
    let mut told = Told { at: start(number), ms: 0, lines: Vec::new(), seq: 0 };
    told.tell(Event::RunStarted(Box::new(started(number)?)));
    let stage = Stage::Functional;
    told.tell(Event::StageStarted { stage, deadline_s: 300, expected_ms: None });
    for n in 0..events.saturating_sub(4) {
        told.ms += 3;
        match n % 10 {
            0 => told.check(stage, n, Outcome::Passed, None),
            1 => told.abra(stage, "app ps -n custom-html.ci.localhost"),
            2 => told.tell(Event::Noted { stage, text: format!("the app answered {n} times so far") }),
            _ => told
                .tell(Event::Progress { stage, text: format!("waiting for app: {n} of {events} answers are there") }),
        }
    }
    let result = StageResult { outcome: Outcome::Passed, fault: None, reason: None };
    told.tell(Event::StageEnded { stage, result, took_ms: told.ms, used: None });
    told.tell(Event::RunEnded {
        verdict: Verdict { word: VerdictKind::Passed, line: "passed".to_owned(), decided_by: None },
    });
    Some(told.lines)
}

struct Told {
    at: Timestamp,
    ms: u64,
    lines: Vec<u8>,
    seq: u64,
}

impl Told {
    fn tell(&mut self, event: Event) {
        let after = SignedDuration::from_millis(i64::try_from(self.ms).unwrap_or_default());
        let at = self.at.checked_add(after).unwrap_or(self.at);
        let record = Record { seq: self.seq, at, ms: self.ms, event };
        self.seq += 1;
        self.lines.extend(journal::line(&record).unwrap_or_default());
    }

    fn stage(&mut self, stage: Stage, number: u32) {
        self.tell(Event::Progress { stage, text: format!("waiting for app: starting, task {number} of many") });
        self.abra(stage, "app deploy -C -o -n -c -D custom-html-pr7-1a2b3c4.ci.localhost");
        for n in 0..4 {
            self.check(stage, n, Outcome::Passed, None);
        }
        if matches!(stage, Stage::Install | Stage::Upgrade | Stage::Fresh) {
            let service =
                "    image: nginx:1.29.3\n    networks: [proxy]\n    deploy: {labels: {traefik.enable: true}}\n";
            let yaml = format!("services:\n  app:\n{}volumes: {{content: {{}}}}\n", service.repeat(12));
            self.tell(Event::ComposeDeployed { stage, version: format!("1.3.0+{number}"), yaml });
            let line = format!("2026/11/21 09:14:17 [notice] 1#1: worker process {number} answered GET / in 12 ms\n");
            self.tell(Event::ServiceLogs { stage, service: "app".to_owned(), text: line.repeat(60), cut: true });
            let task = |n: u32| TaskFact {
                service: "app".to_owned(),
                task: format!("task{number}{n}"),
                image: "nginx:1.29.3".to_owned(),
                state: "running".to_owned(),
                desired: "running".to_owned(),
                error: String::new(),
                exit: None,
                at: self.at.to_string(),
            };
            let tasks = (0..3).map(task).collect();
            self.tell(Event::TaskHistory { stage, tasks });
        }
    }

    fn check(&mut self, stage: Stage, n: u32, outcome: Outcome, fault: Option<Fault>) {
        let name = if n < 2 { format!("{stage}.check-{n}") } else { format!("{stage}/{n}0-what-it-is-for.hurl") };
        let origin = if n < 2 { Origin::Generic } else { Origin::Overlay };
        let text = format!("GET / answered 200 in {n} ms, behind the app's own certificate");
        self.tell(Event::CheckEnded {
            stage,
            check: CheckResult { name, origin, outcome, text, fault, took_ms: 90, shown: CheckTrace::default() },
        });
    }

    fn abra(&mut self, stage: Stage, words: &str) {
        let args = words.split(' ').map(str::to_owned).collect();
        let output = "INFO[0001] deploying\nCreating service custom-html_app\n".repeat(4);
        self.tell(Event::AbraCalled { stage, call: AbraCall { args, exit: Some(0), output, took_ms: 900 } });
    }
}

pub(super) fn started(number: u32) -> Option<RunStarted> {
    // Two runs in a row of one recipe have the same head.
    let head = number / RECIPES / 2 * RECIPES + number % RECIPES;
    let domain: Domain = format!("app-{:x}.ci.localhost", number % 4096).parse().ok()?;
    let plan = |stage| PlannedStage {
        stage,
        deadline_s: 300,
        skip: None,
        steps: vec!["deploy the release before it and wait until it answers".to_owned(); 3],
        opt_outs: vec![],
    };
    Some(RunStarted {
        format: JOURNAL_FORMAT,
        run: id(number)?,
        restart_of: None,
        recipe: format!("recipe-{:02}", number % RECIPES).parse().ok()?,
        source: "https://git.example.org/coop-cloud/recipe.git".to_owned(),
        head: format!("{head:040x}").parse().ok()?,
        head_subject: "chore: upgrade nginx to 1.29.3".to_owned(),
        head_version: Some(format!("1.{}.0+1.29.3", number / RECIPES / 20)),
        base: Some(format!("1.{}.0+1.22.1", number / RECIPES / 20)),
        pull_request: (number / RECIPES % 2 == 1).then_some(u64::from(number / RECIPES / 4)),
        on_main: false,
        stack: domain.stack(),
        domain,
        dependencies: vec![],
        only: vec![],
        tests: std::collections::BTreeMap::new(),
        stages: Stage::ALL
            .into_iter()
            .filter(|stage| !matches!(stage, Stage::Prove | Stage::Faults | Stage::Variants))
            .map(plan)
            .collect(),
        cc_ci: "0.1.0".to_owned(),
        host: HostFacts { name: "ci-1".into(), engine: "20.10.24".into(), ipvs: true, abra: "abra 0.10.1".into() },
    })
}
