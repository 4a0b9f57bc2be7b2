//! The organisation, its recipe with a branch for each pull request that the steps want, and one server at a time.

use std::path::{Path, PathBuf};
use std::process::Command;

use http_client::Method;
use journal::event::{Event, Record, VerdictKind};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use testforge::{Cast, Gitea, Held, ORG, Person, Proxy};

use super::super::support::{cc_ci, copies, own_state};
use super::pull::{Pull, until};
use super::server::Server;

pub(super) const REPO: &str = "coop/custom-html";
/// Eve's.
pub(super) const FORK: &str = "eve/custom-html";
/// How often a server looks, where a step says nothing else.
pub(super) const POLL: &str = "2s";
/// Branches that wait to become pull requests.
const BRANCHES: usize = 40;

pub(crate) struct Scene<'a> {
    pub(super) gitea: &'a Gitea,
    pub(crate) proxy: Proxy,
    pub(super) cast: Cast,
    pub(crate) state: TempDir,
    pub(super) copies: TempDir,
    server: Option<Server>,
    /// The server has other settings than the usual ones.
    is_odd: bool,
    pulls: usize,
}

impl<'a> Scene<'a> {
    pub(crate) async fn new(gitea: &'a Gitea) -> Self {
        let proxy = Proxy::start(gitea.url().await).await;
        let cast = Cast::new(gitea, &proxy).await;
        let repo = json!({ "name": "custom-html", "default_branch": "main" });
        cast.root.posts(&format!("orgs/{ORG}/repos"), repo).await;
        let (state, copies) = (own_state(), copies(BRANCHES));
        std::fs::write(state.path().join("token"), cast.bot.token.expose_secret()).unwrap();
        let scene = Self { gitea, proxy, cast, state, copies, server: None, is_odd: false, pulls: 0 };
        scene.push(&scene.cast.ada, REPO, &["origin/main:refs/heads/main", "refs/tags/*:refs/tags/*"]).await;
        scene.has_branch("main").await;
        scene.cast.eve.posts(&format!("repos/{REPO}/forks"), json!({})).await;
        scene
    }

    /// git in the copy of the recipe's repository.
    pub(crate) fn git(&self, words: &[&str]) -> String {
        let who = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
        let done = Command::new("git").arg("-C").arg(self.copies.path()).args(who).args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Pushes from the copy, as somebody.
    pub(crate) async fn push(&self, who: &Person, repo: &str, refs: &[&str]) {
        let to = who.push_url(&self.gitea.url().await, repo);
        self.git(&[&["push", "--quiet", "--force", &to], refs].concat());
    }

    /// Waits until Gitea has seen what was pushed.
    async fn has_branch(&self, name: &str) {
        let path = format!("repos/{REPO}/branches/{name}");
        until("the branch", async || self.cast.root.tries(Method::GET, &path, None).await.0 == 200).await;
    }

    /// Holds up the server's next look once it has begun: one that began before could still find what is written now.
    pub(super) async fn next_look(&self) -> Held {
        let mut held = self.proxy.hold("issues/search");
        held.caught().await;
        held
    }

    /// A pull request of ada's, with a head of its own.
    pub(crate) async fn pull(&mut self) -> Pull {
        let branch = format!("n/{}", self.pulls);
        self.pulls += 1;
        assert!(self.pulls <= BRANCHES, "the steps want more branches than there are");
        self.push(&self.cast.ada, REPO, &[&format!("refs/heads/{branch}:refs/heads/{branch}")]).await;
        self.has_branch(&branch).await;
        let head = self.git(&["rev-parse", &branch]);
        let number = self.cast.ada.opens(REPO, &branch).await;
        Pull::new(&self.cast.root, &self.cast.ada, number, branch, head)
    }

    /// The program that watches this organisation at an address, with a state folder.
    pub(crate) fn command(&self, url: &str, state: &Path) -> Command {
        let mut command = cc_ci(state);
        command
            .arg("serve")
            .env("CCCI_FORGE_URL", url)
            .env("CCCI_FORGE_OWNER", ORG)
            .env("CCCI_FORGE_TOKEN_FILE", self.state.path().join("token"))
            .env("CCCI_PUBLIC_URL", "https://ci.example.org")
            .env("CCCI_LISTEN", "127.0.0.1:0")
            .env("CCCI_POLL", POLL);
        command
    }

    /// The server with the usual settings; the one that is there, or a new one.
    pub(crate) async fn serve(&mut self) -> &mut Server {
        if self.is_odd || !self.server.as_mut().is_some_and(Server::is_alive) {
            self.serve_with(&[]).await;
            self.is_odd = false;
        }
        self.server.as_mut().unwrap()
    }

    /// A new server with more settings, in place of the one that was there, which is killed.
    pub(crate) async fn serve_with(&mut self, more: &[(&str, &str)]) -> &mut Server {
        self.server = None;
        self.is_odd = true;
        let mut command = self.command(self.proxy.url(), self.state.path());
        let server = self.server.insert(Server::start({
            command.envs(more.iter().copied());
            command
        }));
        server.says("cc-ci answers on").await;
        server
    }

    /// The server that is there.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Takes the server away from the scene.
    pub(crate) fn take_server(&mut self) -> Option<Server> {
        self.server.take()
    }

    /// What is on the disk about a comment's word.
    pub(crate) fn word(&self, comment: u64) -> Option<Value> {
        let text = std::fs::read(self.state.path().join(format!("answers/{comment}.json"))).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// The folder of the run of a comment's word that is under way.
    pub(crate) fn run_dir(&self, comment: u64) -> Option<PathBuf> {
        let run = self.word(comment)?["phase"]["running"]["run"].as_str()?.to_owned();
        let dir = self.state.path().join("runs").join(run);
        dir.is_dir().then_some(dir)
    }

    /// How each run of a pull request ended that began, the oldest first; none where it has no verdict.
    pub(crate) fn verdicts(&self, pull: &Pull) -> Vec<Option<VerdictKind>> {
        let mut dirs: Vec<PathBuf> = match std::fs::read_dir(self.state.path().join("runs")) {
            Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => Vec::new(),
        };
        dirs.sort();
        let ended = |dir: PathBuf| {
            let journal = std::fs::read_to_string(dir.join("journal.jsonl")).ok()?;
            let mut records = journal.lines().filter_map(|line| serde_json::from_str::<Record>(line).ok());
            let is_here = |event: &Event| matches!(event, Event::RunStarted(run) if run.stack == pull.stack());
            is_here(&records.next()?.event).then(|| {
                records.find_map(|record| match record.event {
                    Event::RunEnded { verdict } => Some(verdict.word),
                    _ => None,
                })
            })
        };
        dirs.into_iter().filter_map(ended).collect()
    }
}
