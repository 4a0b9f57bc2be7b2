//! An organisation without repositories, an upstream, and the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use secrecy::ExposeSecret as _;
use serde_json::json;
use tempfile::TempDir;
use testforge::{Gitea, Person, Proxy};

pub(crate) const REPO: &str = "coop/custom-html";

pub(crate) struct Scene {
    pub(crate) url: String,
    pub(crate) root: Person,
    pub(crate) bot: Person,
    pub(crate) ada: Person,
    folder: TempDir,
}

/// What the program said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Scene {
    pub(crate) async fn new(gitea: &Gitea) -> Self {
        let url = gitea.url().await;
        let proxy = Proxy::start(url.clone()).await;
        let root = Person::new(&gitea.http, &proxy, "root", gitea.administrator().await);
        let bot =
            root.makes_with("cc-ci", &["read:user", "write:organization", "write:issue", "write:repository"]).await;
        let ada = root.makes("ada").await;
        root.posts("orgs", json!({ "username": "coop" })).await;
        let team = json!({
            "name": "testers", "permission": "write", "includes_all_repositories": true,
            "can_create_org_repo": true, "units": ["repo.code", "repo.issues", "repo.pulls"],
        });
        let team = root.posts("orgs/coop/teams", team).await["id"].as_u64().unwrap();
        for member in [&bot, &ada] {
            root.puts(&format!("teams/{team}/members/{}", member.name)).await;
        }
        root.posts("orgs/coop/repos", json!({ "name": "cc-ci", "auto_init": true, "default_branch": "main" })).await;
        let folder = tempfile::tempdir().unwrap();
        testbed::repos::build_all(&folder.path().join("upstream")).unwrap();
        std::fs::create_dir(folder.path().join("recipes")).unwrap();
        std::fs::write(folder.path().join("token"), bot.token.expose_secret()).unwrap();
        Self { url, root, bot, ada, folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn upstream(&self) -> PathBuf {
        self.path("upstream/custom-html")
    }

    /// `cc-ci mirror`, as the bot.
    pub(crate) fn command(&self, recipe: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cc-ci"));
        command
            .args(["mirror", recipe])
            .env("CCCI_FORGE_URL", &self.url)
            .env("CCCI_FORGE_OWNER", "coop")
            .env("CCCI_FORGE_TOKEN_FILE", self.path("token"))
            .env("CCCI_SOURCES", self.path("upstream"))
            .env("CCCI_RECIPES", self.path("recipes"))
            .env_remove("CCCI_LOG")
            .current_dir(self.folder.path());
        command
    }

    pub(crate) fn mirrors(&self) -> Said {
        let said = said(&mut self.command("custom-html"));
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        said
    }

    /// What a command that succeeds says, and the arguments and environment of every git that it starts.
    pub(crate) fn watched(&self, command: &mut Command) -> (Said, String) {
        let real = said(Command::new("which").arg("git")).out;
        let folder = tempfile::tempdir().unwrap();
        let (log, program) = (folder.path().join("log"), folder.path().join("git"));
        let note = format!("{{ printf '%s\\n' \"$@\"; env; }} >>'{}'", log.display());
        testbed::executable(&program, &format!("#!/bin/sh\n{note}\nexec {} \"$@\"\n", real.trim())).unwrap();
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let said = said(command.env("PATH", path));
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        (said, std::fs::read_to_string(log).unwrap())
    }

    /// The refs of the mirror, of every kind.
    pub(crate) fn there(&self) -> BTreeMap<String, String> {
        refs(&format!("{}/{REPO}.git", self.url.replace("://", &format!("://x:{}@", self.root.token.expose_secret()))))
    }

    /// Branches and tags of upstream.
    pub(crate) fn upstreams(&self) -> BTreeMap<String, String> {
        let all = refs(self.upstream().to_str().unwrap());
        all.into_iter().filter(|(name, _)| name.starts_with("refs/heads/") || name.starts_with("refs/tags/")).collect()
    }

    /// A new commit on a branch of upstream.
    pub(crate) fn commits(&self, branch: &str) -> String {
        let tree = git(&self.upstream(), &["rev-parse", &format!("{branch}^{{tree}}")]);
        let commit = git(&self.upstream(), &["commit-tree", &tree, "-p", branch, "-m", "more"]);
        git(&self.upstream(), &["update-ref", &format!("refs/heads/{branch}"), &commit]);
        commit
    }
}

pub(crate) fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

pub(crate) fn git(folder: &Path, words: &[&str]) -> String {
    let who = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
    let said = said(Command::new("git").arg("-C").arg(folder).args(who).args(words));
    assert_eq!(said.code, 0, "{words:?}: {}", said.err);
    said.out.trim().to_owned()
}

fn refs(repository: &str) -> BTreeMap<String, String> {
    let list = git(Path::new("/"), &["ls-remote", "--refs", repository]);
    let pair = |line: &str| line.split_once('\t').map(|(at, name)| (name.to_owned(), at.to_owned()));
    list.lines().filter_map(pair).collect()
}
