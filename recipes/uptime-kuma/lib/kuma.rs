//! The owner, and monitors in the owner's name. Everything but what strangers may see goes by Socket.IO.

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use harness::http::{Http, Method, Url};
use harness::socketio::SocketIo;
use harness::testing::{Test, Wrong};
use serde_json::{Value, json};

/// For an answer of a server on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a heartbeat says of its monitor.
pub const DOWN: u64 = 0;
pub const UP: u64 = 1;

/// The owner's connection.
#[derive(Debug)]
pub struct Owner {
    pub socket: SocketIo,
    /// Of the server, which it tells nobody else.
    pub version: String,
    /// Its monitors by their ids, as they were when the connection began.
    pub monitors: Value,
}

/// The owner that an earlier test made, or a new one: who comes first becomes it.
pub async fn owner(test: &Test) -> Result<Owner, Wrong> {
    let mut socket = stranger(test).await?;
    if socket.call("needSetup", &[], PATIENCE).await? == true {
        let name = format!("owner-{}", random()?);
        let password = format!("A1-{}", random()?);
        test.hide(&password)?;
        fine(socket.call("setup", &[json!(name), json!(password)], PATIENCE).await?)?;
        test.remember("owner_name", &name)?;
        test.remember("owner_password", &password)?;
        return login(test, socket, &name, &password).await;
    }
    let (name, password) = (test.value("owner_name")?, test.value("owner_password")?);
    login(test, socket, name, password).await
}

/// A connection of who has not logged in.
pub async fn stranger(test: &Test) -> Result<SocketIo, Wrong> {
    Ok(SocketIo::connect(&test.http()?, &Url::parse(&test.url("/"))?, PATIENCE).await?)
}

pub async fn login(test: &Test, mut socket: SocketIo, name: &str, password: &str) -> Result<Owner, Wrong> {
    let who = json!({ "username": name, "password": password, "token": "" });
    let said = fine(socket.call("login", &[who], PATIENCE).await?)?;
    test.hide(said["token"].as_str().ok_or_else(|| Wrong::red("the login gave no token"))?)?;
    let monitors = socket.event("monitorList", PATIENCE, |_| true).await?.into_iter().next().unwrap_or_default();
    let info = socket.event("info", PATIENCE, |values| values.first().is_some_and(|info| info["version"].is_string()));
    let version = info.await?[0]["version"].as_str().unwrap_or_default().to_owned();
    Ok(Owner { socket, version, monitors })
}

impl Owner {
    pub async fn call(&mut self, event: &str, values: &[Value]) -> Result<Value, Wrong> {
        fine(self.socket.call(event, values, PATIENCE).await?)
    }

    /// Makes a monitor with these settings over the usual ones, and gives its id.
    pub async fn add(&mut self, own: Value) -> Result<u64, Wrong> {
        let mut monitor = json!({
            "interval": 20, "retryInterval": 20, "resendInterval": 0, "maxretries": 0, "maxredirects": 0, "timeout": 10,
            "method": "GET", "accepted_statuscodes": ["200-299"], "notificationIDList": {}, "active": true,
            "kafkaProducerBrokers": [], "kafkaProducerSaslOptions": {},
        });
        // Wanted since 2.0, and unknown before it.
        if !self.version.starts_with("1.") && !self.version.contains("-dev") {
            monitor["conditions"] = json!([]);
        }
        if let (Value::Object(all), Value::Object(own)) = (&mut monitor, own) {
            all.extend(own);
        }
        let said = self.call("add", &[monitor]).await?;
        said["monitorID"].as_u64().ok_or_else(|| Wrong::red(format!("a new monitor has no id: {said}")))
    }

    /// The next heartbeat of a monitor that has this status.
    pub async fn beat(&mut self, monitor: u64, status: u64, patience: Duration) -> Result<Value, Wrong> {
        let wanted = move |values: &[Value]| {
            values.first().is_some_and(|beat| beat["monitorID"] == monitor && beat["status"] == status)
        };
        Ok(self.socket.event("heartbeat", patience, wanted).await?.swap_remove(0))
    }
}

/// What was refused is wrong, in the server's words.
pub fn fine(said: Value) -> Result<Value, Wrong> {
    if said["ok"] == true { Ok(said) } else { Err(Wrong::red(format!("Uptime Kuma refuses: {}", said["msg"]))) }
}

/// The words of a refusal; wrong where there is none.
pub fn refusal(said: &Value) -> Result<&str, Wrong> {
    match (&said["ok"], said["msg"].as_str()) {
        (Value::Bool(false), Some(words)) => Ok(words),
        _ => Err(Wrong::red(format!("was not refused: {said}"))),
    }
}

/// What a stranger is answered to a GET, as JSON.
pub async fn public(http: &Http, address: &str, status: u16) -> Result<Value, Wrong> {
    let answer = http.ask(Method::GET, &Url::parse(address)?).send().await?;
    assert_eq!(answer.status, status, "the answer to {address}: {}", answer.body);
    Ok(serde_json::from_str(&answer.body)?)
}

/// 32 characters that nobody can guess, as the server wants them for a push.
pub fn random() -> Result<String, Wrong> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
