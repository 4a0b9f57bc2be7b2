//! A Gitea of its own, gone at the end.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::{ContainerCreateBody, ContainerInspectResponse, HostConfig, PortBinding};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::FutureExt as _;
use http_client::{Expect, Http, HttpConfig};
use secrecy::SecretString;
use swarm::Swarm;

static STARTED: AtomicU32 = AtomicU32::new(0);
const IMAGE: &str = "testbed.invalid/gitea:1.26.0";
/// The process that owns a container, and which of its tests.
const OWNER: &str = "cc-ci.test.forge";
/// On a busy machine its first tables take their time.
const READY: Duration = Duration::from_secs(120);
const MEMORY: i64 = 600 * 1000 * 1000;
/// Each push starts its program three times, and half of what such a short life computes is the collector of memory.
const COLLECTOR: [&str; 2] = ["GOGC=off", "GOMEMLIMIT=300MiB"];
/// Issues have their usual index, so that what does not wait for it shows.
const SETTINGS: &str = "
RUN_USER = git
RUN_MODE = prod
WORK_PATH = /var/lib/gitea
[server]
DOMAIN = git.example.org
ROOT_URL = https://git.example.org/
HTTP_PORT = 3000
STATIC_ROOT_PATH = /usr/share/gitea
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
SQLITE_JOURNAL_MODE = WAL
LOG_SQL = false
[security]
INSTALL_LOCK = true
SECRET_KEY = of-no-use-to-anybody-else
INTERNAL_TOKEN = of-no-use-to-anybody-either
PASSWORD_HASH_ALGO = pbkdf2$1000$50
[oauth2]
ENABLED = false
[git.config]
core.fsync = none
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = private
[log]
MODE = console
LEVEL = warn
[cron]
ENABLED = false
[actions]
ENABLED = false
";

/// A running Gitea on a free port of the loopback.
#[derive(Debug)]
pub struct Gitea {
    swarm: Swarm,
    /// A client.
    pub http: Http,
    container: String,
    /// The host's address on the container's network.
    pub host: String,
}

/// Starts one, and removes it whatever becomes of the work.
pub async fn with<T>(work: impl AsyncFnOnce(&Gitea) -> T) -> T {
    let swarm = Swarm::connect().await.expect("a docker engine, made by ./dev");
    assert!(swarm.present(IMAGE).await.unwrap(), "there is no image {IMAGE}: testbed/images/build gitea makes it");
    // What a killed test left. A process that is dead and not yet reaped has no program any more.
    let is_dead = |owner: &str| {
        let process = owner.split('-').next().unwrap_or_default();
        std::fs::read_link(format!("/proc/{process}/exe")).is_err()
    };
    remove(swarm.docker(), is_dead).await;
    // Tests of one process may run beside each other.
    let own = format!("{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
    let ended = AssertUnwindSafe(async {
        let gitea = start(Swarm::connect().await.unwrap(), own.clone()).await;
        work(&gitea).await
    });
    let ended = ended.catch_unwind().await;
    remove(swarm.docker(), |owner| owner == own).await;
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Removes the containers of the owners that are meant, with their volumes.
async fn remove(docker: &Docker, is_meant: impl Fn(&str) -> bool) {
    let filters = HashMap::from([("label", vec![OWNER])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    for container in docker.list_containers(Some(options)).await.unwrap() {
        let owner = container.labels.unwrap_or_default().remove(OWNER).unwrap_or_default();
        if is_meant(&owner) {
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            docker.remove_container(&container.id.unwrap(), Some(options)).await.unwrap();
        }
    }
}

async fn start(swarm: Swarm, owner: String) -> Gitea {
    let port = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(String::new()) };
    let host = HostConfig {
        memory: Some(MEMORY),
        port_bindings: Some(HashMap::from([("3000/tcp".to_owned(), Some(vec![port]))])),
        ..HostConfig::default()
    };
    let script = "printf '%s' \"$SETTINGS\" >/etc/gitea/app.ini && exec gitea web -c /etc/gitea/app.ini";
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        env: Some([&[format!("SETTINGS={SETTINGS}")], &COLLECTOR.map(str::to_owned)[..]].concat()),
        cmd: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
        labels: Some(HashMap::from([(OWNER.to_owned(), owner)])),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    };
    let docker = swarm.docker();
    let made = docker.create_container(None, body).await.unwrap();
    docker.start_container(&made.id, None).await.unwrap();
    let seen = docker.inspect_container(&made.id, None).await.unwrap();
    let networks = seen.network_settings.unwrap().networks.unwrap();
    let host = networks.into_values().find_map(|network| network.gateway).unwrap();
    let http = Http::new(&HttpConfig::default()).unwrap();
    let gitea = Gitea { http, container: made.id, host, swarm };
    let begun = Instant::now();
    gitea.ready().await;
    println!("  Gitea is ready after {:.1} s", begun.elapsed().as_secs_f32());
    gitea
}

impl Gitea {
    /// Its address now, without a slash at the end; another one after each start.
    pub async fn url(&self) -> String {
        let seen: ContainerInspectResponse =
            self.swarm.docker().inspect_container(&self.container, None).await.unwrap();
        let mut ports = seen.network_settings.unwrap().ports.unwrap();
        let port = ports.remove("3000/tcp").flatten().unwrap().remove(0).host_port.unwrap();
        format!("http://127.0.0.1:{port}")
    }

    async fn ready(&self) {
        let url = format!("{}/api/healthz", self.url().await);
        let ready = Expect { url, status: vec![200], body: Some("pass".to_owned()) };
        if let Err(failure) = self.http.answers(&ready, Instant::now() + READY, &mut |_| {}).await {
            panic!("Gitea is not ready: {failure}\n{}", self.swarm.last_words(&self.container).await);
        }
    }

    /// Stops it.
    pub async fn stop(&self) {
        let options = StopContainerOptionsBuilder::new().t(10).build();
        self.swarm.docker().stop_container(&self.container, Some(options)).await.unwrap();
    }

    /// Starts it again, on another port.
    pub async fn start(&self) {
        self.swarm.docker().start_container(&self.container, None).await.unwrap();
        self.ready().await;
    }

    /// It answers nothing.
    pub async fn freeze(&self) {
        self.swarm.docker().pause_container(&self.container).await.unwrap();
    }

    /// It answers again.
    pub async fn thaw(&self) {
        self.swarm.docker().unpause_container(&self.container).await.unwrap();
    }

    /// Runs its own program; the last line that it prints.
    pub async fn command(&self, argv: &[&str]) -> String {
        let argv: Vec<String> =
            ["gitea", "-c", "/etc/gitea/app.ini"].iter().chain(argv).map(|&word| word.to_owned()).collect();
        let ended =
            self.swarm.exec(&self.container, &argv, &[], Instant::now() + Duration::from_secs(60)).await.unwrap();
        assert_eq!(ended.exit, 0, "{}", ended.output);
        ended.output.lines().last().unwrap_or_default().to_owned()
    }

    /// Throws away every commit of a repository that no branch, tag or pull request leads to.
    pub async fn forgets(&self, repo: &str) {
        let at = format!("/var/lib/gitea/data/gitea-repositories/{repo}.git");
        let script = "git -C \"$1\" reflog expire --expire=now --all && git -C \"$1\" gc --quiet --prune=now";
        let argv = ["sh", "-c", script, "sh", &at].map(str::to_owned);
        let ended =
            self.swarm.exec(&self.container, &argv, &[], Instant::now() + Duration::from_secs(60)).await.unwrap();
        assert_eq!(ended.exit, 0, "{}", ended.output);
    }

    /// A user who may do everything.
    pub async fn administrator(&self) -> SecretString {
        let email = ["--email", "root@example.org", "--random-password", "--must-change-password=false"];
        self.command(&[&["admin", "user", "create", "--admin", "--username", "root"], &email[..]].concat()).await;
        let token = ["admin", "user", "generate-access-token", "--username", "root", "--scopes", "all", "--raw"];
        self.command(&token).await.into()
    }
}
