//! Pull requests from forks, and commits that are taken away.

use serde_json::json;

use super::pull::{Pull, until};
use super::scene::{FORK, REPO, Scene};

/// Eve's fork with the recipe's own tests, and a pull request from it.
pub(super) async fn a_fork_with_own_tests(scene: &mut Scene<'_>) {
    scene.serve().await;
    let eve = scene.cast.eve.clone();
    scene.git(&["checkout", "--quiet", "-B", "fork", "origin/good/own-tests"]);
    let letters: String = rand::random_iter::<u8>().take(12).map(|byte| char::from(b'a' + byte % 26)).collect();
    scene.git(&["commit", "--quiet", "--allow-empty", "-m", &format!("a head of its own: {letters}")]);
    scene.push(&eve, FORK, &["refs/heads/fork:refs/heads/fork"]).await;
    let head = scene.git(&["rev-parse", "fork"]);
    let opened = json!({ "title": "own tests", "head": "eve:fork", "base": "main" });
    let opened = eve.posts(&format!("repos/{REPO}/pulls"), opened).await;
    let number = opened["number"].as_u64().unwrap();
    let pull = Pull::new(&scene.cast.root, &scene.cast.ada, number, "fork".to_owned(), head);
    // Her own word counts nowhere, nor does it on her own pull request.
    eve.says(REPO, number, "!testme").await;
    // All of it: a part says nothing of its own tests.
    pull.says("!testme").await;
    let answer = pull.answer(&["### ✓ passed"]).await;
    assert!(answer.contains(&pull.head) && !answer.contains("eve"), "{answer}");
    let told = answer.lines().find(|line| line.contains("tests/10-page.sh")).expect("a line about its own tests");
    assert!(told.contains("did not run, since no operator approved them"), "{told}");
    assert!(!answer.contains("own: tests/"), "{answer}");
    assert_eq!(scene.verdicts(&pull).len(), 1);
    pull.nothing_is_left().await;
}

pub(super) async fn a_commit_that_a_push_took_away(scene: &mut Scene<'_>) {
    scene.serve().await;
    let pull = scene.pull().await;
    // The word is taken on, the commit is pinned, and its run is about to fetch it.
    let mut fetch = scene.proxy.hold(&format!("GET /{REPO}.git/info/refs"));
    let word = pull.says("!testme only=install").await;
    fetch.caught().await;
    scene.git(&["checkout", "--quiet", "--detach", "origin/good/new-release"]);
    scene.git(&["commit", "--quiet", "--allow-empty", "-m", &format!("in place of {}", pull.head)]);
    scene.push(&scene.cast.ada, REPO, &[&format!("HEAD:refs/heads/{}", pull.branch)]).await;
    let pushed = scene.git(&["rev-parse", "HEAD"]);
    until("Gitea's own name for the new head", async || {
        let seen = scene.cast.root.gets(&format!("repos/{REPO}/pulls/{}", pull.number)).await;
        seen["head"]["sha"] == pushed.as_str()
    })
    .await;
    scene.gitea.forgets(REPO).await;
    fetch.pass();
    let answer = pull.answer(&["### ! no run"]).await;
    assert!(answer.contains(&format!("no longer has commit {}", pull.head)), "{answer}");
    assert!(answer.contains("**Look at:** ``the new commits; a new `!testme`"), "{answer}");
    assert_eq!(scene.verdicts(&pull), []);
    // There is no commit to set a status of, and nothing waits for that.
    until("the word's end", async || scene.word(word).is_some_and(|word| word["told"] == true)).await;
    pull.nothing_is_left().await;
}
