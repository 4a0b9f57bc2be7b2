//! An organisation with a recipe, its people, and watchers that begin now.

use std::sync::atomic::{AtomicU32, Ordering};

use forge::api::Gitea as Forge;
use forge::names::{CommentId, PullId};
use forge::watch::{Store, Watcher};
use http_client::Http;
use serde_json::json;
use tempfile::TempDir;
use testforge::{Cast, Gitea, Person, Proxy};

pub(crate) use testforge::ORG;
pub(crate) const REPO: &str = "coop/custom-html";

pub(crate) struct Scene<'a> {
    pub(crate) gitea: &'a Gitea,
    pub(crate) http: Http,
    pub(crate) proxy: Proxy,
    pub(crate) root: Person,
    pub(crate) bot: Person,
    /// A member whose membership is not public.
    pub(crate) ada: Person,
    /// Not a member.
    pub(crate) eve: Person,
    pub(crate) team: u64,
    branches: AtomicU32,
}

/// A watcher and its file, which outlives it.
pub(crate) struct Watch {
    folder: TempDir,
    watcher: Option<Watcher<Forge>>,
}

impl<'a> Scene<'a> {
    pub(crate) async fn new(gitea: &'a Gitea) -> Self {
        let http = gitea.http.clone();
        let proxy = Proxy::start(gitea.url().await).await;
        let Cast { root, bot, ada, eve, team } = Cast::new(gitea, &proxy).await;
        let repo = json!({ "name": "custom-html", "auto_init": true, "default_branch": "main" });
        root.posts(&format!("orgs/{ORG}/repos"), repo).await;
        Self { gitea, http, proxy, root, bot, ada, eve, team, branches: AtomicU32::new(0) }
    }

    /// An unused branch name.
    pub(crate) fn branch(&self) -> String {
        format!("branch-{}", self.branches.fetch_add(1, Ordering::Relaxed))
    }

    /// A member's pull request, and its head commit.
    pub(crate) async fn pull(&self) -> (u64, String) {
        let branch = self.branch();
        let commit = self.ada.commits(REPO, &branch, &branch, true).await;
        (self.ada.opens(REPO, &branch).await, commit)
    }

    /// The existing pull requests.
    pub(crate) async fn numbers(&self) -> Vec<u64> {
        let mut numbers = Vec::new();
        for page in 1.. {
            // As issues: for each of a list of pull requests, Gitea starts git several times.
            let path = format!("repos/{REPO}/issues?type=pulls&state=all&limit=50&page={page}");
            let part = self.root.gets(&path).await;
            let part: Vec<u64> = part.as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).collect();
            if part.is_empty() {
                break;
            }
            numbers.extend(part);
        }
        numbers
    }

    pub(crate) fn forge(&self) -> Forge {
        self.forge_as(&self.bot)
    }

    pub(crate) fn forge_as(&self, person: &Person) -> Forge {
        let url = self.proxy.url().parse().unwrap();
        Forge::new(self.http.clone(), url, ORG.parse().unwrap(), person.token.clone())
    }

    /// A watcher that begins now: one second after what was written before.
    pub(crate) async fn watch(&self) -> Watch {
        let mut watch = Watch { folder: tempfile::tempdir().unwrap(), watcher: None };
        watch.open(self).await;
        watch
    }
}

impl Watch {
    /// Drops the watcher in any state and opens another one with its file.
    pub(crate) async fn open(&mut self, scene: &Scene<'_>) -> &mut Watcher<Forge> {
        drop(self.watcher.take());
        let store = Store::hold(&self.folder.path().join("watch.json")).unwrap();
        self.watcher.insert(Watcher::open(scene.forge(), store, ORG).await.unwrap())
    }

    pub(crate) fn er(&mut self) -> &mut Watcher<Forge> {
        self.watcher.as_mut().unwrap()
    }

    /// Polls, and accepts everything: comments and commits.
    pub(crate) async fn takes(&mut self) -> Vec<(u64, String)> {
        self.er().cycle().await.unwrap();
        let mut taken = Vec::new();
        while let Some(asked) = self.er().next().await.unwrap() {
            taken.push((asked.comment.id.0, asked.commit().to_string()));
            self.er().confirm(asked.comment.id).unwrap();
        }
        taken
    }

    pub(crate) fn fate(&mut self, id: u64) -> Option<forge::watch::Fate> {
        self.er().fate(CommentId(id))
    }
}

pub(crate) fn id(number: u64) -> PullId {
    PullId { repo: REPO.parse().unwrap(), number }
}
