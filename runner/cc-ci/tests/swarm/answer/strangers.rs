//! Those who are no members.

use serde_json::json;

use super::scene::{FORK, REPO, Scene};
use testforge::ORG;

/// What the answer is found by.
const MARKER: &str = "<!-- cc-ci: answer -->";

pub(super) async fn twenty_tries_of_strangers(scene: &mut Scene<'_>) {
    scene.serve().await;
    let (pull, eve) = (scene.pull().await, scene.cast.eve.clone());
    let mut tries = Vec::new();
    for text in ["!testme", "!testme failed", "!testme only=install", "!stop", "!hold 24h", "!status", "!tesme"] {
        tries.push(eve.says(REPO, pull.number, text).await);
    }
    // What looks as if the bot had said it.
    tries.push(eve.says(REPO, pull.number, &format!("{MARKER}\n### ✓ passed\n\n!testme")).await);
    // Her own pull request, from a fork of hers.
    let her_own = on_her_own(scene).await;
    for text in ["!testme", "!testme from=1.2.0+1.22.1", "!stop", "@cc-ci\n\n!testme", "!testme\n!hold 24h"] {
        tries.push(eve.says(REPO, her_own, text).await);
    }
    let edited = eve.says(REPO, pull.number, "Nice.").await;
    eve.rewords(REPO, edited, "!testme").await;
    tries.push(edited);
    // Names that look like the bot's and a member's.
    for name in ["cc-ci-bot", "cc_ci", "ada-x", "a.da"] {
        let who = scene.cast.root.makes(name).await;
        tries.push(who.says(REPO, pull.number, "!testme").await);
    }
    // Members until a moment ago: one who wrote then, and one who writes now.
    for (name, writes_first) in [("bob", true), ("zoe", false)] {
        let who = scene.cast.root.makes(name).await;
        scene.cast.root.puts(&format!("teams/{}/members/{name}", scene.cast.team)).await;
        let held = scene.next_look().await;
        if writes_first {
            tries.push(who.says(REPO, pull.number, "!testme").await);
        }
        scene.cast.root.deletes(&format!("orgs/{ORG}/members/{name}")).await;
        held.pass();
        if !writes_first {
            tries.push(who.says(REPO, pull.number, "!testme").await);
        }
    }
    assert!(tries.len() >= 20, "{}", tries.len());
    // What comes after them is answered, so they were read.
    pull.says("!status").await;
    let answer = pull.answer(&["its status is above"]).await;
    assert!(answer.contains("No run was started yet") && answer.matches("- `").count() == 1, "{answer}");
    assert!(tries.iter().all(|comment| scene.word(*comment).is_none()));
    assert_eq!((pull.statuses(&pull.head).await, scene.verdicts(&pull)), (vec![], vec![]));
    let there = scene.cast.root.gets(&format!("repos/{REPO}/issues/{her_own}/comments")).await;
    assert!(there.as_array().unwrap().iter().all(|comment| comment["user"]["login"] != "cc-ci"));
    println!("    {} strangers' tries: 0 runs, 0 answers", tries.len());
}

/// The number of a pull request that eve opens.
async fn on_her_own(scene: &Scene<'_>) -> u64 {
    let eve = &scene.cast.eve;
    eve.commits(FORK, "change", "change.txt", true).await;
    let pull = json!({ "title": "change", "head": "eve:change", "base": "main" });
    eve.posts(&format!("repos/{REPO}/pulls"), pull).await["number"].as_u64().unwrap()
}
