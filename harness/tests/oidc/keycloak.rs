//! A Keycloak of its own, with its database, both gone at the end.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::{ContainerCreateBody, ContainerInspectResponse, HostConfig, PortBinding};
use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use futures_util::FutureExt as _;
use harness::http::{Expect, Http, HttpConfig, Method, Url};
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretString};
use swarm::Swarm;

const IMAGE: &str = "testbed.invalid/keycloak:26.7.3";
/// What Keycloak was built for; it has no database of its own.
const DATABASE: &str = "testbed.invalid/postgres:15";
/// The process that owns a container.
const OWNER: &str = "cc-ci.test.oidc";
/// On a busy machine a start takes a minute.
const READY: Duration = Duration::from_secs(240);
/// A realm has keys, and on a busy machine they take their time.
const REALM: Duration = Duration::from_secs(120);
/// Keycloak within 500 MB; what it needs beyond heap and classes is 100 MB.
const JAVA: &str = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xms96m -Xmx240m -XX:MaxMetaspaceSize=192m \
                    -XX:+ExitOnOutOfMemoryError -Djava.security.egd=file:/dev/urandom -Dfile.encoding=UTF-8";
const MEMORY: i64 = 500 * 1000 * 1000;

/// A running Keycloak on a free port of the loopback.
pub(crate) struct Keycloak {
    pub(crate) http: Http,
    /// Its address, without a slash at the end.
    pub(crate) url: String,
    admin: SecretString,
}

/// Starts one, and removes it whatever becomes of the work.
pub(crate) async fn with<T>(work: impl AsyncFnOnce(&Keycloak) -> T) -> T {
    let swarm = Swarm::connect().await.expect("a docker engine, made by ./dev");
    for (image, name) in [(IMAGE, "keycloak"), (DATABASE, "postgres")] {
        let hint = format!("there is no image {image}: testbed/images/build {name} makes it");
        assert!(swarm.present(image).await.unwrap(), "{hint}");
    }
    // What a killed test left. A process that is dead and not yet reaped has no program any more.
    remove(swarm.docker(), |owner| std::fs::read_link(format!("/proc/{owner}/exe")).is_err()).await;
    let ended = AssertUnwindSafe(async {
        let keycloak = start(swarm.docker()).await;
        work(&keycloak).await
    });
    let ended = ended.catch_unwind().await;
    let own = std::process::id().to_string();
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

async fn start(docker: &Docker) -> Keycloak {
    let (database, admin) = (random(), random());
    let env = [
        "POSTGRES_USER=keycloak".to_owned(),
        format!("POSTGRES_PASSWORD={}", database.expose_secret()),
        "POSTGRES_INITDB_ARGS=--no-sync".to_owned(),
    ];
    let host = HostConfig { memory: Some(MEMORY), ..HostConfig::default() };
    // Nothing of it outlives the test, so nothing waits for the disk.
    let quick = ["postgres", "-c", "fsync=off"].map(str::to_owned).to_vec();
    let seen = run(docker, DATABASE, env.into(), Some(quick), host).await;
    let networks = seen.network_settings.unwrap().networks.unwrap();
    let address = networks.into_values().find_map(|network| network.ip_address).unwrap();

    let env = [
        "KC_BOOTSTRAP_ADMIN_USERNAME=admin".to_owned(),
        format!("KC_BOOTSTRAP_ADMIN_PASSWORD={}", admin.expose_secret()),
        format!("KC_DB_URL_HOST={address}"),
        "KC_DB_USERNAME=keycloak".to_owned(),
        format!("KC_DB_PASSWORD={}", database.expose_secret()),
        "KC_HTTP_ENABLED=true".to_owned(),
        // Its name is whatever it is asked by.
        "KC_HOSTNAME_STRICT=false".to_owned(),
        format!("JAVA_OPTS={JAVA}"),
    ];
    let port = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(String::new()) };
    let ports = HashMap::from([("8080/tcp".to_owned(), Some(vec![port]))]);
    let host = HostConfig {
        memory: Some(MEMORY),
        memory_swap: Some(MEMORY),
        port_bindings: Some(ports),
        ..HostConfig::default()
    };
    let seen = run(docker, IMAGE, env.into(), None, host).await;
    let mut ports = seen.network_settings.unwrap().ports.unwrap();
    let port = ports.remove("8080/tcp").flatten().unwrap().remove(0).host_port.unwrap();
    let (http, url) = (Http::new(&HttpConfig::default()).unwrap(), format!("http://127.0.0.1:{port}"));

    let ready = Expect { url: format!("{url}/realms/master"), status: vec![200], body: Some("public_key".to_owned()) };
    let begun = Instant::now();
    if let Err(failure) = http.answers(&ready, begun + READY, &mut |_| {}).await {
        let swarm = Swarm::connect().await.unwrap();
        panic!("Keycloak is not ready: {failure}\n{}", swarm.last_words(&seen.id.unwrap()).await);
    }
    println!("  Keycloak is ready after {:.1} s", begun.elapsed().as_secs_f32());
    Keycloak { http, url, admin }
}

async fn run(
    docker: &Docker,
    image: &str,
    env: Vec<String>,
    cmd: Option<Vec<String>>,
    host: HostConfig,
) -> ContainerInspectResponse {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        env: Some(env),
        cmd,
        labels: Some(HashMap::from([(OWNER.to_owned(), std::process::id().to_string())])),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    };
    let made = docker.create_container(None, body).await.unwrap();
    docker.start_container(&made.id, None).await.unwrap();
    docker.inspect_container(&made.id, None).await.unwrap()
}

impl Keycloak {
    /// Makes a realm of this description.
    pub(crate) async fn realm(&self, realm: &serde_json::Value) {
        let url = |path: &str| Url::parse(&format!("{}{path}", self.url)).unwrap();
        let grant = [
            ("client_id", "admin-cli"),
            ("grant_type", "password"),
            ("username", "admin"),
            ("password", self.admin.expose_secret()),
        ];
        let token = self.http.ask(Method::POST, &url("/realms/master/protocol/openid-connect/token")).form(grant);
        let token: serde_json::Value = token.send().await.unwrap().json().unwrap();
        let token = SecretString::from(token["access_token"].as_str().unwrap());
        let made = self
            .http
            .ask(Method::POST, &url("/admin/realms"))
            .bearer(&token)
            .json(realm)
            .within(REALM)
            .send()
            .await
            .unwrap();
        assert_eq!(made.status, 201, "{}", made.body);
    }
}

/// A password that nobody knows.
pub(crate) fn random() -> SecretString {
    let letters: String = rand::rng().sample_iter(rand::distr::Alphanumeric).take(24).map(char::from).collect();
    SecretString::from(letters)
}
