//! The connection to the engine, its facts, and its errors as failures.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::messages::{self, Speaker};
use bollard::errors::Error;
use bollard::models::{LocalNodeState, SystemInfoCgroupVersionEnum};
use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker};
use tokio::sync::Mutex;

use super::bot_shell::BotShell;

/// Timeout of one request. Lists take milliseconds; a pull and an event stream respond at once and stream afterwards,
/// which this does not limit.
const REQUEST: Duration = Duration::from_secs(60);

/// The engine's default address.
const LOCAL: &str = "unix:///var/run/docker.sock";

/// Minimum timeout of the first attempt, even if the deadline has passed.
const FIRST_TRY: Duration = Duration::from_secs(2);

/// A connection to the docker engine, which opens one socket per request. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Swarm {
    docker: Docker,
    address: Arc<str>,
    pub(super) bot_shell: Arc<Mutex<Option<BotShell>>>,
}

/// Facts about the engine and its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFacts {
    /// Such as `20.10.24`.
    pub version: String,
    /// The host's name in the engine.
    pub host: String,
    /// Whether swarm mode is active on this node.
    pub swarm_active: bool,
    /// Whether this node is a manager, so that services can be deployed through it.
    pub is_manager: bool,
    /// The node's id in the swarm; empty without swarm mode.
    pub node_id: String,
    /// Number of nodes in the swarm; 0 if unknown.
    pub nodes: u64,
    /// Whether the kernel has IPVS, without which swarm's virtual addresses do not work. Read from the kernel of this
    /// process, which is the engine's kernel if the socket is local.
    pub ipvs: bool,
    /// The version of control groups: 1 or 2; 0 if unknown.
    pub cgroup: u8,
    /// Number of processors.
    pub cpus: u64,
    /// Memory in bytes.
    pub memory: u64,
}

impl Swarm {
    /// Connects to the engine in `DOCKER_HOST`, or to the local socket, and negotiates the API version.
    ///
    /// # Errors
    /// [`Kind::EngineUnreachable`] with the address.
    pub async fn connect() -> Result<Self, Failure> {
        Self::connect_to(&address()).await
    }

    /// Connects to the engine at an address, such as `unix:///var/run/docker.sock`.
    ///
    /// # Errors
    /// As in [`Swarm::connect`].
    pub async fn connect_to(address: &str) -> Result<Self, Failure> {
        let unreachable = |e: Error| unreachable_engine(address).with_detail(chain(&e));
        let docker = match super::raw::api_version(address).await.and_then(|version| older(&version)) {
            Some(version) => Docker::connect_with_unix(address, REQUEST.as_secs(), &version).map_err(unreachable)?,
            // An engine that does not answer, or not with its version: the client library says why.
            None => {
                let docker = Docker::connect_with_host(address).map_err(unreachable)?;
                docker.negotiate_version().await.map_err(unreachable)?
            }
        };
        Ok(Self { docker: docker.with_timeout(REQUEST), address: address.into(), bot_shell: Arc::default() })
    }

    /// Connects, with retries until the deadline: a restarting engine needs seconds.
    ///
    /// # Errors
    /// As in [`Swarm::connect`], at the deadline.
    pub async fn connect_within(deadline: Instant) -> Result<Self, Failure> {
        let mut pause = Duration::from_millis(50);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left.max(FIRST_TRY), Self::connect()).await {
                Ok(Ok(swarm)) => return Ok(swarm),
                Ok(Err(failure)) if left <= pause => return Err(failure),
                Err(_) => return Err(unreachable_engine(&address())),
                Ok(Err(_)) => {}
            }
            // An engine that is down sends no event.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// The engine's address, for messages.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether the engine answers again before the deadline.
    pub(super) async fn is_back_within(&self, deadline: Instant) -> bool {
        let mut pause = Duration::from_millis(50);
        loop {
            let asked = tokio::time::timeout(FIRST_TRY, self.docker.ping()).await;
            if matches!(asked, Ok(Ok(_))) {
                return true;
            }
            if Instant::now() + pause >= deadline {
                return false;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// The underlying client, for requests that this module does not have.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Queries the engine's facts.
    pub async fn facts(&self) -> Result<EngineFacts, Failure> {
        let info = ask("return its facts", self.docker.info()).await?;
        let swarm = info.swarm.unwrap_or_default();
        let count = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        Ok(EngineFacts {
            version: info.server_version.unwrap_or_default(),
            host: info.name.unwrap_or_default(),
            swarm_active: swarm.local_node_state == Some(LocalNodeState::ACTIVE),
            is_manager: swarm.control_available.unwrap_or(false),
            node_id: swarm.node_id.unwrap_or_default(),
            nodes: count(swarm.nodes),
            ipvs: kernel_has_ipvs(),
            cgroup: match info.cgroup_version {
                Some(SystemInfoCgroupVersionEnum::_1) => 1,
                Some(SystemInfoCgroupVersionEnum::_2) => 2,
                _ => 0,
            },
            cpus: count(info.ncpu),
            memory: count(info.mem_total),
        })
    }
}

/// The engine's API version or the newest that the client library knows, whichever is older.
fn older(engine: &str) -> Option<ClientVersion> {
    let (major, minor) = engine.split_once('.')?;
    let engine = ClientVersion { major_version: major.parse().ok()?, minor_version: minor.parse().ok()? };
    let newest = ClientVersion {
        major_version: API_DEFAULT_VERSION.major_version,
        minor_version: API_DEFAULT_VERSION.minor_version,
    };
    Some(if engine < newest { engine } else { newest })
}

fn address() -> String {
    // Docker's own client also treats an empty one as unset.
    std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()).unwrap_or_else(|| LOCAL.to_owned())
}

pub(super) fn unreachable_engine(address: &str) -> Failure {
    Failure::new(
        Kind::EngineUnreachable,
        format!("the docker engine at {address} does not answer"),
        "start docker, or set DOCKER_HOST to a socket that this user may open (`docker version` shows it)",
    )
}

/// `/proc/net/ip_vs` exists once the module is loaded. A module that is only installed counts too: the engine loads it
/// with the first overlay network.
fn kernel_has_ipvs() -> bool {
    if Path::new("/proc/net/ip_vs").exists() || Path::new("/sys/module/ip_vs").exists() {
        return true;
    }
    let Ok(release) = std::fs::read_to_string("/proc/sys/kernel/osrelease") else { return false };
    let modules = Path::new("/lib/modules").join(release.trim());
    ["modules.dep", "modules.builtin"]
        .iter()
        .any(|file| std::fs::read_to_string(modules.join(file)).is_ok_and(|text| text.contains("/ip_vs.ko")))
}

/// Waits for one request and converts its error to a failure. `doing` completes "the engine could not …".
pub(super) async fn ask<T>(doing: &str, request: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    request.await.map_err(|e| failed(doing, &e))
}

/// An error of the engine as a failure.
pub(super) fn failed(doing: &str, e: &Error) -> Failure {
    let said = chain(e);
    let what = format!("the engine could not {doing}: {}", super::reason::one_line(&said));
    let known = messages::known(Speaker::Engine, &said);
    let is_told = |row: &&messages::KnownMessage| row.kind != Kind::EngineUnreachable;
    match known.filter(is_told) {
        Some(row) => Failure::new(row.kind, what, row.look_at),
        None if is_lost(e) => {
            Failure::new(Kind::EngineUnreachable, what, "is docker running, and does `docker version` answer?")
        }
        // An engine that responds with a server error is broken; any other refusal means that the request was wrong.
        None if known.is_some() || status(e).is_some_and(|code| code >= 500) => {
            Failure::new(Kind::EngineUnreachable, what, "the engine's log (`journalctl -u docker`)")
        }
        None => Failure::new(Kind::Bug, what, "the engine's log has the details (`journalctl -u docker`)"),
    }
}

/// Whether an error is about the connection rather than the request.
pub(super) fn is_lost(e: &Error) -> bool {
    matches!(
        e,
        Error::IOError { .. }
            | Error::HyperResponseError { .. }
            | Error::HyperLegacyError { .. }
            | Error::RequestTimeoutError
            | Error::SocketNotFoundError(_)
    )
}

/// The HTTP status of the engine's refusal, if it responded.
pub(super) fn status(e: &Error) -> Option<u16> {
    match e {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// Whether the engine says that there is no such object. Removing a missing object succeeds.
pub(super) fn is_gone(e: &Error) -> bool {
    status(e) == Some(404)
}

/// Whether swarm refuses a change because the object has been changed since it was read. There is no specific status
/// for that: an engine 20.10 returns 500 with this message.
pub(super) fn is_stale(e: &Error) -> bool {
    matches!(e, Error::DockerResponseServerError { message, .. } if message.contains("update out of sequence"))
}

/// An error with its sources, since the outer one is often only "client error".
fn chain(e: &Error) -> String {
    let mut text = match e {
        Error::DockerResponseServerError { message, .. } => return message.clone(),
        other => other.to_string(),
    };
    let mut source = std::error::Error::source(e);
    while let Some(inner) = source {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_api_version_of_both_counts() {
        let newest = API_DEFAULT_VERSION.to_string();
        let newest = newest.as_str();
        for (engine, used) in [("1.41", "1.41"), ("1.9", "1.9"), ("1.999", newest), ("2.0", newest), (newest, newest)] {
            assert_eq!(older(engine).map(|version| version.to_string()).as_deref(), Some(used));
        }
        assert!(["", "1", "1.x", "1.41.2", "-1.4"].into_iter().all(|engine| older(engine).is_none()));
    }

    #[test]
    fn a_refusal_is_told_from_a_lost_connection() {
        let refused = Error::DockerResponseServerError { status_code: 400, message: "no".to_owned() };
        assert!(!is_lost(&refused));
        assert_eq!(failed("list tasks", &refused).kind, Kind::Bug);
        assert_eq!(failed("list tasks", &refused).what, "the engine could not list tasks: no");
        let lost = Error::IOError { err: std::io::ErrorKind::ConnectionReset.into() };
        assert!(is_lost(&lost));
        assert_eq!(failed("list tasks", &lost).kind, Kind::EngineUnreachable);
    }

    #[test]
    fn refusals_with_a_meaning_have_names() {
        let said = |message: &str| {
            let e = Error::DockerResponseServerError { status_code: 503, message: message.to_owned() };
            failed("make a config", &e).kind
        };
        assert_eq!(said("rpc error: context deadline exceeded"), Kind::EngineUnreachable);
        assert_eq!(said("No such container: x"), Kind::CrashLoop);
        assert_eq!(said("write /var/lib/x: no space left on device"), Kind::DiskFull);
        assert_eq!(said("This node is not a swarm manager. Use \"docker swarm init\""), Kind::WorldIncomplete);
    }
}
