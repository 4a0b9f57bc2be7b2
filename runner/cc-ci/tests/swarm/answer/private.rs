//! A private organisation: nobody but its members sees it, and the runs clone with the bot's token.

use std::process::Command;
use std::time::{Duration, Instant};

use http_client::Method;
use serde_json::{Value, json};

use super::super::support::own_state;
use super::pull::until;
use super::scene::Scene;
use super::server::Server;

const ORG: &str = "closed";
const REPO: &str = "closed/custom-html";
/// A part of a run on a busy machine.
const RUN: Duration = Duration::from_secs(180);

pub(super) async fn a_private_organisation(scene: &mut Scene<'_>) {
    let (root, ada, eve) = (scene.cast.root.clone(), scene.cast.ada.clone(), scene.cast.eve.clone());
    root.posts("orgs", json!({ "username": ORG, "visibility": "private" })).await;
    let team = json!({
        "name": "testers", "permission": "write", "includes_all_repositories": true,
        "units": ["repo.code", "repo.issues", "repo.pulls"],
    });
    let team = root.posts(&format!("orgs/{ORG}/teams"), team).await["id"].as_u64().unwrap();
    for member in [&scene.cast.bot, &ada] {
        root.puts(&format!("teams/{team}/members/{}", member.name)).await;
    }
    let repo = json!({ "name": "custom-html", "default_branch": "main", "private": true });
    root.posts(&format!("orgs/{ORG}/repos"), repo).await;
    scene.push(&ada, REPO, &["origin/main:refs/heads/main", "refs/tags/*:refs/tags/*"]).await;
    let path = format!("repos/{REPO}/branches/main");
    until("the branch", async || root.tries(Method::GET, &path, None).await.0 == 200).await;
    let head = ada.commits(REPO, "change", "change.txt", true).await;
    let number = ada.opens(REPO, "change").await;

    // A stranger sees nothing of it, and can say nothing there; nor does git without a login.
    let comments = format!("repos/{REPO}/issues/{number}/comments");
    assert_eq!(eve.tries(Method::GET, &format!("repos/{REPO}"), None).await.0, 404);
    assert_eq!(eve.tries(Method::POST, &comments, Some(json!({ "body": "!testme" }))).await.0, 404);
    let url = format!("{}/{REPO}.git", scene.gitea.url().await);
    let asked = Command::new("git").args(["ls-remote", &url]).env("GIT_TERMINAL_PROMPT", "0").output().unwrap();
    assert!(!asked.status.success(), "{}", String::from_utf8_lossy(&asked.stdout));

    // Two servers share no state.
    drop(scene.take_server());
    let state = own_state();
    let mut server = Server::start({
        let mut command = scene.command(scene.proxy.url(), state.path());
        command.env("CCCI_FORGE_OWNER", ORG);
        command
    });
    server.says("cc-ci answers on").await;
    ada.says(REPO, number, "!testme only=install").await;
    let end = Instant::now() + RUN;
    let answer = loop {
        let all = root.gets(&comments).await;
        let own: Vec<&Value> =
            all.as_array().unwrap().iter().filter(|comment| comment["user"]["login"] == "cc-ci").collect();
        let text = own.first().and_then(|comment| comment["body"].as_str()).unwrap_or_default();
        if text.contains("### ✓ passed, in part") {
            break text.to_owned();
        }
        assert!(Instant::now() < end && !text.contains("no run"), "{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(answer.contains(&head), "{answer}");
    // What git was given is nowhere that a reader comes.
    let token = std::fs::read_to_string(scene.state.path().join("token")).unwrap();
    let runs = std::fs::read_dir(state.path().join("runs")).unwrap();
    for file in runs.flat_map(|run| std::fs::read_dir(run.unwrap().path()).unwrap()).map(|file| file.unwrap().path()) {
        if file.is_file() {
            let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
            assert!(!text.contains(token.trim()), "{}", file.display());
        }
    }
    assert!(!answer.contains(token.trim()));
    assert!(server.stop().await.success());
}
