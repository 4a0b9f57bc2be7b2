//! A run as a process: `cc-ci run` on a leash. The leash is its standard input: when that ends, whether it was closed
//! or cc-ci died, the run tears down and exits.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use base::names::{Commit, RecipeName, RunId};
use forge::names::CommentId;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use super::builds::StartedBuild;
use super::message::{ChildExit, WorkerMessage};
use host::settings::Settings;
use journal::event::Record;

/// Variables of the service manager, and paths of cc-ci's secrets. A run must not see either.
pub const NOT_FOR_RUNS: [&str; 17] = [
    "CCCI_FORGE_TOKEN_FILE",
    // git receives it in its own settings.
    "CCCI_FORGE_CA_FILE",
    "CCCI_PAGES_TOKEN_FILE",
    "CCCI_WEBHOOK_SECRET_FILE",
    "CCCI_NIGHTLY_HOOK",
    "CCCI_NIGHTLY_HOOK_SECRET_FILE",
    "CCCI_DRONE_URL",
    "CCCI_DRONE_REPO",
    "CCCI_DRONE_BRANCH",
    "CCCI_DRONE_TOKEN_FILE",
    // Their journals are here.
    "CCCI_REPORT_TO",
    "CCCI_REPORT_TOKEN_FILE",
    "CCCI_REPORT_PICTURES",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "CREDENTIALS_DIRECTORY",
];

/// Lines of standard error to keep.
const LINES: usize = 20;
/// How long to wait for output that a dead run's children may still hold open.
const REST: Duration = Duration::from_secs(5);
/// How long a released run has for its teardown before it is killed; the janitor removes the rest.
const TEARDOWN: Duration = Duration::from_secs(4 * 60);

/// A run to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The comment that requests it.
    pub comment: CommentId,
    pub recipe: RecipeName,
    /// The address that its repository is fetched from, without a password.
    pub source: Url,
    pub pull: u64,
    pub commit: Commit,
    pub run: RunId,
    /// The requested part; everything if empty.
    pub only: Vec<String>,
    /// The release that the upgrade starts from.
    pub from: Option<String>,
    /// Whether it may have been started before, by an earlier cc-ci process whose runs outlive it.
    pub again: bool,
    /// The known build.
    pub build: Option<u64>,
    /// Whether that build's run was seen on this swarm.
    pub on_swarm: bool,
}

impl Order {
    /// The arguments of the process. All of them have a checked type or are constant.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["run".to_owned(), self.recipe.to_string()];
        let mut option = |name: &str, value: String| words.push(format!("--{name}={value}"));
        option("source", self.source.to_string());
        option("pr", self.pull.to_string());
        option("commit", self.commit.to_string());
        option("run-id", self.run.to_string());
        if !self.only.is_empty() {
            option("only", self.only.join(","));
        }
        if let Some(from) = &self.from {
            option("from", from.clone());
        }
        words.extend(["--leash", "--json"].map(str::to_owned));
        words
    }
}

/// Starts runs.
pub trait Runs: Send + Sync + 'static {
    /// Starts a run. Its records are sent as [`WorkerMessage::Record`], its end as [`WorkerMessage::ChildExit`] or
    /// [`WorkerMessage::Over`].
    fn start(&self, order: &Order, came: mpsc::UnboundedSender<WorkerMessage>) -> io::Result<Leash>;

    /// Looks for restarts of builds that have ended; each is sent as [`WorkerMessage::Restarted`].
    fn look_for_restarts(&self, _known: Vec<StartedBuild>, _came: mpsc::UnboundedSender<WorkerMessage>) {}

    /// Whether runs outlive this process. Then the same order finds the same run again.
    fn outlive(&self) -> bool {
        false
    }
}

impl Runs for Box<dyn Runs> {
    fn start(&self, order: &Order, came: mpsc::UnboundedSender<WorkerMessage>) -> io::Result<Leash> {
        (**self).start(order, came)
    }

    fn outlive(&self) -> bool {
        (**self).outlive()
    }

    fn look_for_restarts(&self, known: Vec<StartedBuild>, came: mpsc::UnboundedSender<WorkerMessage>) {
        (**self).look_for_restarts(known, came);
    }
}

/// The handle of a run: when it is dropped, the run stops.
#[derive(Debug)]
pub struct Leash(DropGuard);

impl Leash {
    /// A leash, and the token that is cancelled when it is dropped.
    pub fn new() -> (Self, CancellationToken) {
        let token = CancellationToken::new();
        (Self(token.clone().drop_guard()), token)
    }

    /// Detaches, for runs that outlive cc-ci.
    pub fn let_be(self) {
        self.0.disarm();
    }
}

/// Starts this program as a child process for each run.
#[derive(Debug, Clone)]
pub struct Children {
    program: OsString,
    environment: Vec<(&'static str, OsString)>,
    /// Environment of every git below a run.
    git: Vec<(String, Option<OsString>)>,
}

impl Children {
    pub fn new(settings: &Settings) -> io::Result<Self> {
        Ok(Self { program: std::env::current_exe()?.into(), environment: settings.environment(), git: Vec::new() })
    }

    /// Adds variables for every git below the runs; none is removed.
    pub fn telling_git(self, git: Vec<(String, Option<OsString>)>) -> Self {
        Self { git, ..self }
    }
}

impl Children {
    /// Starts a run with these arguments. `take` receives its records until it returns false; the exit comes after all
    /// of them.
    pub fn begin(
        &self,
        words: &[String],
        take: impl FnMut(Record) -> bool + Send + 'static,
    ) -> io::Result<(Leash, JoinHandle<ChildExit>)> {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Its own process group: Ctrl-C is for cc-ci, which then stops its runs in order.
            .process_group(0);
        for name in NOT_FOR_RUNS {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().cloned());
        for (name, value) in &self.git {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let child = command.spawn()?;
        let (leash, let_go) = Leash::new();
        Ok((leash, tokio::spawn(follow(child, let_go, take))))
    }
}

impl Runs for Children {
    fn start(&self, order: &Order, came: mpsc::UnboundedSender<WorkerMessage>) -> io::Result<Leash> {
        let (comment, records) = (order.comment, came.clone());
        let take = move |record| records.send(WorkerMessage::Record(comment, Box::new(record))).is_ok();
        let (leash, ending) = self.begin(&order.words(), take)?;
        tokio::spawn(async move {
            if let Ok(ended) = ending.await {
                let _ = came.send(WorkerMessage::Ended(comment, ended));
            }
        });
        Ok(leash)
    }
}

async fn follow(
    mut child: Child,
    let_go: CancellationToken,
    take: impl FnMut(Record) -> bool + Send + 'static,
) -> ChildExit {
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut reading = tokio::spawn(async move {
        if let Some(output) = output {
            read_records(output, take).await;
        }
    });
    let mut listening = tokio::spawn(async move {
        match errors {
            Some(errors) => last_lines(errors).await,
            None => Vec::new(),
        }
    });
    let status = tokio::select! {
        status = child.wait() => status,
        () = let_go.cancelled() => {
            drop(input);
            match tokio::time::timeout(TEARDOWN, child.wait()).await {
                Ok(status) => status,
                Err(_) => {
                    tracing::warn!("a run did not stop in {} s and is killed", TEARDOWN.as_secs());
                    let _ = child.start_kill();
                    child.wait().await
                }
            }
        }
    };
    // All its output comes before its end.
    let _ = tokio::time::timeout(REST, &mut reading).await;
    let said = tokio::time::timeout(REST, &mut listening).await.ok().and_then(Result::ok).unwrap_or_default();
    reading.abort();
    listening.abort();
    ChildExit { code: status.ok().and_then(|status| status.code()), said }
}

async fn read_records(output: impl AsyncRead + Unpin, mut take: impl FnMut(Record) -> bool) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str::<Record>(&line) {
            Ok(record) => {
                if !take(record) {
                    return;
                }
            }
            Err(error) => tracing::warn!("a run printed an invalid event: {error}"),
        }
    }
}

async fn last_lines(errors: impl AsyncRead + Unpin) -> Vec<String> {
    let mut lines = BufReader::new(errors).lines();
    let mut kept = VecDeque::new();
    while let Ok(Some(line)) = lines.next_line().await {
        kept.push_back(line);
        if kept.len() > LINES {
            kept.pop_front();
        }
    }
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn children(script: &str, dir: &std::path::Path) -> Children {
        let program = dir.join("program");
        testbed::executable(&program, &format!("#!/bin/sh\n{script}\n")).unwrap();
        Children { program: program.into(), environment: vec![("CCCI_SLOTS", "some".into())], git: Vec::new() }
    }

    fn order() -> Order {
        Order {
            comment: CommentId(5),
            recipe: "custom-html".parse().unwrap(),
            source: "https://git.example.org/coop/custom-html.git".parse().unwrap(),
            pull: 7,
            commit: "1a2b3c4d5e6f708192a3b4c5d6e7f80912a3b4c5".parse().unwrap(),
            run: "20261121-091403-kxqv".parse().unwrap(),
            only: vec!["install".to_owned(), "functional/20-x.hurl".to_owned()],
            from: Some("1.2.0+1.22.1".to_owned()),
            again: false,
            build: None,
            on_swarm: false,
        }
    }

    async fn ended(came: &mut mpsc::UnboundedReceiver<WorkerMessage>) -> ChildExit {
        match tokio::time::timeout(Duration::from_secs(30), came.recv()).await.unwrap().unwrap() {
            WorkerMessage::Ended(CommentId(5), ended) => ended,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_run_has_its_words_and_settings_and_no_way_to_a_secret() {
        let dir = tempfile::tempdir().unwrap();
        let script = "echo \"$@\" >&2; env | grep -c -e ^CCCI_FORGE -e ^NOTIFY >&2; echo $CCCI_SLOTS >&2; exit 10";
        let (send, mut came) = mpsc::unbounded_channel();
        let _leash = children(script, dir.path()).start(&order(), send).unwrap();
        let ended = ended(&mut came).await;
        let words = "run custom-html --source=https://git.example.org/coop/custom-html.git --pr=7 \
            --commit=1a2b3c4d5e6f708192a3b4c5d6e7f80912a3b4c5 --run-id=20261121-091403-kxqv \
            --only=install,functional/20-x.hurl --from=1.2.0+1.22.1 --leash --json";
        assert_eq!(
            ended,
            ChildExit { code: Some(10), said: vec![words.to_owned(), "0".to_owned(), "some".to_owned()] }
        );
    }

    #[tokio::test]
    async fn who_lets_go_of_the_leash_ends_the_run() {
        let dir = tempfile::tempdir().unwrap();
        let (send, mut came) = mpsc::unbounded_channel();
        let leash = children("cat; echo torn down >&2; exit 130", dir.path()).start(&order(), send).unwrap();
        drop(leash);
        assert_eq!(ended(&mut came).await, ChildExit { code: Some(130), said: vec!["torn down".to_owned()] });
    }

    #[tokio::test]
    async fn the_last_lines_are_kept_and_all_records_are_read() {
        let many: String = (0..50).map(|n| format!("{n}\n")).collect();
        let kept = last_lines(many.as_bytes()).await;
        assert_eq!((kept.len(), kept.first().unwrap().as_str()), (LINES, "30"));
        let record = r#"{"seq":0,"at":"2026-11-21T09:14:03Z","ms":1,"event":"progress","stage":"slot","text":"x"}"#;
        let mut count = 0;
        read_records(format!("{record}\nnonsense\n{record}\n").as_bytes(), |_| {
            count += 1;
            true
        })
        .await;
        assert_eq!(count, 2);
    }
}
