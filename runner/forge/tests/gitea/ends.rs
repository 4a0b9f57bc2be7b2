//! A pull request's other events: pushes, its end, and the forge's version.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use forge::api::{Forge as _, ForgeRelease, Number, PullEnd, Push};
use forge::watch::Pin;
use http_client::Method;
use serde_json::json;
use testforge::Person;

use crate::scene::{ORG, REPO, Scene, Watch, id};

/// The number and pin of the next command that can be accepted.
async fn pin(watch: &mut Watch) -> (u64, Pin) {
    watch.er().cycle().await.unwrap();
    let asked = watch.er().next().await.unwrap().unwrap();
    watch.er().confirm(asked.comment.id).unwrap();
    (asked.comment.id.0, asked.pin)
}

/// Waits until the forge has recorded a push that led to this commit.
async fn written(scene: &Scene<'_>, number: u64, commit: &str) -> Vec<Push> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let pushes = scene.forge().pushes(&id(number), None).await.unwrap().unwrap().items;
        if pushes.last().is_some_and(|push| push.commits.last().is_some_and(|last| last.as_str() == commit)) {
            return pushes;
        }
        assert!(Instant::now() < until, "no push to {commit} is written down: {pushes:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn git(folder: &Path, words: &[&str]) -> String {
    let who = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
    let ran = Command::new("git").current_dir(folder).args(who).args(words).output().unwrap();
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

/// Force-pushes a branch to another commit.
async fn forces(scene: &Scene<'_>, who: &Person, repo: &str, branch: &str, how: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let url = who.push_url(&scene.gitea.url().await, repo);
    git(folder.path(), &["clone", "--quiet", "--branch", branch, &url, "."]);
    git(folder.path(), how);
    git(folder.path(), &["push", "--quiet", "--force", "origin", branch]);
    git(folder.path(), &["rev-parse", "HEAD"])
}

pub(crate) async fn a_push_after_a_word_is_seen_and_one_before_it_is_not(scene: &Scene<'_>) {
    for (who, repo) in [(&scene.ada, REPO), (&scene.eve, "eve/custom-html")] {
        let is_fork = repo != REPO;
        if is_fork {
            scene.eve.posts(&format!("repos/{REPO}/forks"), json!({})).await;
        }
        let branch = scene.branch();
        let first = who.commits(repo, &branch, &branch, true).await;
        let head = if is_fork { format!("eve:{branch}") } else { branch.clone() };
        let number = who.opens(REPO, &head).await;
        let mut watch = scene.watch().await;
        written(scene, number, &first).await;
        let word = scene.ada.says(REPO, number, "!testme").await;
        assert_eq!(pin(&mut watch).await, (word, Pin::Head), "{repo}");

        let word = scene.ada.says(REPO, number, "!testme").await;
        let second = who.commits(repo, &branch, &format!("{branch}-2"), false).await;
        written(scene, number, &second).await;
        assert_eq!(pin(&mut watch).await, (word, Pin::Pushed), "{repo}");
        let word = scene.ada.says(REPO, number, "!testme").await;
        assert_eq!(pin(&mut watch).await, (word, Pin::Head), "{repo}");

        // First replaced, then with the last one removed.
        let word = scene.ada.says(REPO, number, "!testme").await;
        let third = forces(scene, who, repo, &branch, &["commit", "--quiet", "--amend", "-m", "another"]).await;
        let pushes = written(scene, number, &third).await;
        assert!(pushes.iter().any(|push| push.is_force && push.commits.len() == 2), "{pushes:?}");
        assert_eq!(pin(&mut watch).await, (word, Pin::Pushed), "{repo}");
        let word = scene.ada.says(REPO, number, "!testme").await;
        assert_eq!(pin(&mut watch).await, (word, Pin::Head), "{repo}");
        let word = scene.ada.says(REPO, number, "!testme").await;
        let back = forces(scene, who, repo, &branch, &["reset", "--quiet", "--hard", "HEAD~1"]).await;
        assert_eq!(back, first);
        written(scene, number, &back).await;
        assert_eq!(pin(&mut watch).await, (word, Pin::Pushed), "{repo}");
        let word = scene.ada.says(REPO, number, "!testme").await;
        assert_eq!(pin(&mut watch).await, (word, Pin::Head), "{repo}");

        // However soon the poll follows the push, the push is not mistaken for what the member saw.
        for round in 0..3 {
            let word = scene.ada.says(REPO, number, "!testme").await;
            who.commits(repo, &branch, &format!("{branch}-r{round}"), false).await;
            let (seen, pin) = pin(&mut watch).await;
            assert!(seen == word && pin != Pin::Head, "{repo}: {pin:?}");
        }
    }
    scene.eve.deletes("repos/eve/custom-html").await;
}

pub(crate) async fn a_pull_request_that_ends_is_told(scene: &Scene<'_>) {
    let ((closed, _), (merged, _)) = (scene.pull().await, scene.pull().await);
    let mut watch = scene.watch().await;
    let state = |state: &str| json!({ "state": state });
    let set = async |word: &str| scene.ada.patches(&format!("repos/{REPO}/pulls/{closed}"), state(word)).await;
    set("closed").await;
    scene.root.posts(&format!("repos/{REPO}/pulls/{merged}/merge"), json!({ "Do": "merge" })).await;
    let ended = watch.er().cycle().await.unwrap().ended;
    for wanted in [(id(closed), PullEnd::Closed), (id(merged), PullEnd::Merged)] {
        assert!(ended.contains(&wanted), "{ended:?}");
    }
    let now = async |number| scene.forge().pull(&id(number)).await.unwrap().unwrap().ended;
    assert_eq!((now(closed).await, now(merged).await), (Some(PullEnd::Closed), Some(PullEnd::Merged)));
    set("open").await;
    assert_eq!(now(closed).await, None);
    let ended = watch.er().cycle().await.unwrap().ended;
    assert!(ended.iter().all(|(pull, _)| *pull != id(closed)), "{ended:?}");
}

pub(crate) async fn which_forge_it_is_and_whose_token(scene: &Scene<'_>) {
    assert_eq!(scene.forge().release().await, Ok(ForgeRelease::Gitea(Number(1, 26, 0))));
    assert_eq!(scene.forge().account().await.unwrap().signs, Vec::<&str>::new());
    let root = scene.forge_as(&scene.root).account().await.unwrap();
    assert!(root.signs.contains(&"administers the forge"), "{root:?}");
    assert!(root.signs.contains(&"is an owner of the organisation"), "{root:?}");
    scene.pull().await;
    let ada = scene.forge_as(&scene.ada).account().await.unwrap();
    assert_eq!((ada.login.as_str(), ada.signs), ("ada", vec!["has opened issues or pull requests"]));
}

/// Gitea refuses what it cannot do with the installed git. So only its message about such repositories is tested here;
/// another test has a server with prepared responses.
pub(crate) async fn a_git_that_is_too_old_for_sha_256_is_told(scene: &Scene<'_>) {
    let new = json!({ "name": "sha256", "default_branch": "main", "object_format_name": "sha256" });
    let (status, said) = scene.root.tries(Method::POST, &format!("orgs/{ORG}/repos"), Some(new)).await;
    println!("    a repository with SHA-256: {status} {said}");
    assert!(!(200..300).contains(&status), "the image's git is new enough now: show the whole of it here");
}
