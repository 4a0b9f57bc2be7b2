//! Who may give commands, when, and the outcome.

use std::collections::BTreeMap;

use forge::api::ANSWER_MARKER;
use forge::names::CommentId;
use forge::watch::Fate;
use http_client::Method;
use serde_json::json;

use crate::scene::{REPO, Scene, id};

pub(crate) async fn a_members_word_has_the_commit_of_its_moment(scene: &Scene<'_>) {
    let branch = scene.branch();
    let first = scene.ada.commits(REPO, &branch, &branch, true).await;
    let number = scene.ada.opens(REPO, &branch).await;
    let old = scene.ada.says(REPO, number, "!testme").await;
    // Gitea's times are whole seconds.
    later(scene, old).await;

    let mut watch = scene.watch().await;
    let word = scene.ada.says(REPO, number, "Thanks.\n\n!testme only=backup\n!hold 30m").await;
    watch.er().cycle().await.unwrap();
    let asked = watch.er().next().await.unwrap().unwrap();
    assert_eq!((asked.comment.id.0, asked.commit().as_str()), (word, first.as_str()));
    assert_eq!((asked.member.login.as_str(), &asked.pull.id, asked.comment.said.len()), ("ada", &id(number), 2));
    // A push after the authorization does not change the authorized commit.
    let second = scene.ada.commits(REPO, &branch, &format!("{branch}-2"), false).await;
    assert_eq!(asked.commit().as_str(), first);
    watch.er().confirm(asked.comment.id).unwrap();
    assert_eq!(watch.takes().await, []);
    let again = scene.ada.says(REPO, number, "!testme").await;
    assert_eq!(watch.takes().await, [(again, second)]);
    assert_eq!(watch.fate(old), None);
}

/// Waits until Gitea's clock is past the second of a comment.
async fn later(scene: &Scene<'_>, comment: u64) {
    let created = scene.ada.gets(&format!("repos/{REPO}/issues/comments/{comment}")).await;
    let created: jiff::Timestamp = created["created_at"].as_str().unwrap().parse().unwrap();
    while forge::api::Forge::now(&scene.forge()).await.unwrap() <= created {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn edits_and_deletions(scene: &Scene<'_>) {
    let (number, commit) = scene.pull().await;
    let mut watch = scene.watch().await;
    let chatter = scene.ada.says(REPO, number, "nice").await;
    let word = scene.ada.says(REPO, number, "!stop").await;
    assert_eq!(watch.er().cycle().await.unwrap().words, 1);
    // Edited after it was read: no new command. Deleted before it was accepted: ignored.
    scene.ada.rewords(REPO, chatter, "!testme").await;
    scene.ada.deletes(&format!("repos/{REPO}/issues/comments/{word}")).await;
    assert_eq!(watch.takes().await, []);
    assert_eq!((watch.fate(chatter), watch.fate(word)), (Some(Fate::Chatter), Some(Fate::Withdrawn)));
    // Edited before it was read: the new text counts. Deleted before: ignored.
    let quick = scene.ada.says(REPO, number, "!tesme").await;
    scene.ada.rewords(REPO, quick, "!testme").await;
    let gone = scene.ada.says(REPO, number, "!testme").await;
    scene.ada.deletes(&format!("repos/{REPO}/issues/comments/{gone}")).await;
    assert_eq!(watch.takes().await, [(quick, commit)]);
    // An edit brings it back into the forge's response, and not into the watcher's.
    scene.ada.rewords(REPO, quick, "!testme failed").await;
    scene.ada.says(REPO, number, "nice again").await;
    assert_eq!(watch.takes().await, []);
}

pub(crate) async fn own_and_other_comments(scene: &Scene<'_>) {
    let (number, _) = scene.pull().await;
    let issue = scene.ada.posts(&format!("repos/{REPO}/issues"), json!({ "title": "x", "body": "!testme" })).await;
    let issue = issue["number"].as_u64().unwrap();
    let mut watch = scene.watch().await;
    let own = scene.bot.says(REPO, number, &format!("{ANSWER_MARKER}\n!testme")).await;
    let on_an_issue = scene.ada.says(REPO, issue, "!testme").await;
    let quoted = scene.ada.says(REPO, number, "> !testme\n\n`!testme`").await;
    let miss = scene.ada.says(REPO, number, "!tesme").await;
    watch.er().cycle().await.unwrap();
    // A member's near miss is handed over, so that the bot can suggest the command.
    let asked = watch.er().next().await.unwrap().unwrap();
    assert_eq!(asked.comment.id, CommentId(miss));
    assert!(matches!(asked.comment.said.as_slice(), [forge::grammar::Parsed::Trouble(_)]));
    watch.er().confirm(CommentId(miss)).unwrap();
    assert_eq!(watch.takes().await, []);
    let fates = [own, on_an_issue, quoted].map(|id| watch.fate(id));
    assert_eq!(fates, [Some(Fate::Own), None, Some(Fate::Chatter)]);
}

pub(crate) async fn strangers_start_nothing(scene: &Scene<'_>) {
    let (number, _) = scene.pull().await;
    let mut watch = scene.watch().await;
    let mut tries = Vec::new();
    for text in ["!testme", "!testme failed", "!stop", "!hold 24h", "!tesme"].iter().cycle().take(20) {
        tries.push(scene.eve.says(REPO, number, text).await);
    }
    let before = scene.ada.gets(&format!("repos/{REPO}/issues/{number}/comments")).await;
    assert_eq!(watch.takes().await, []);
    assert_eq!(watch.takes().await, []);
    assert!(tries.iter().all(|id| watch.fate(*id) == Some(Fate::Stranger)));
    // There is no answer.
    assert_eq!(scene.ada.gets(&format!("repos/{REPO}/issues/{number}/comments")).await, before);
    println!("    20 strangers' tries: 0 taken on, 0 answers");
}

pub(crate) async fn a_member_who_left_is_a_stranger(scene: &Scene<'_>) {
    let (number, commit) = scene.pull().await;
    let mut watch = scene.watch().await;
    let member = scene.root.makes("bob").await;
    scene.root.puts(&format!("teams/{}/members/bob", scene.team)).await;
    let first = member.says(REPO, number, "!testme").await;
    assert_eq!(watch.takes().await, [(first, commit)]);
    let second = member.says(REPO, number, "!testme").await;
    watch.er().cycle().await.unwrap();
    scene.root.deletes("orgs/coop/members/bob").await;
    assert_eq!(watch.takes().await, []);
    assert_eq!(watch.fate(second), Some(Fate::Stranger));

    // Another user who takes over a member's name is not that member.
    let third = member.says(REPO, number, "!testme").await;
    watch.er().cycle().await.unwrap();
    let (status, _) =
        scene.root.tries(Method::POST, "admin/users/bob/rename", Some(json!({ "new_username": "rob" }))).await;
    assert!((200..300).contains(&status), "{status}");
    assert_eq!(watch.takes().await, []);
    assert_eq!(watch.fate(third), Some(Fate::Stranger));
}

pub(crate) async fn a_restart_between_any_two_steps(scene: &Scene<'_>) {
    let (number, commit) = scene.pull().await;
    let mut watch = scene.watch().await;
    // The desk's own disk.
    let mut desk = BTreeMap::new();
    let mut words = Vec::new();
    // Each of the requests is once the one that fails; the last rounds stop after each step.
    for round in 0..12 {
        words.push(scene.ada.says(REPO, number, "!testme").await);
        words.push(scene.ada.says(REPO, number, "!status").await);
        scene.proxy.fail_after(Some(round));
        let looked = watch.er().cycle().await;
        if looked.is_err() || round > 6 {
            scene.proxy.fail_after(None);
            watch.open(scene).await.cycle().await.unwrap();
            scene.proxy.fail_after(Some(round.saturating_sub(2)));
        }
        loop {
            match watch.er().next().await {
                Ok(None) => break,
                Ok(Some(asked)) => {
                    assert_eq!(asked.commit().as_str(), commit);
                    let first = desk.insert(asked.comment.id.0, round).is_none();
                    // The machine stops after the acceptance, and before that is confirmed.
                    if first && round.is_multiple_of(2) {
                        scene.proxy.fail_after(None);
                        watch.open(scene).await;
                    } else {
                        watch.er().confirm(asked.comment.id).unwrap();
                    }
                }
                Err(_) => {
                    scene.proxy.fail_after(None);
                    watch.open(scene).await;
                }
            }
        }
        scene.proxy.fail_after(None);
        assert_eq!(desk.keys().copied().collect::<Vec<_>>(), words, "round {round}");
    }
    assert_eq!(watch.takes().await, []);
    println!("    {} words over 12 rounds of restarts: each once", words.len());
}
