//! What people do on a Gitea, over its interface.

use std::time::Duration;

use http_client::{Http, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::proxy::Proxy;

/// A person with a token.
#[derive(Debug, Clone)]
pub struct Person {
    http: Http,
    proxy: Proxy,
    /// What the person is called.
    pub name: String,
    /// A token of theirs.
    pub token: SecretString,
}

impl Person {
    /// One that is there already.
    pub fn new(http: &Http, proxy: &Proxy, name: &str, token: SecretString) -> Self {
        Self { http: http.clone(), proxy: proxy.clone(), name: name.to_owned(), token }
    }

    /// A request, past the proxy that counts.
    pub async fn tries(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/api/v1/{path}", self.proxy.target()).parse().unwrap();
        let mut ask = self.http.ask(method, &url).bearer(&self.token).within(Duration::from_secs(60));
        if let Some(body) = body {
            ask = ask.json(&body);
        }
        let answer = ask.up_to(1 << 20).send().await.unwrap();
        let value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        (answer.status, value)
    }

    async fn does(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, value) = self.tries(method.clone(), path, body).await;
        assert!((200..300).contains(&status), "{} {method} {path}: {status} {value}", self.name);
        value
    }

    /// A request that must succeed.
    pub async fn posts(&self, path: &str, body: Value) -> Value {
        self.does(Method::POST, path, Some(body)).await
    }

    /// A request that must succeed.
    pub async fn gets(&self, path: &str) -> Value {
        self.does(Method::GET, path, None).await
    }

    /// A request that must succeed.
    pub async fn puts(&self, path: &str) {
        self.does(Method::PUT, path, None).await;
    }

    /// A request that must succeed.
    pub async fn deletes(&self, path: &str) {
        self.does(Method::DELETE, path, None).await;
    }

    /// A request that must succeed.
    pub async fn patches(&self, path: &str, body: Value) {
        self.does(Method::PATCH, path, Some(body)).await;
    }

    /// Makes a user with a token of everything, as an administrator.
    pub async fn makes(&self, name: &str) -> Self {
        self.makes_with(name, &["all"]).await
    }

    /// Makes a user with a token of these scopes, as an administrator.
    pub async fn makes_with(&self, name: &str, scopes: &[&str]) -> Self {
        let password = format!("{}x1X", self.token.expose_secret());
        let user = json!({
            "username": name, "email": format!("{name}@example.org"), "password": password,
            "must_change_password": false,
        });
        self.posts("admin/users", user).await;
        let url = format!("{}/api/v1/users/{name}/tokens", self.proxy.target()).parse().unwrap();
        let token = json!({ "name": "test", "scopes": scopes });
        let answer = self.http.ask(Method::POST, &url).basic(name, &password.into()).json(&token).send().await.unwrap();
        let made: Value = answer.json().unwrap();
        Self::new(&self.http, &self.proxy, name, made["sha1"].as_str().unwrap().into())
    }

    /// Commits a file to a branch, which is made from main where there is none.
    pub async fn commits(&self, repo: &str, branch: &str, file: &str, is_new: bool) -> String {
        let mut body = json!({ "content": "eA==", "message": file });
        body[if is_new { "new_branch" } else { "branch" }] = branch.into();
        if is_new {
            body["branch"] = "main".into();
        }
        let made = self.posts(&format!("repos/{repo}/contents/{file}"), body).await;
        made["commit"]["sha"].as_str().unwrap().to_owned()
    }

    /// Opens a pull request; its number.
    pub async fn opens(&self, repo: &str, head: &str) -> u64 {
        let pull = json!({ "title": head, "head": head, "base": "main" });
        self.posts(&format!("repos/{repo}/pulls"), pull).await["number"].as_u64().unwrap()
    }

    /// Writes a comment; its number.
    pub async fn says(&self, repo: &str, pull: u64, text: &str) -> u64 {
        let path = format!("repos/{repo}/issues/{pull}/comments");
        self.posts(&path, json!({ "body": text })).await["id"].as_u64().unwrap()
    }

    /// Edits a comment.
    pub async fn rewords(&self, repo: &str, comment: u64, text: &str) {
        self.patches(&format!("repos/{repo}/issues/comments/{comment}"), json!({ "body": text })).await;
    }
}
