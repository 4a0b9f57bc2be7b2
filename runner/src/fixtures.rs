//! Runs as they happen, for the tests of the reports.

use harness::exchange::{Exchange, Side};
use harness::failure::{Cause, Failure, Kind};
use harness::names::Domain;
use jiff::{SignedDuration, Timestamp};

use crate::event::{
    AbraCall, AppUsed, CheckResult, Event, Fault, HostFacts, JOURNAL_FORMAT, ObjectFact, OptOut, Origin, Outcome,
    PlannedStage, Record, RunStarted, Shown, Stage, StageResult, TaskFact, Used,
};
use crate::verdict::verdict;

/// Tells a run, event by event.
pub(crate) struct Story {
    started: RunStarted,
    records: Vec<Record>,
    results: Vec<(Stage, StageResult)>,
    ms: u64,
    stage: Stage,
    stage_from: u64,
    used: Option<Used>,
    shown: Option<Shown>,
}

/// The stages of a run that proves nothing about its tests.
fn usual() -> impl Iterator<Item = Stage> {
    Stage::ALL
        .into_iter()
        .filter(|stage| !matches!(stage, Stage::Dependencies | Stage::Prove | Stage::Faults | Stage::Variants))
}

impl Story {
    pub(crate) fn new(started: RunStarted) -> Self {
        let mut story = Self {
            started: started.clone(),
            records: Vec::new(),
            results: Vec::new(),
            ms: 0,
            stage: Stage::Prepare,
            stage_from: 0,
            used: None,
            shown: None,
        };
        story.tell(Event::RunStarted(Box::new(started)));
        story
    }

    pub(crate) fn tell(&mut self, event: Event) -> &mut Self {
        let start: Timestamp = "2026-11-21T09:14:03.250Z".parse().unwrap();
        let after = SignedDuration::from_millis(i64::try_from(self.ms).unwrap());
        let seq = self.records.len() as u64;
        self.records.push(Record { seq, at: start + after, ms: self.ms, event });
        self
    }

    pub(crate) fn wait(&mut self, ms: u64) -> &mut Self {
        self.ms += ms;
        self
    }

    pub(crate) fn stage(&mut self, stage: Stage, expected_ms: Option<u64>) -> &mut Self {
        (self.stage, self.stage_from) = (stage, self.ms);
        let deadline_s = 600;
        self.tell(Event::StageStarted { stage, deadline_s, expected_ms })
    }

    /// What the run's apps hold in the stage that runs, in MiB.
    pub(crate) fn used(&mut self, memory: u64, disk: u64) -> &mut Self {
        let (memory_peak, disk) = (Some(memory << 20), Some(disk << 20));
        let apps = vec![AppUsed { app: "custom-html".to_owned(), memory_peak, disk }];
        self.used = Some(Used { memory_peak, disk, apps });
        self
    }

    /// What the next check did.
    pub(crate) fn did(&mut self, shown: Shown) -> &mut Self {
        self.shown = Some(shown);
        self
    }

    pub(crate) fn busy(&mut self, ms: u64, text: &str) -> &mut Self {
        let (stage, text) = (self.stage, text.to_owned());
        self.tell(Event::Progress { stage, text }).wait(ms)
    }

    pub(crate) fn abra(&mut self, ms: u64, args: &str, exit: i32, output: &str) -> &mut Self {
        let args = args.split(' ').map(str::to_owned).collect();
        let call = AbraCall { args, exit: Some(exit), output: output.to_owned(), took_ms: ms };
        let stage = self.stage;
        self.wait(ms).tell(Event::AbraCalled { stage, call })
    }

    pub(crate) fn green(&mut self, ms: u64, name: &str, text: &str) -> &mut Self {
        self.check(ms, name, Outcome::Passed, text, None)
    }

    pub(crate) fn check(
        &mut self,
        ms: u64,
        name: &str,
        outcome: Outcome,
        text: &str,
        fault: Option<Fault>,
    ) -> &mut Self {
        let origin = if name.contains('/') { Origin::Overlay } else { Origin::Generic };
        let check = CheckResult {
            name: name.to_owned(),
            origin,
            outcome,
            text: text.to_owned(),
            fault,
            took_ms: ms,
            shown: self.shown.take().unwrap_or_default(),
        };
        let stage = self.stage;
        self.wait(ms).tell(Event::CheckEnded { stage, check })
    }

    pub(crate) fn note(&mut self, text: &str) -> &mut Self {
        let (stage, text) = (self.stage, text.to_owned());
        self.tell(Event::Noted { stage, text })
    }

    pub(crate) fn logs(&mut self, service: &str, text: &str) -> &mut Self {
        let stage = self.stage;
        self.tell(Event::ServiceLogs { stage, service: service.to_owned(), text: text.to_owned(), cut: true })
    }

    pub(crate) fn tasks(&mut self, tasks: &[(&str, &str, &str, &str, Option<i64>)]) -> &mut Self {
        let tasks = tasks
            .iter()
            .enumerate()
            .map(|(n, (id, image, state, error, exit))| TaskFact {
                service: "app".into(),
                task: (*id).into(),
                image: (*image).into(),
                state: (*state).into(),
                desired: if *state == "running" { "running" } else { "shutdown" }.into(),
                error: (*error).into(),
                exit: *exit,
                at: format!("2026-11-21T09:14:{:02}Z", 6 + n * 3),
            })
            .collect();
        let stage = self.stage;
        self.tell(Event::TaskHistory { stage, tasks })
    }

    pub(crate) fn compose(&mut self, version: &str, yaml: &str) -> &mut Self {
        let stage = self.stage;
        self.tell(Event::ComposeDeployed { stage, version: version.to_owned(), yaml: yaml.to_owned() })
    }

    pub(crate) fn ended(&mut self, result: StageResult) -> &mut Self {
        let (stage, took_ms) = (self.stage, self.ms - self.stage_from);
        self.results.push((stage, result.clone()));
        let used = self.used.take();
        self.tell(Event::StageEnded { stage, result, took_ms, used })
    }

    pub(crate) fn passed(&mut self) -> &mut Self {
        self.ended(StageResult { outcome: Outcome::Passed, fault: None, reason: None })
    }

    pub(crate) fn end(&mut self, cancelled: bool, left: &[ObjectFact]) -> Vec<Record> {
        self.tell(Event::ObjectsLeft { objects: left.to_vec() });
        let verdict = verdict(&self.started, &self.results, self.ms, cancelled, left);
        self.tell(Event::RunEnded { verdict });
        self.records.clone()
    }
}

/// The start of a run of custom-html.
pub(crate) fn started() -> RunStarted {
    let domain: Domain = "custom-html-pr7-1a2b3c4.ci.localhost".parse().unwrap();
    let steps: [&[&str]; 8] = [
        &["check out 1a2b3c4d", "abra recipe lint", "pull nginx:1.29.3"],
        &["wait for room on the swarm for 1 app"],
        &["deploy 1.2.0+1.22.1", "wait for app", "GET https://custom-html-pr7-1a2b3c4.ci.localhost/"],
        &["seed data", "deploy 1a2b3c4d in place", "wait for app", "check data", "labels name the head"],
        &["back up", "wipe", "check must fail", "restore", "check data"],
        &["functional/content.hurl", "functional/not_found.hurl"],
        &["undeploy, remove volumes", "deploy 1a2b3c4d", "wait for app"],
        &["undeploy", "remove volumes, secrets, configs, networks"],
    ];
    let stages = usual()
        .zip(steps)
        .map(|(stage, steps)| PlannedStage {
            stage,
            deadline_s: 600,
            skip: None,
            steps: steps.iter().map(|step| (*step).to_owned()).collect(),
            opt_outs: if stage == Stage::Upgrade {
                let reason = "the page is static: nginx writes no data of its own";
                vec![OptOut { check: "upgrade.data-kept".into(), reason: reason.into() }]
            } else {
                vec![]
            },
        })
        .collect();
    RunStarted {
        format: JOURNAL_FORMAT,
        run: "20261121-091403-kxqv".parse().unwrap(),
        restart_of: None,
        recipe: "custom-html".parse().unwrap(),
        source: "https://git.coopcloud.tech/coop-cloud/custom-html.git".into(),
        head: "1a2b3c4d5e6f708192a3b4c5d6e7f80912a3b4c5".parse().unwrap(),
        head_subject: "chore: upgrade nginx to 1.29.3".into(),
        head_version: Some("1.3.0+1.29.3".into()),
        base: Some("1.2.0+1.22.1".into()),
        pull_request: Some(7),
        on_main: false,
        stack: domain.stack(),
        domain,
        dependencies: Vec::new(),
        only: Vec::new(),
        stages,
        tests: [("install/page.hurl".to_owned(), "0123456789abcdef".to_owned())].into(),
        cc_ci: "0.1.0".into(),
        host: HostFacts {
            name: "ci-1".into(),
            engine: "20.10.24".into(),
            ipvs: true,
            abra: "/usr/local/bin/abra 0.10.1-beta".into(),
        },
    }
}

const COMPOSE: &str = "\
services:
  app:
    image: nginx:1.29.3
    networks: [proxy]
    volumes: [\"content:/usr/share/nginx/html\"]
    healthcheck:
      test: [\"CMD\", \"curl\", \"-f\", \"http://localhost\"]
      interval: 30s
      timeout: 10s
      retries: 10
    deploy:
      update_config: {failure_action: rollback, order: start-first}
      labels:
        traefik.enable: \"true\"
        coop-cloud.custom-html-pr7-1a2b3c4_ci_localhost.version: 1.3.0+1.29.3
networks:
  proxy: {external: true}
volumes:
  content: {}
";

const DEPLOY: &str = "\
WARN[0000] skipping lint errors because --chaos was given
INFO[0001] deploying custom-html-pr7-1a2b3c4.ci.localhost
Creating service custom-html-pr7-1a2b3c4_ci_localhost_app
INFO[0001] not waiting for the deployment to converge
";

fn exchange(method: &str, url: &str, sent: &str, status: u16, media: &str, body: &str) -> Exchange {
    let side = |text: &str, media| Side::taken([("content-type", media)], text.as_bytes(), 0);
    let took = std::time::Duration::from_millis(12);
    Exchange::taken(method, url, side(sent, ""), took).answered(status, side(body, media))
}

/// A health check that was asked again until it was well.
fn health() -> Shown {
    let url = "https://custom-html-pr7-1a2b3c4.ci.localhost/";
    let mut refused = Exchange::taken("GET", url, Side::default(), std::time::Duration::from_millis(3));
    (refused.error, refused.times) = ("connection refused".into(), 4);
    let well = exchange("GET", url, "", 200, "text/html", "<!doctype html>\n<title>Welcome to nginx!</title>\n");
    Shown { exchanges: vec![refused, well], ..Shown::default() }
}

/// A Hurl file's requests, with twelve left out between them, and what a script printed.
fn asked() -> Shown {
    let url = "https://custom-html-pr7-1a2b3c4.ci.localhost/notes/1?page=2";
    let mut moved = exchange("GET", url, "", 302, "", "");
    moved.answer.location = "/login?next=[redacted]".into();
    let written = exchange("POST", url, "{\"title\": \"one\"}", 201, "application/json", "{\"id\": 1}");
    let mut gone = exchange("GET", url, "", 404, "text/plain", "no such page");
    (gone.answer.cut, gone.answer.bytes) = (true, 34_567);
    let exchanges = vec![written, moved, gone, exchange("GET", url, "", 500, "", "")];
    Shown { exchanges, exchanges_left_out: 12, output: "wrote 3 files\nread 3 files".into(), ..Shown::default() }
}

fn prepared_and_installed(story: &mut Story) {
    story
        .stage(Stage::Prepare, Some(1_900))
        .busy(300, "checking out 1a2b3c4d")
        .abra(610, "recipe lint -n -C custom-html", 0, "no critical errors found")
        .green(0, "prepare.rules", "abra finds no critical error")
        .busy(820, "pulling nginx:1.29.3")
        .green(40, "prepare.images", "2 images are here")
        .passed()
        .stage(Stage::Slot, Some(90))
        .busy(40, "place 1 of 1 in the queue, waits for room, expected to begin in 12.0 s")
        .green(10, "slot.taken", "1 of 8 apps and 512 of 16000 MiB; at most 4 runs")
        .passed()
        .stage(Stage::Install, Some(3_000))
        .abra(210, "app new -n -s default -D custom-html-pr7-1a2b3c4.ci.localhost custom-html", 0, "app created")
        .abra(940, "app deploy -C -o -n -c -D custom-html-pr7-1a2b3c4.ci.localhost", 0, DEPLOY)
        .compose("1.2.0+1.22.1", &COMPOSE.replace("1.29.3", "1.22.1").replace("1.3.0", "1.2.0"))
        .busy(1_400, "waiting for app: starting")
        .green(0, "install.converged", "1 of 1 services run, healthy after 1.4 s")
        .did(health())
        .green(90, "install.answers", "GET / answered 200 in 12 ms, behind the app's own certificate")
        .did(asked())
        .green(120, "install/page.hurl", "4 assertions")
        .tasks(&[("q1w2e3", "nginx:1.22.1", "running", "", None)])
        .passed();
}

/// A run in which everything is green.
pub(crate) fn passed() -> Vec<Record> {
    let mut story = Story::new(started());
    prepared_and_installed(&mut story);
    story
        .stage(Stage::Upgrade, Some(4_400))
        .green(180, "upgrade.seeded", "data/seed.sh wrote 3 files")
        .abra(880, "app deploy -C -o -n -c -D custom-html-pr7-1a2b3c4.ci.localhost", 0, DEPLOY)
        .compose("1.3.0+1.29.3 (1a2b3c4d)", COMPOSE)
        .busy(2_300, "waiting for app: new task starting beside the old one")
        .green(0, "upgrade.converged", "1 of 1 services run, healthy after 2.3 s")
        .green(30, "upgrade.moved", "image nginx:1.22.1 → nginx:1.29.3, chaos-version 1a2b3c4d")
        .check(0, "upgrade.data-kept", Outcome::Skipped, "the page is static: nginx writes no data of its own", None)
        .green(110, "data/check.sh", "3 of 3 files are there, with their content")
        .used(412, 35)
        .passed()
        .stage(Stage::Backup, Some(3_900))
        .abra(1_900, "app backup create -n custom-html-pr7-1a2b3c4.ci.localhost", 0, "snapshot 8c1f2a90 saved")
        .green(0, "backup.not-empty", "snapshot 8c1f2a90 holds 4 files, 12.3 kB")
        .green(90, "backup.wiped", "after data/wipe.sh data/check.sh fails, as it must")
        .abra(1_200, "app restore -n custom-html-pr7-1a2b3c4.ci.localhost latest", 0, "restored 4 files")
        .green(130, "backup.restored", "data/check.sh is green again")
        .passed()
        .stage(Stage::Functional, Some(900))
        .green(240, "functional/content.hurl", "write a page, fetch it back: 6 assertions")
        .green(210, "functional/not_found.hurl", "404 of what is not there: 3 assertions")
        .note("volume content has no backupbot label; all volumes are backed up")
        .passed()
        .stage(Stage::Fresh, None)
        .abra(1_100, "app undeploy -n custom-html-pr7-1a2b3c4.ci.localhost", 0, "undeployed")
        .abra(900, "app deploy -C -o -n -c -D custom-html-pr7-1a2b3c4.ci.localhost", 0, DEPLOY)
        .busy(1_500, "waiting for app: starting")
        .green(0, "fresh.converged", "1 of 1 services run, healthy after 1.5 s")
        .green(80, "fresh.answers", "GET / answered 200 in 9 ms")
        .passed()
        .stage(Stage::Teardown, Some(1_600))
        .abra(700, "app undeploy -n custom-html-pr7-1a2b3c4.ci.localhost", 0, "undeployed")
        .green(
            420,
            "teardown.nothing-left",
            "0 objects of this run are left; the engine's list equals the one from before",
        )
        .passed();
    story.end(false, &[])
}

/// A fault of the recipe in an upgrade that swarm rolled back.
pub(crate) fn rolled_back() -> Fault {
    let failure = Failure::new(
        Kind::RolledBack,
        "swarm rolled app back to nginx:1.22.1 after nginx:1.29.3 exited 3 times with code 1",
        "the new container's log below: nginx does not start with the config of this recipe",
    )
    .with_detail(
        "task r7t8y9 of app (nginx:1.29.3): failed, exit code 1, after 0.6 s\n\
         task u0i1o2 of app (nginx:1.29.3): failed, exit code 1, after 0.5 s\n\
         task p3a4s5 of app (nginx:1.29.3): failed, exit code 1, after 0.6 s\n\
         nginx: [emerg] unknown directive \"spdy\" in /etc/nginx/conf.d/default.conf:3\n\
         nginx: configuration file /etc/nginx/nginx.conf test failed",
    );
    Fault { cause: Cause::Recipe, failure }
}

/// A run whose upgrade is rolled back; the stages behind it are blocked.
pub(crate) fn failed_upgrade() -> Vec<Record> {
    let mut story = Story::new(started());
    prepared_and_installed(&mut story);
    let fault = rolled_back();
    story
        .stage(Stage::Upgrade, Some(4_400))
        .green(180, "upgrade.seeded", "data/seed.sh wrote 3 files")
        .abra(880, "app deploy -C -o -n -c -D custom-html-pr7-1a2b3c4.ci.localhost", 0, DEPLOY)
        .compose("1.3.0+1.29.3 (1a2b3c4d)", COMPOSE)
        .busy(2_000, "waiting for app: new task starting beside the old one")
        .busy(6_400, "waiting for app: 2 of 3 exits, next start in 5 s")
        .check(0, "upgrade.converged", Outcome::Failed, "", Some(fault.clone()))
        .tasks(&[
            ("q1w2e3", "nginx:1.22.1", "running", "", None),
            ("r7t8y9", "nginx:1.29.3", "failed", "task: non-zero exit (1)", Some(1)),
            ("u0i1o2", "nginx:1.29.3", "failed", "task: non-zero exit (1)", Some(1)),
            ("p3a4s5", "nginx:1.29.3", "failed", "task: non-zero exit (1)", Some(1)),
        ])
        .logs(
            "app",
            "/docker-entrypoint.sh: Configuration complete; ready for start up\n\
             2026/11/21 09:14:17 [emerg] 1#1: unknown directive \"spdy\" in /etc/nginx/conf.d/default.conf:3\n\
             nginx: [emerg] unknown directive \"spdy\" in /etc/nginx/conf.d/default.conf:3\n",
        )
        .ended(StageResult { outcome: Outcome::Failed, fault: Some(fault), reason: None });
    for stage in [Stage::Backup, Stage::Functional, Stage::Fresh] {
        // What cannot run ends without having begun.
        (story.stage, story.stage_from) = (stage, story.ms);
        let reason = Some("upgrade did not succeed".to_owned());
        story.ended(StageResult { outcome: Outcome::Blocked, fault: None, reason });
    }
    story
        .stage(Stage::Teardown, Some(1_600))
        .abra(700, "app undeploy -n custom-html-pr7-1a2b3c4.ci.localhost", 0, "undeployed")
        .green(420, "teardown.nothing-left", "0 objects of this run are left")
        .passed();
    story.end(false, &[])
}

/// A run that was killed while it waited for a backup.
pub(crate) fn killed() -> Vec<Record> {
    let mut story = Story::new(started());
    prepared_and_installed(&mut story);
    story
        .stage(Stage::Upgrade, Some(4_400))
        .green(3_100, "upgrade.moved", "image nginx:1.22.1 → nginx:1.29.3")
        .passed()
        .stage(Stage::Backup, Some(3_900))
        .busy(2_000, "waiting for the snapshot");
    story.records.clone()
}

/// The same, asked to stop: it tears down and says so.
pub(crate) fn cancelled() -> Vec<Record> {
    let mut story = Story::new(started());
    prepared_and_installed(&mut story);
    story.end(true, &[])
}

/// A run that left objects behind and had nothing else to complain of.
pub(crate) fn left_behind() -> Vec<Record> {
    let left = ["content", "logs"]
        .map(|name| ObjectFact { kind: "volume".into(), name: format!("custom-html-pr7-1a2b3c4_ci_localhost_{name}") });
    let mut records = passed();
    records.truncate(records.len() - 2);
    let mut story = Story::new(started());
    story.ms = records.last().map_or(0, |record| record.ms);
    story.results =
        usual().map(|stage| (stage, StageResult { outcome: Outcome::Passed, fault: None, reason: None })).collect();
    story.records = records;
    story.end(false, &left)
}

/// Text that wants out of every report that it gets into.
pub(crate) const HOSTILE: &str = "</pre></details><script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>\
    ]]>\u{1b}[31m\u{1b}]8;;https://evil.example\u{7}link\u{1b}]8;;\u{7}\u{9b}2J\u{0}\u{8}\u{202e}\r\"' &amp; {{ x }} {% raw %}\u{ffff}";

/// A run in which every text from outside is hostile, and one line is 1 MB long.
pub(crate) fn hostile() -> Vec<Record> {
    let mut start = started();
    start.head_subject = HOSTILE.into();
    start.source = HOSTILE.into();
    start.head_version = Some(HOSTILE.into());
    start.base = Some(HOSTILE.into());
    start.host.name = HOSTILE.into();
    start.host.engine = HOSTILE.into();
    start.host.abra = HOSTILE.into();
    for stage in &mut start.stages {
        stage.steps.push(HOSTILE.into());
        stage.opt_outs = vec![OptOut { check: HOSTILE.into(), reason: HOSTILE.into() }];
    }
    let fault = || Fault {
        cause: Cause::Recipe,
        failure: Failure::new(Kind::CheckFailed, HOSTILE, HOSTILE).with_detail(format!("{HOSTILE}\n{HOSTILE}")),
    };
    let long = "x".repeat(1 << 20);
    let mut shown = asked();
    for one in &mut shown.exchanges {
        (one.method, one.url, one.error) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
        for side in [&mut one.request, &mut one.answer] {
            (side.media, side.location, side.challenge) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
            side.text = HOSTILE.into();
        }
    }
    shown.exchanges[0].answer.text = format!("{HOSTILE}{long}");
    shown.output = format!("{HOSTILE}\n{long}");
    shown.files = vec![HOSTILE.into()];
    let mut story = Story::new(start);
    story
        .stage(Stage::Prepare, Some(1))
        .passed()
        .stage(Stage::Slot, Some(1))
        .passed()
        .stage(Stage::Install, Some(1))
        .busy(10, HOSTILE)
        .abra(10, HOSTILE, 1, &format!("{HOSTILE}\n{long}\n"))
        .did(shown)
        .check(10, HOSTILE, Outcome::Failed, HOSTILE, Some(fault()))
        .check(10, "install/skipped.hurl", Outcome::Skipped, HOSTILE, None)
        .note(HOSTILE)
        .note(&long)
        .logs(HOSTILE, &format!("{long}\n{HOSTILE}"))
        .tasks(&[(HOSTILE, HOSTILE, HOSTILE, HOSTILE, Some(1))])
        .compose(HOSTILE, HOSTILE)
        .ended(StageResult { outcome: Outcome::Failed, fault: Some(fault()), reason: None });
    for stage in usual().skip(3) {
        story.stage(stage, None).ended(StageResult {
            outcome: Outcome::Skipped,
            fault: None,
            reason: Some(HOSTILE.into()),
        });
    }
    story.end(false, &[ObjectFact { kind: HOSTILE.into(), name: HOSTILE.into() }])
}

/// Every story, with a name for snapshots.
/// A green run of a restarted build.
pub(crate) fn restarted() -> Vec<Record> {
    let mut records = passed();
    if let Event::RunStarted(started) = &mut records[0].event {
        started.restart_of = Some(started.run.clone());
        started.run = "20261121-091403-kxqv-b43".parse().unwrap();
    }
    records
}

pub(crate) fn all() -> [(&'static str, Vec<Record>); 6] {
    [
        ("passed", passed()),
        ("restarted", restarted()),
        ("failed-upgrade", failed_upgrade()),
        ("killed", killed()),
        ("left-behind", left_behind()),
        ("hostile", hostile()),
    ]
}
