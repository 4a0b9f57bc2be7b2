//! What the forge returns, and what it refuses.

use forge::api::{Forge as _, ForgeError, Gitea as Forge, Status, StatusState};
use forge::names::PullId;
use serde_json::json;

use crate::scene::{ORG, REPO, Scene, id};

pub(crate) async fn who_is_who(scene: &Scene<'_>) {
    let forge = scene.forge();
    assert_eq!(forge.me().await.unwrap().login.as_str(), "cc-ci");
    let now = jiff::Timestamp::now();
    let ahead = forge.now().await.unwrap().duration_since(now).as_secs();
    assert!((-2..=2).contains(&ahead), "{ahead}");
    for (name, member) in [("ada", true), ("cc-ci", true), ("eve", false), ("nobody", false), ("root", true)] {
        assert_eq!(forge.is_member(&name.parse().unwrap()).await, Ok(member), "{name}");
    }
    // Public or not makes no difference.
    scene.ada.puts(&format!("orgs/{ORG}/public_members/ada")).await;
    assert_eq!(forge.is_member(&"ada".parse().unwrap()).await, Ok(true));
    scene.ada.deletes(&format!("orgs/{ORG}/public_members/ada")).await;
    assert_eq!(forge.is_member(&"ada".parse().unwrap()).await, Ok(true));
}

pub(crate) async fn a_bot_that_is_no_member_is_told(scene: &Scene<'_>) {
    let refused = scene.forge_as(&scene.eve).is_member(&"ada".parse().unwrap()).await.unwrap_err();
    assert!(matches!(refused, ForgeError::Refused { .. }), "{refused}");
    assert!(refused.to_string().contains("must be a member"), "{refused}");
}

pub(crate) async fn a_wrong_token_or_address_is_told(scene: &Scene<'_>) {
    let url = || scene.proxy.url().parse().unwrap();
    let wrong = Forge::new(scene.http.clone(), url(), ORG.parse().unwrap(), "hunter2hunter2".into());
    let error = wrong.me().await.unwrap_err();
    assert!(matches!(error, ForgeError::Token { .. }) && error.is_for_all(), "{error}");
    assert!(!format!("{error} {error:?} {wrong:?}").contains("hunter2"));

    let nowhere =
        Forge::new(scene.http.clone(), "http://127.0.0.1:1".parse().unwrap(), ORG.parse().unwrap(), "x".into());
    let error = nowhere.me().await.unwrap_err();
    assert!(error.is_passing(), "{error}");

    let nobody = Forge::new(scene.http.clone(), url(), "nobody".parse().unwrap(), scene.bot.token.clone());
    let since = jiff::Timestamp::UNIX_EPOCH;
    assert!(matches!(nobody.changed(since).await, Err(ForgeError::Refused { status: 400, .. })));
}

pub(crate) async fn pull_requests_from_a_branch_and_from_a_fork(scene: &Scene<'_>) {
    let forge = scene.forge();
    let (number, commit) = scene.pull().await;
    let own = forge.pull(&id(number)).await.unwrap().unwrap();
    assert_eq!((own.head.as_str(), own.base.as_str(), own.author.login.as_str()), (commit.as_str(), "main", "ada"));
    assert!(!own.is_fork() && own.ended.is_none());

    scene.eve.posts(&format!("repos/{REPO}/forks"), json!({})).await;
    let branch = scene.branch();
    let commit = scene.eve.commits("eve/custom-html", &branch, &branch, true).await;
    let number = scene.eve.opens(REPO, &format!("eve:{branch}")).await;
    let fork = forge.pull(&id(number)).await.unwrap().unwrap();
    assert!(fork.is_fork() && fork.ended.is_none());
    assert_eq!(
        (fork.head.as_str(), fork.head_repo.unwrap().to_string()),
        (commit.as_str(), "eve/custom-html".to_owned())
    );

    scene.eve.deletes("repos/eve/custom-html").await;
    let gone = forge.pull(&id(number)).await.unwrap().unwrap();
    assert!(gone.is_fork() && gone.head.as_str() == commit);

    assert_eq!(forge.pull(&id(99_999)).await, Ok(None));
    let elsewhere = PullId { repo: "coop/none".parse().unwrap(), number: 1 };
    assert_eq!(forge.pull(&elsewhere).await, Ok(None));
}

pub(crate) async fn one_comment_is_written_found_and_edited(scene: &Scene<'_>) {
    let forge = scene.forge();
    let (number, _) = scene.pull().await;
    let marker = "<!-- cc-ci: answer -->";
    assert_eq!(forge.own_comment(&id(number), marker).await, Ok(None));
    scene.eve.says(REPO, number, &format!("{marker} of somebody else")).await;
    scene.bot.says(REPO, number, &format!("A person's, about {marker}")).await;
    assert_eq!(forge.own_comment(&id(number), marker).await, Ok(None));
    let own = forge.say(&id(number), &format!("{marker}\nqueued")).await.unwrap();
    assert_eq!(forge.own_comment(&id(number), marker).await, Ok(Some(own)));
    forge.edit(&id(number).repo, own, &format!("{marker}\n**passed**")).await.unwrap();
    let now = forge.comment(&id(number).repo, own).await.unwrap().unwrap();
    assert_eq!((now.text.as_str(), now.author.login.as_str()), ("<!-- cc-ci: answer -->\n**passed**", "cc-ci"));
    scene.root.deletes(&format!("repos/{REPO}/issues/comments/{own}")).await;
    assert_eq!(forge.comment(&id(number).repo, own).await, Ok(None));
    assert!(matches!(forge.edit(&id(number).repo, own, "x").await, Err(ForgeError::Refused { status: 404, .. })));
}

pub(crate) async fn a_status_stands_beside_the_commit(scene: &Scene<'_>) {
    let (forge, (_, commit)) = (scene.forge(), scene.pull().await);
    let mut status = Status {
        state: StatusState::Pending,
        context: "cc-ci".to_owned(),
        description: "waits".repeat(100),
        target: Some("https://ci.example.org/run/1".parse().unwrap()),
    };
    let (repo, head) = (REPO.parse().unwrap(), commit.parse().unwrap());
    for (state, word) in [
        (StatusState::Pending, "pending"),
        (StatusState::Success, "success"),
        (StatusState::Failure, "failure"),
        (StatusState::Error, "error"),
    ] {
        status.state = state;
        forge.set_status(&repo, &head, &status).await.unwrap();
        let seen = scene.ada.gets(&format!("repos/{REPO}/commits/{commit}/status")).await;
        assert_eq!((seen["statuses"][0]["status"].as_str(), seen["total_count"].as_u64()), (Some(word), Some(1)));
        assert_eq!(seen["statuses"][0]["description"].as_str().map(str::len), Some(140));
    }
    // A garbage-collected commit is not waited for.
    let gone = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
    let refused = forge.set_status(&repo, &gone, &status).await;
    assert!(matches!(refused, Err(ForgeError::Refused { status: 404, .. })), "{refused:?}");
}
