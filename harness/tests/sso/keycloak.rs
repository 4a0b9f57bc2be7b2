//! A real Keycloak, started for the test on an empty database, and gone afterwards.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use base::names::RealmName;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, PortBinding};
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};
use futures_util::FutureExt as _;
use harness::http::Expect;
use harness::sso::{Admin, AnyProvider, ProviderName, made_secret};
use secrecy::ExposeSecret as _;
use serde_json::json;
use swarm::Swarm;

use crate::contract::{self, Running};
use crate::support::{access_token, http, json, password_grant, post, realm_name, send, soon, wanted};

const KEYCLOAK: &str = "testbed.invalid/keycloak:26.7.3";
const POSTGRES: &str = "testbed.invalid/postgres:15";

/// Longer than the test; a container whose test was killed ends itself after so many seconds.
const LASTS: &str = "900";

#[tokio::test]
async fn the_real_keycloak_keeps_the_contract() {
    with_keycloak(async |running| {
        contract::holds(running).await;
        let provider = running.connect().await;
        assert_eq!(provider.version().await.unwrap(), "26.7.3");
        its_realms_are_as_they_should_be(&provider).await;
    })
    .await;
}

async fn its_realms_are_as_they_should_be(provider: &AnyProvider) {
    let wanted = wanted();
    let granted = provider.make_realm(&wanted).await.unwrap();
    let token = access_token(&password_grant(&granted, &wanted.client_secret, &granted.users[0]).await);
    let claims = token.expose_secret().split('.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["iss"].as_str(), Some(granted.issuer.as_str()));
    assert_eq!(claims["aud"].as_str(), Some(granted.client_id.as_str()), "{claims}");
    // A realm that is given some of its components keeps its others, such as who may register clients.
    let url = format!("{}/clients-registrations/openid-connect", granted.issuer);
    let answer = send(post(&url).json(&json!({"redirect_uris": ["https://evil.example.org/"]}))).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    provider.remove_realm(&granted.realm).await.unwrap();
}

/// Starts Keycloak, lets somebody else make a realm, runs the test, and takes the containers away.
async fn with_keycloak(test: impl AsyncFnOnce(&Running)) {
    let swarm = Swarm::connect().await.expect("a docker engine, made by ./dev");
    for image in [KEYCLOAK, POSTGRES] {
        assert!(swarm.present(image).await.unwrap(), "there is no image {image}: testbed/images/build keycloak");
    }
    let docker = swarm.docker();
    let names = ["db", "kc"].map(|part| format!("{}-{part}", realm_name()));
    let ended = AssertUnwindSafe(async {
        let running = start(docker, &names).await;
        test(&running).await;
    })
    .catch_unwind()
    .await;
    for name in &names {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        // One that was not made cannot be removed; the test has failed then.
        let _ = docker.remove_container(name, Some(options)).await;
        assert!(docker.inspect_container(name, None).await.is_err(), "{name} is still there");
    }
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// Both share one network, the database's, so that nothing but Keycloak's port leaves it.
async fn start(docker: &Docker, [db, kc]: &[String; 2]) -> Running {
    let (admin, password) = (made_secret(), made_secret());
    let host = HostConfig {
        port_bindings: Some(HashMap::from([(
            "8080/tcp".to_owned(),
            Some(vec![PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: None }]),
        )])),
        tmpfs: Some(HashMap::from([("/var/lib/postgresql/data".to_owned(), String::new())])),
        ..Default::default()
    };
    let env = [("POSTGRES_USER", "keycloak"), ("POSTGRES_PASSWORD", password.expose_secret())];
    run(docker, db, POSTGRES, &env, &["postgres"], host).await;
    let host = HostConfig { network_mode: Some(format!("container:{db}")), ..Default::default() };
    let env = [
        ("KC_DB_URL", "jdbc:postgresql://127.0.0.1/keycloak"),
        ("KC_DB_URL_HOST", "127.0.0.1"),
        ("KC_DB_USERNAME", "keycloak"),
        ("KC_DB_PASSWORD", password.expose_secret()),
        ("KC_HTTP_ENABLED", "true"),
        ("KC_HOSTNAME_STRICT", "false"),
        ("KC_BOOTSTRAP_ADMIN_USERNAME", "admin"),
        ("KC_BOOTSTRAP_ADMIN_PASSWORD", admin.expose_secret()),
    ];
    run(docker, kc, KEYCLOAK, &env, &["start", "--optimized"], host).await;

    let ports = docker.inspect_container(db, None).await.unwrap().network_settings.unwrap().ports.unwrap();
    let port = ports["8080/tcp"].as_ref().unwrap()[0].host_port.clone().unwrap();
    let base = format!("http://127.0.0.1:{port}");
    let url = format!("{base}/realms/master");
    let expect = Expect { url, status: vec![200], body: Some("public_key".to_owned()) };
    http().answers(&expect, soon(240), &mut |_| {}).await.unwrap();
    let admin = Admin { user: "admin".to_owned(), secret: admin };
    let foreign = foreign_realm(&base, &admin).await;
    Running { name: ProviderName::Keycloak, base, admin, foreign, asks_for_the_client: true }
}

async fn run(docker: &Docker, name: &str, image: &str, env: &[(&str, &str)], words: &[&str], host: HostConfig) {
    let exposed = host.port_bindings.as_ref().map(|ports| ports.keys().cloned().collect());
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        env: Some(env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        entrypoint: Some(["timeout", "-k", "5", LASTS, "entrypoint.sh"].map(str::to_owned).to_vec()),
        cmd: Some(words.iter().map(|word| (*word).to_owned()).collect()),
        exposed_ports: exposed,
        host_config: Some(HostConfig { auto_remove: Some(true), ..host }),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    docker.create_container(Some(options), body).await.unwrap();
    docker.start_container(name, None).await.unwrap();
}

/// A realm that has cc-ci's kind of name and not its marker.
async fn foreign_realm(base: &str, admin: &Admin) -> RealmName {
    let url = format!("{base}/realms/master/protocol/openid-connect/token");
    let form = [
        ("client_id", "admin-cli"),
        ("grant_type", "password"),
        ("username", &admin.user),
        ("password", admin.secret.expose_secret()),
    ];
    let token = json(&send(post(&url).form(form)).await)["access_token"].as_str().unwrap().into();
    let realm = realm_name();
    let body = json!({"realm": realm, "enabled": true});
    let answer = send(post(&format!("{base}/admin/realms")).bearer(&token).json(&body)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    realm
}
