//! Comments on the pull requests of a real Gitea, answered by `cc-ci serve` with runs on the real swarm.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use harness::names::{Domain, StackName};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use testforge::{Cast, Gitea, ORG, Person, Proxy};

use super::support::{cc_ci, copies, left, own_state};

const REPO: &str = "coop/custom-html";
/// A whole run on a busy machine.
const RUN: Duration = Duration::from_secs(300);
/// How often the server looks.
const POLL: &str = "2s";

/// A server, killed at the end.
pub(super) struct Server {
    pub(super) child: Child,
    lines: mpsc::Receiver<String>,
}

impl Server {
    /// Starts one and waits until it watches.
    pub(super) fn start(state: &Path, url: &str, token: &Path) -> Self {
        let server = Self::start_with(state, url, token, &[]);
        server.says("cc-ci answers on");
        server
    }

    /// Starts one with more settings, and waits for nothing.
    pub(super) fn start_with(state: &Path, url: &str, token: &Path, more: &[(&str, &str)]) -> Self {
        let mut command = cc_ci(state);
        command
            .arg("serve")
            .env("CCCI_FORGE_URL", url)
            .env("CCCI_FORGE_OWNER", ORG)
            .env("CCCI_FORGE_TOKEN_FILE", token)
            .env("CCCI_PUBLIC_URL", "https://ci.example.org/runs")
            .env("CCCI_POLL", POLL)
            .envs(more.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, lines }
    }

    /// Waits for a line with these words.
    pub(super) fn says(&self, words: &str) -> String {
        let until = Instant::now() + Duration::from_secs(180);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("it never said {words:?}"));
            println!("    serve: {line}");
            if line.contains(words) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One pull request, and the answer on it.
pub(super) struct Pull<'a> {
    root: &'a Person,
    ada: &'a Person,
    pub(super) number: u64,
    branch: String,
    pub(super) head: String,
}

impl Pull<'_> {
    /// The bot's comments.
    pub(super) async fn answers(&self) -> Vec<String> {
        let all = self.root.gets(&format!("repos/{REPO}/issues/{}/comments", self.number)).await;
        let own = all.as_array().unwrap().iter().filter(|comment| comment["user"]["login"] == "cc-ci");
        own.map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until the answer has all these words; there is never more than one.
    pub(super) async fn answer(&self, words: &[&str]) -> String {
        let until = Instant::now() + RUN;
        loop {
            let answers = self.answers().await;
            assert!(answers.len() < 2, "{answers:#?}");
            if let Some(answer) = answers.first().filter(|answer| words.iter().all(|word| answer.contains(word))) {
                return answer.clone();
            }
            assert!(Instant::now() < until, "{words:?} never came: {answers:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) async fn says(&self, text: &str) -> u64 {
        self.ada.says(REPO, self.number, text).await
    }

    pub(super) async fn statuses(&self, commit: &str) -> Vec<(String, String)> {
        let seen = self.root.gets(&format!("repos/{REPO}/commits/{commit}/status")).await;
        let word = |status: &Value, key: &str| status[key].as_str().unwrap_or_default().to_owned();
        let all = seen["statuses"].as_array().cloned().unwrap_or_default();
        all.iter().map(|status| (word(status, "context"), word(status, "status"))).collect()
    }

    fn stack(&self) -> StackName {
        let domain = format!("custom-html-pr{}-{}.ci.localhost", self.number, &self.head[..7]);
        domain.parse::<Domain>().unwrap().stack()
    }

    /// What the swarm has of its run.
    async fn left(&self) -> Vec<String> {
        let stack = self.stack();
        tokio::task::spawn_blocking(move || left(&stack)).await.unwrap()
    }

    /// Waits until its app has a service. The answer may pass over a short stage.
    pub(super) async fn is_deployed(&self) {
        let until = Instant::now() + RUN;
        while !self.left().await.iter().any(|object| object.contains("service")) {
            assert!(Instant::now() < until, "nothing was deployed: {:#?}", self.answers().await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) async fn nothing_is_left(&self) {
        assert_eq!(self.left().await, Vec::<String>::new());
    }
}

/// The testbed's recipe as a repository of the organisation, with a pull request for each of its copies.
pub(super) async fn pulls<'a>(gitea: &Gitea, cast: &'a Cast, count: usize) -> Vec<Pull<'a>> {
    let repo = json!({ "name": "custom-html", "default_branch": "main" });
    cast.root.posts(&format!("orgs/{ORG}/repos"), repo).await;
    let copies = copies(count);
    let push = cast.ada.push_url(&gitea.url().await, REPO);
    let git = |words: &[&str]| {
        let done = Command::new("git").arg("-C").arg(copies.path()).args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    git(&["push", "--quiet", &push, "origin/main:refs/heads/main", "refs/tags/*:refs/tags/*"]);
    git(&["push", "--quiet", &push, "refs/heads/n/*:refs/heads/n/*"]);
    let mut pulls = Vec::new();
    for n in 0..count {
        let branch = format!("n/{n}");
        let (head, number) = (git(&["rev-parse", &branch]), cast.ada.opens(REPO, &branch).await);
        pulls.push(Pull { root: &cast.root, ada: &cast.ada, number, branch, head });
    }
    pulls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_is_answered_with_a_verdict() {
    testforge::with(async |gitea| {
        let proxy = Proxy::start(gitea.http.clone(), gitea.url().await).await;
        let cast = Cast::new(gitea, &proxy).await;
        let pulls = pulls(gitea, &cast, 4).await;
        let (state, url) = (own_state(), gitea.url().await);
        let token = state.path().join("token");
        std::fs::write(&token, cast.bot.token.expose_secret()).unwrap();
        let mut server = Server::start(state.path(), &url, &token);

        a_verdict_on_the_pinned_commit(&pulls[0]).await;
        a_stranger_is_not_heard(&pulls[1], &cast.eve).await;
        a_run_is_stopped(&pulls[1]).await;
        server = a_killed_server_goes_on(&pulls[2], server, || Server::start(state.path(), &url, &token)).await;

        a_stopped_server_tears_down(&pulls[3], server).await;

        for pull in &pulls {
            assert_eq!(pull.answers().await.len(), 1);
            pull.nothing_is_left().await;
        }
    })
    .await;
}

async fn a_verdict_on_the_pinned_commit(pull: &Pull<'_>) {
    pull.says("Thanks!\n\n!testme only=install\n!tesme").await;
    let begun = Instant::now();
    let first = pull.answer(&[&pull.head]).await;
    let took = begun.elapsed();
    println!("    comment to acknowledged, polling every {POLL}: {:.1} s", took.as_secs_f32());
    assert!(first.contains("queued") || first.contains("under way"), "{first}");
    assert!(took < Duration::from_secs(6), "{took:?}");
    // A push in between: another commit is at the head, and it was not asked for.
    let pushed = pull.ada.commits(REPO, &pull.branch, "pushed.txt", false).await;
    let answer = pull.answer(&["### ✓ passed, in part"]).await;
    println!("{answer}");
    let report = "[report](<https://ci.example.org/runs/";
    for wanted in
        [pull.head.as_str(), "| install | ✓ passed |", "| teardown | ✓ passed |", report, "did you mean `!testme`?"]
    {
        assert!(answer.contains(wanted), "{wanted}: {answer}");
    }
    assert!(!answer.contains(&pushed));
    let wanted = [("cc-ci (in part)".to_owned(), "success".to_owned())];
    until(async || pull.statuses(&pull.head).await == wanted).await;
    assert_eq!(pull.statuses(&pushed).await, []);
    println!("    comment to verdict: {:.1} s", begun.elapsed().as_secs_f32());
}

async fn a_stranger_is_not_heard(pull: &Pull<'_>, eve: &Person) {
    for text in ["!testme", "!stop", "!tesme"] {
        eve.says(REPO, pull.number, text).await;
    }
    // What comes after it is answered, so it was read.
    pull.says("!status").await;
    let answer = pull.answer(&["how it stands"]).await;
    assert!(answer.contains("No run was asked for yet") && !answer.contains("eve"), "{answer}");
    assert_eq!(pull.statuses(&pull.head).await, []);
}

async fn a_run_is_stopped(pull: &Pull<'_>) {
    pull.says("!testme").await;
    pull.is_deployed().await;
    pull.says("!stop").await;
    let answer = pull.answer(&["### × cancelled by `ada`"]).await;
    assert!(answer.contains("the run is stopped"), "{answer}");
    until(async || pull.statuses(&pull.head).await == [("cc-ci".to_owned(), "error".to_owned())]).await;
    pull.nothing_is_left().await;
}

async fn a_killed_server_goes_on(pull: &Pull<'_>, server: Server, again: impl Fn() -> Server) -> Server {
    pull.says("!testme only=install").await;
    pull.is_deployed().await;
    drop(server);
    let server = again();
    pull.answer(&["began again after a restart"]).await;
    let answer = pull.answer(&["### ✓ passed, in part", "begun again after a restart"]).await;
    assert!(answer.contains(&pull.head), "{answer}");
    server
}

async fn a_stopped_server_tears_down(pull: &Pull<'_>, mut server: Server) {
    pull.says("!testme").await;
    pull.is_deployed().await;
    server.signal("TERM");
    let ended = tokio::task::spawn_blocking(move || server.child.wait().unwrap());
    assert!(ended.await.unwrap().success());
    pull.answer(&["cc-ci is being stopped; this begins again when it is back"]).await;
    pull.nothing_is_left().await;
}

pub(super) async fn until(holds: impl AsyncFn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < until, "it never came");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
