use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::Query;
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use super::json::{Comment as Raw, comment_of_payload};
use super::*;

fn repo() -> Repo {
    "org/app".parse().unwrap()
}

fn raw(change: impl FnOnce(&mut serde_json::Value)) -> Raw {
    let mut value = serde_json::json!({
        "id": 7,
        "user": {"id": 3, "login": "ada"},
        "body": "!testme",
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:06Z",
        "pull_request_url": "https://git.example.org/org/app/pulls/12",
        "issue_url": "",
    });
    change(&mut value);
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_comment_of_a_pull_request_is_read() {
    let comment = raw(|_| {}).of_repo(&repo()).unwrap().unwrap();
    assert_eq!((comment.id, comment.pull.number, comment.author.login.as_str()), (CommentId(7), 12, "ada"));
    assert_eq!((comment.updated - comment.created).get_seconds(), 1);
}

#[test]
fn an_issues_or_an_imported_comment_is_none() {
    assert_eq!(raw(|value| value["pull_request_url"] = "".into()).of_repo(&repo()), Ok(None));
    assert_eq!(raw(|value| value["original_author"] = "ada".into()).of_repo(&repo()), Ok(None));
}

#[test]
fn odd_names_are_errors_and_no_names() {
    assert!(raw(|value| value["user"]["login"] = "--x y".into()).of_repo(&repo()).is_err());
    assert!(raw(|value| value["pull_request_url"] = "https://x/y".into()).of_repo(&repo()).is_err());
    assert!(raw(|value| value["user"] = serde_json::Value::Null).of_repo(&repo()).is_err());
}

#[test]
fn a_comment_is_not_in_a_log() {
    let comment = raw(|value| value["body"] = "a private word".into()).of_repo(&repo()).unwrap().unwrap();
    assert_eq!(format!("{comment:?}"), "Comment(7 on org/app#12 by ada, 14 bytes)");
}

#[test]
fn a_payload_is_a_comment_where_one_was_made_on_a_pull_request() {
    let payload = |action: &str, is_pull: bool| {
        serde_json::json!({
            "action": action,
            "is_pull": is_pull,
            "issue": {"number": 12},
            "repository": {"full_name": "org/app"},
            "comment": {
                "id": 7, "user": {"id": 3, "login": "ada"}, "body": "!testme",
                "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
            },
        })
        .to_string()
    };
    let comment = comment_of_payload(payload("created", true).as_bytes()).unwrap().unwrap();
    assert_eq!(comment.pull.to_string(), "org/app#12");
    for none in [payload("edited", true), payload("deleted", true), payload("created", false)] {
        assert_eq!(comment_of_payload(none.as_bytes()), Ok(None));
    }
    let wrong = comment_of_payload(b"{\"secret\": \"hunter2\"}").unwrap_err();
    assert!(!wrong.contains("hunter2"), "{wrong}");
}

#[test]
fn a_pull_request_has_a_full_commit_and_may_have_lost_its_fork() {
    let pull = |change: fn(&mut serde_json::Value)| {
        let mut value = serde_json::json!({
            "number": 12, "state": "open", "merged": false, "user": {"id": 3, "login": "ada"},
            "head": {"ref": "fix", "sha": "0123456789abcdef0123456789abcdef01234567", "repo": {"full_name": "org/app"}},
            "base": {"ref": "main", "sha": "", "repo": {"full_name": "org/app"}},
        });
        change(&mut value);
        let pull: json::Pull = serde_json::from_value(value).unwrap();
        pull.checked(&PullId { repo: repo(), number: 12 })
    };
    let own = pull(|_| {}).unwrap();
    assert!(!own.is_fork() && own.is_open);
    let fork = pull(|value| value["head"]["repo"]["full_name"] = "eve/app".into()).unwrap();
    assert!(fork.is_fork() && fork.head_repo.unwrap().to_string() == "eve/app");
    assert!(pull(|value| value["head"]["repo"] = serde_json::Value::Null).unwrap().is_fork());
    assert!(!pull(|value| value["state"] = "closed".into()).unwrap().is_open);
    for wrong in [
        pull(|value| value["head"]["sha"] = "0123456".into()),
        pull(|value| value["head"]["repo"]["full_name"] = "eve/../x".into()),
        pull(|value| value["base"]["ref"] = "--upload-pack=x".into()),
        pull(|value| value["number"] = 13.into()),
    ] {
        assert!(wrong.is_err());
    }
}

#[test]
fn a_long_comment_takes_little_room_and_is_still_too_long() {
    let long = "!testme\n".repeat(100_000) + "ä";
    let comment = raw(|value| value["body"] = long.into()).of_repo(&repo()).unwrap().unwrap();
    assert!(comment.text.len() > crate::grammar::COMMENT_BYTES && comment.text.len() < 70_000);
    assert!(crate::grammar::parse(&comment.text).is_empty());
}

/// A server that gives these comments, `limit` at once.
async fn server(bodies: Vec<String>) -> Gitea {
    let comments: Vec<serde_json::Value> = bodies
        .into_iter()
        .zip(1..)
        .map(|(body, id)| {
            json!({
                "id": id, "user": {"id": 3, "login": "ada"}, "body": body,
                "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
                "pull_request_url": "https://git.example.org/org/app/pulls/12",
            })
        })
        .collect();
    let comments = Arc::new(comments);
    let give = move |Query(query): Query<HashMap<String, String>>| {
        let comments = Arc::clone(&comments);
        async move {
            let number = |name: &str| query[name].parse::<usize>().unwrap();
            let (page, limit) = (number("page"), number("limit"));
            let part: Vec<_> = comments.iter().skip((page - 1) * limit).take(limit).cloned().collect();
            ([("x-total-count", comments.len().to_string())], Json(part))
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let router = Router::new().route("/api/v1/repos/org/app/issues/comments", get(give));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = Http::new(&harness::http::HttpConfig::default()).unwrap();
    Gitea::new(http, url, "org".parse().unwrap(), "x".into())
}

#[tokio::test]
async fn comments_of_any_length_hide_no_others() {
    let long = |mebibytes: usize| "x".repeat(mebibytes * 1024 * 1024);
    let bodies = vec!["!testme".to_owned(), long(9), "!stop".to_owned(), long(33), "!status".to_owned()];
    let listed = server(bodies).await.comments(&repo(), Timestamp::UNIX_EPOCH).await.unwrap();
    let ids: Vec<u64> = listed.items.iter().map(|comment| comment.id.0).collect();
    // The largest is not even read.
    assert_eq!((ids, listed.at_once), (vec![1, 2, 3, 5], false));
}

#[tokio::test]
async fn a_list_in_parts_is_read_to_its_end() {
    for count in [0, 1, 49, 50, 51, 100, 120] {
        let bodies = (0..count).map(|n| n.to_string()).collect();
        let listed = server(bodies).await.comments(&repo(), Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!((listed.items.len(), listed.at_once), (count, count <= 50), "{count}");
    }
}
