//! A small app whose users log in at a provider, and that believes nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use harness::oidc::{Attempt, Client, Oidc, OidcError};
use rand::Rng as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::scene::url;

/// Its address, without a slash at the end.
pub(crate) struct App {
    pub(crate) url: String,
}

struct State {
    url: String,
    provider: Oidc,
    client: Client,
    /// By the visitor's cookie.
    attempts: Mutex<HashMap<String, Attempt>>,
    people: Mutex<HashMap<String, String>>,
}

impl App {
    /// A free port, and the address that the app will have there.
    pub(crate) async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url)
    }

    pub(crate) fn serve(listener: TcpListener, url: String, provider: Oidc, client: Client) -> Self {
        let state = State { url: url.clone(), provider, client, attempts: Mutex::default(), people: Mutex::default() };
        let state = Arc::new(state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move { state.answer(stream).await });
            }
        });
        Self { url }
    }
}

struct Reply {
    status: &'static str,
    headers: Vec<String>,
    body: String,
}

fn reply(status: &'static str, headers: Vec<String>, body: impl Into<String>) -> Reply {
    Reply { status, headers, body: format!("<!doctype html><title>App</title><h1>{}</h1>", body.into()) }
}

impl State {
    async fn answer(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let (mut first, mut line, mut visitor) = (String::new(), String::new(), None);
        stream.read_line(&mut first).await.ok()?;
        while stream.read_line(&mut line).await.ok()? > 2 {
            if line.to_ascii_lowercase().starts_with("cookie:") {
                visitor = line.split_once("sid=").map(|(_, sid)| sid.trim_end().to_owned());
            }
            line.clear();
        }
        let target = first.split(' ').nth(1)?;
        let reply = self.route(target, visitor).await;
        let headers: String = reply.headers.iter().map(|header| format!("{header}\r\n")).collect();
        let answer = format!(
            "HTTP/1.1 {}\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{}",
            reply.status,
            reply.body.len(),
            reply.body
        );
        stream.get_mut().write_all(answer.as_bytes()).await.ok()
    }

    async fn route(&self, target: &str, visitor: Option<String>) -> Reply {
        match target.split('?').next().unwrap_or_default() {
            "/login" => {
                let attempt = self.provider.begin(&self.client, &format!("{}/callback", self.url), &["openid"]);
                let attempt = attempt.unwrap();
                let sid: String = rand::rng().sample_iter(rand::distr::Alphanumeric).take(20).map(char::from).collect();
                let headers = vec![
                    format!("location: {}", attempt.start()),
                    format!("set-cookie: sid={sid}; Path=/; HttpOnly; SameSite=Lax"),
                ];
                self.attempts.lock().unwrap().insert(sid, attempt);
                reply("307 Temporary Redirect", headers, "")
            }
            "/callback" => {
                let visitor = visitor.unwrap_or_default();
                let attempt = self.attempts.lock().unwrap().remove(&visitor);
                let Some(attempt) = attempt else { return reply("403 Forbidden", Vec::new(), "who are you?") };
                match self.name(&attempt, target).await {
                    Ok(name) => {
                        self.people.lock().unwrap().insert(visitor, name);
                        reply("303 See Other", vec!["location: /".to_owned()], "")
                    }
                    Err(error) => reply("403 Forbidden", Vec::new(), format!("no: {error}")),
                }
            }
            "/" => match visitor.and_then(|visitor| self.people.lock().unwrap().get(&visitor).cloned()) {
                Some(name) => reply("200 OK", Vec::new(), format!("Hello {name}")),
                None => reply("401 Unauthorized", Vec::new(), "Log in"),
            },
            // Where a code may come that somebody else redeems.
            "/stay" => reply("200 OK", Vec::new(), "here"),
            // A form like the provider's, by which the app would learn a password.
            "/trap" => reply(
                "200 OK",
                Vec::new(),
                "<form id=kc-form-login method=post><input id=username name=username>\
                 <input id=password name=password type=password><button id=kc-login>Go</button></form>",
            ),
            _ => reply("404 Not Found", Vec::new(), "no such page"),
        }
    }

    async fn name(&self, attempt: &Attempt, target: &str) -> Result<String, OidcError> {
        let code = self.provider.callback(attempt, &url(&format!("{}{target}", self.url)))?;
        let tokens = self.provider.redeem(&self.client, attempt, &code).await?;
        let claims = self.provider.verify(tokens.id_token()?, &attempt.expect(), jiff::Timestamp::now())?;
        Ok(claims.text("preferred_username").unwrap_or_default().to_owned())
    }
}
