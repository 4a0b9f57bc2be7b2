use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::Query;
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use super::json::{Comment as Raw, Issue, comment_of_payload};
use super::*;
use crate::api::{ForgeRelease, Number, PullEnd};

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
    assert!(!own.is_fork() && own.ended.is_none());
    let fork = pull(|value| value["head"]["repo"]["full_name"] = "eve/app".into()).unwrap();
    assert!(fork.is_fork() && fork.head_repo.unwrap().to_string() == "eve/app");
    assert!(pull(|value| value["head"]["repo"] = serde_json::Value::Null).unwrap().is_fork());
    let closed = pull(|value| value["state"] = "closed".into()).unwrap();
    let merged = pull(|value| (value["state"], value["merged"]) = ("closed".into(), true.into())).unwrap();
    assert_eq!((closed.ended, merged.ended), (Some(PullEnd::Closed), Some(PullEnd::Merged)));
    let sha256 = pull(|value| value["head"]["sha"] = "0123456789abcdef".repeat(4).into()).unwrap();
    assert_eq!(sha256.head.as_str().len(), 64);
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
fn a_pull_request_in_a_list_says_whether_it_ended() {
    let ended = |state: &str, about: serde_json::Value| {
        let value = serde_json::json!({
            "number": 12, "state": state, "comments": 1, "updated_at": "2026-01-02T03:04:05Z",
            "repository": {"full_name": "org/app"}, "pull_request": about,
        });
        let issue: Issue = serde_json::from_value(value).unwrap();
        issue.mark().unwrap().map(|mark| mark.ended)
    };
    let about = |merged: bool| serde_json::json!({ "merged": merged, "merged_at": null });
    assert_eq!(ended("open", about(false)), Some(None));
    assert_eq!(ended("closed", about(false)), Some(Some(PullEnd::Closed)));
    assert_eq!(ended("closed", about(true)), Some(Some(PullEnd::Merged)));
    assert_eq!(ended("open", serde_json::Value::Null), None, "an issue");
}

#[test]
fn a_long_comment_takes_little_room_and_is_still_too_long() {
    let long = "!testme\n".repeat(100_000) + "ä";
    let comment = raw(|value| value["body"] = long.into()).of_repo(&repo()).unwrap().unwrap();
    assert!(comment.text.len() > crate::grammar::COMMENT_BYTES && comment.text.len() < 70_000);
    assert!(crate::grammar::parse(&comment.text).is_empty());
}

/// A server with these comments, `limit` per page.
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
    serving(Router::new().route("/api/v1/repos/org/app/issues/comments", get(give))).await
}

/// A forge with these routes.
async fn serving(router: Router) -> Gitea {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = Http::new(&http_client::HttpConfig::default()).unwrap();
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

#[tokio::test]
async fn pushes_are_read_behind_what_the_bot_may_not_see() {
    let commit = |digit: &str| digit.repeat(40);
    let push = |id: u64, force: bool, commits: &[&str]| {
        let commits: Vec<String> = commits.iter().map(|digit| commit(digit)).collect();
        let body = json!({ "is_force_push": force, "commit_ids": commits }).to_string();
        json!({ "id": id, "type": "pull_push", "body": body, "updated_at": format!("2026-01-01T00:00:0{id}Z") })
    };
    let comment = json!({ "id": 2, "type": "comment", "body": push(0, false, &["9"])["body"] });
    let odd = json!({ "id": 6, "type": "pull_push", "body": "nonsense" });
    // The forge filters hidden items after paging: one page is empty, and the next is not.
    let parts = Arc::new(vec![
        vec![push(1, false, &["a", "b"]), comment, json!(null)],
        vec![],
        vec![push(5, true, &["b", "c"]), odd],
    ]);
    let give = move |Query(query): Query<HashMap<String, String>>| {
        let parts = Arc::clone(&parts);
        async move {
            let page: usize = query["page"].parse().unwrap();
            let since = query.contains_key("since");
            let part = if since { None } else { parts.get(page - 1).cloned() };
            // It counts only the rest of the page, and an empty page is null.
            let count = part.as_ref().map_or(0, Vec::len);
            ([("x-total-count", count.to_string())], Json(part.filter(|part| !part.is_empty())))
        }
    };
    let forge = serving(Router::new().route("/api/v1/repos/org/app/issues/12/timeline", get(give))).await;
    let pull = PullId { repo: repo(), number: 12 };
    let pushes = forge.pushes(&pull, None).await.unwrap().unwrap();
    let seen: Vec<(u64, bool, usize)> =
        pushes.items.iter().map(|push| (push.id.0, push.is_force, push.commits.len())).collect();
    assert_eq!(seen, [(1, false, 2), (5, true, 2), (6, false, 0)]);
    assert_eq!(pushes.newest, Some("2026-01-01T00:00:05Z".parse().unwrap()));
    assert_eq!(forge.pushes(&pull, Some(Timestamp::UNIX_EPOCH)).await.unwrap(), Some(Pushes::default()));
    // An older forge has no timeline.
    assert_eq!(serving(Router::new()).await.pushes(&pull, None).await.unwrap(), None);
}

#[tokio::test]
async fn a_forge_says_which_one_it_is_or_has_its_right_answer() {
    use axum::http::{HeaderMap, StatusCode};

    let version = |text: &'static str| get(move || async move { Json(json!({ "version": text })) });
    let of = async |router: Router| serving(router).await.release().await;
    let at = "/api/v1/version";
    assert_eq!(of(Router::new().route(at, version("1.26.0"))).await, Ok(ForgeRelease::Gitea(Number(1, 26, 0))));
    let forgejo = Router::new().route(at, version("11.0.5+gitea-1.22.0"));
    assert_eq!(of(forgejo).await, Ok(ForgeRelease::Forgejo(Number(11, 0, 5))));
    let early = Router::new().route(at, version("1.21.11-1"));
    let early = early.route("/api/forgejo/v1/version", version("6.0.14+0-gitea-1.21.11"));
    assert_eq!(of(early).await, Ok(ForgeRelease::Forgejo(Number(1, 21, 11))));
    // A forge that requires a login everywhere gets one.
    let closed = get(|headers: HeaderMap| async move {
        match headers.contains_key("authorization") {
            true => Ok(Json(json!({ "version": "1.23.1" }))),
            false => Err(StatusCode::FORBIDDEN),
        }
    });
    assert_eq!(of(Router::new().route(at, closed)).await, Ok(ForgeRelease::Gitea(Number(1, 23, 1))));
    let never = get(|| async { StatusCode::FORBIDDEN });
    assert!(matches!(of(Router::new().route(at, never)).await, Ok(ForgeRelease::Untold { .. })));
    // GitLab and GitHub have no such path; an HTML page does not count either.
    assert!(matches!(of(Router::new()).await, Ok(ForgeRelease::Neither { .. })));
    let page = get(|| async { "<!doctype html>" });
    assert!(matches!(of(Router::new().route(at, page)).await, Ok(ForgeRelease::Neither { .. })));
    let down = get(|| async { StatusCode::BAD_GATEWAY });
    assert!(of(Router::new().route(at, down)).await.unwrap_err().is_passing());
}

#[tokio::test]
async fn an_account_that_does_what_people_do_is_told_apart() {
    let of = async |admin: bool, teams: serde_json::Value, keys: serde_json::Value, opened: serde_json::Value| {
        let give = |value: serde_json::Value| get(move || async move { Json(value) });
        let router = Router::new()
            .route("/api/v1/user", give(json!({ "id": 3, "login": "ada", "is_admin": admin })))
            .route("/api/v1/user/teams", give(teams))
            .route("/api/v1/user/keys", give(keys))
            .route("/api/v1/repos/issues/search", give(opened));
        serving(router).await.account().await.unwrap().signs
    };
    let team = |permission: &str, org: &str| json!([{ "permission": permission, "organization": { "name": org, "username": org } }]);
    let enrolled = json!([{ "title": "Enrol n8n" }]);
    assert!(of(false, team("write", "org"), json!([]), enrolled).await.is_empty());
    assert!(of(false, team("owner", "another"), json!([]), json!([])).await.is_empty());
    let person = of(true, team("owner", "Org"), json!([{ "id": 1 }]), json!([{ "title": "n8n 2.0" }])).await;
    assert_eq!(person.len(), 4, "{person:?}");
    // A list that may not be queried is no sign.
    let bare = Router::new().route("/api/v1/user", get(|| async { Json(json!({ "id": 3, "login": "ada" })) }));
    assert!(serving(bare).await.account().await.unwrap().signs.is_empty());
}
