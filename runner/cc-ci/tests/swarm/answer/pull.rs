//! A pull request, the answer on it, and what the swarm has of its run.

use std::time::{Duration, Instant};

use base::names::{Domain, StackName};
use serde_json::Value;
use testforge::Person;

use super::super::support::left;
use super::scene::REPO;

/// A whole run on a busy machine.
const RUN: Duration = Duration::from_secs(300);
/// Everything else.
const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Pull {
    root: Person,
    pub(super) ada: Person,
    pub(crate) number: u64,
    pub(super) branch: String,
    pub(crate) head: String,
}

impl Pull {
    pub(crate) fn new(root: &Person, ada: &Person, number: u64, branch: String, head: String) -> Self {
        Self { root: root.clone(), ada: ada.clone(), number, branch, head }
    }

    /// Ada's comment; its number.
    pub(crate) async fn says(&self, text: &str) -> u64 {
        self.ada.says(REPO, self.number, text).await
    }

    /// Closes it, or opens it again.
    pub(crate) async fn turns(&self, state: &str) {
        let path = format!("repos/{REPO}/pulls/{}", self.number);
        self.ada.patches(&path, serde_json::json!({ "state": state })).await;
    }

    /// Waits until the forge has written down the push of a commit.
    pub(crate) async fn has_push(&self, commit: &str) {
        let path = format!("repos/{REPO}/issues/{}/timeline", self.number);
        until("the push", async || self.root.gets(&path).await.to_string().contains(commit)).await;
    }

    async fn comments(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let path = format!("repos/{REPO}/issues/{}/comments?limit=50&page={page}", self.number);
            let part = self.root.gets(&path).await.as_array().unwrap().clone();
            // Gitea gives all of them at once, whatever is asked for.
            let is_last = part.len() != 50;
            all.extend(part);
            if is_last {
                break;
            }
        }
        all
    }

    /// The bot's comments.
    pub(crate) async fn answers(&self) -> Vec<String> {
        let own = self.comments().await.into_iter().filter(|comment| comment["user"]["login"] == "cc-ci");
        own.map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until the answer has all these words; there is never more than one.
    pub(crate) async fn answer(&self, words: &[&str]) -> String {
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

    /// The names and states of a commit's statuses.
    pub(crate) async fn statuses(&self, commit: &str) -> Vec<(String, String)> {
        let seen = self.root.gets(&format!("repos/{REPO}/commits/{commit}/status")).await;
        let word = |status: &Value, key: &str| status[key].as_str().unwrap_or_default().to_owned();
        let all = seen["statuses"].as_array().cloned().unwrap_or_default();
        all.iter().map(|status| (word(status, "context"), word(status, "status"))).collect()
    }

    /// Waits until the head has this status alone.
    pub(crate) async fn has_status(&self, name: &str, state: &str) {
        let wanted = [(name.to_owned(), state.to_owned())];
        until("the status", async || self.statuses(&self.head).await == wanted).await;
    }

    pub(crate) fn stack(&self) -> StackName {
        let domain = format!("custom-html-pr{}-{}.ci.localhost", self.number, &self.head[..7]);
        domain.parse::<Domain>().unwrap().stack()
    }

    /// What the swarm has of its run.
    pub(crate) async fn left(&self) -> Vec<String> {
        let stack = self.stack();
        tokio::task::spawn_blocking(move || left(&stack)).await.unwrap()
    }

    /// Waits until its app has a service. The answer may pass over a short stage.
    pub(crate) async fn is_deployed(&self) {
        let until = Instant::now() + SOON;
        while !self.left().await.iter().any(|object| object.contains("service")) {
            if Instant::now() > until {
                let (answers, statuses) = (self.answers().await, self.statuses(&self.head).await);
                panic!("the app of {} never came: {statuses:?}, {answers:#?}", self.stack());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn nothing_is_left(&self) {
        assert_eq!(self.left().await, Vec::<String>::new());
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let until = Instant::now() + SOON;
    while !holds().await {
        assert!(Instant::now() < until, "{what} never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
