//! The operator's logins for registries, from the file of `docker login`. The engine stores none: each pull sends its
//! own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bollard::auth::DockerCredentials;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;

use base::failure::{Failure, Kind};

/// Docker Hub, in this file and in a helper.
const HUB: &str = "https://index.docker.io/v1/";
/// Timeout of a helper: one that prompts never ends.
const HELPER: Duration = Duration::from_secs(10);

/// Logins by registry. Values are never printed.
#[derive(Debug, Clone, Default)]
pub struct RegistryLogins {
    auths: BTreeMap<String, SecretString>,
    tokens: BTreeMap<String, SecretString>,
    helpers: BTreeMap<String, String>,
    store: Option<String>,
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize)]
struct Auth {
    auth: Option<SecretString>,
    identitytoken: Option<SecretString>,
}

#[derive(Deserialize)]
struct Helped {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: SecretString,
}

impl RegistryLogins {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Kind::WorldIncomplete`]: it does not exist, or is not in docker's format.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::new(
                Kind::WorldIncomplete,
                format!("the login for registries cannot be read: {}: {why}", file.display()),
                "--registry-login (CCCI_REGISTRY_LOGIN) names a config.json as `docker login` writes it",
            )
        };
        let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
        // The library's message may contain a value.
        Self::parse(&text).ok_or_else(|| wrong("it is not in docker's format".to_owned()))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let file: DockerConfig = serde_json::from_slice(text).ok()?;
        let mut logins = Self { store: file.store.filter(|name| !name.is_empty()), ..Self::default() };
        for (registry, auth) in file.auths {
            let registry = host_of(&registry).to_owned();
            let given = |value: &SecretString| !value.expose_secret().is_empty();
            if let Some(token) = auth.identitytoken.filter(given) {
                logins.tokens.insert(registry.clone(), token);
            }
            if let Some(auth) = auth.auth.filter(given) {
                logins.auths.insert(registry, auth);
            }
        }
        let helpers = file.helpers.into_iter();
        logins.helpers = helpers.map(|(registry, helper)| (host_of(&registry).to_owned(), helper)).collect();
        Some(logins)
    }

    /// The registries in the file. A store for all of them may have more.
    pub fn registries(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.auths.keys().chain(self.tokens.keys()).chain(self.helpers.keys()).cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    /// The login for an image's registry, if there is one.
    ///
    /// # Errors
    /// [`Kind::WorldIncomplete`]: the file's entry, or its helper, cannot be used.
    pub(super) async fn of(&self, image: &str) -> Result<Option<DockerCredentials>, Failure> {
        let registry = registry_of(image);
        if let Some(helper) = self.helpers.get(registry).or(self.store.as_ref()) {
            return helped(helper, registry).await;
        }
        let identitytoken = self.tokens.get(registry).map(|token| token.expose_secret().to_owned());
        let Some(auth) = self.auths.get(registry) else {
            let serveraddress = Some(server_of(registry).to_owned());
            return Ok(identitytoken.map(|token| DockerCredentials {
                identitytoken: Some(token),
                serveraddress,
                ..DockerCredentials::default()
            }));
        };
        let text = BASE64_STANDARD.decode(auth.expose_secret()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((username, password)) = text.as_deref().and_then(|text| text.split_once(':')) else {
            return Err(unusable(registry, "its entry is not a name and a password in base64"));
        };
        Ok(Some(DockerCredentials {
            username: Some(username.to_owned()),
            password: Some(password.trim_end_matches('\0').to_owned()),
            serveraddress: Some(server_of(registry).to_owned()),
            identitytoken,
            ..DockerCredentials::default()
        }))
    }
}

fn unusable(registry: &str, why: &str) -> Failure {
    Failure::new(
        Kind::WorldIncomplete,
        format!("the login for the registry {registry} cannot be used: {why}"),
        "`docker login` again, as the user of cc-ci",
    )
}

/// Queries a credential helper, by docker's protocol. A helper without a login reports it by its exit code.
async fn helped(helper: &str, registry: &str) -> Result<Option<DockerCredentials>, Failure> {
    let failed = |why: &str| unusable(registry, &format!("docker-credential-{helper}: {why}"));
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !helper.bytes().all(fine) {
        return Err(failed("this is no name of a program"));
    }
    let mut child = tokio::process::Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&format!("it cannot be started: {error}")))?;
    let asked = async {
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that ended already reports the reason by its exit code.
            let _ = stdin.write_all(server_of(registry).as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let ended = tokio::time::timeout(HELPER, asked).await.map_err(|_| failed("it does not answer"))?;
    let ended = ended.map_err(|error| failed(&error.to_string()))?;
    if !ended.status.success() {
        return Ok(None);
    }
    let Helped { username, secret } =
        serde_json::from_slice(&ended.stdout).map_err(|_| failed("its answer is not in docker's format"))?;
    let serveraddress = Some(server_of(registry).to_owned());
    let secret = Some(secret.expose_secret().to_owned());
    let none = DockerCredentials { serveraddress, ..DockerCredentials::default() };
    Ok(Some(match username.as_str() {
        "<token>" => DockerCredentials { identitytoken: secret, ..none },
        _ => DockerCredentials { username: Some(username), password: secret, ..none },
    }))
}

/// The host in a key of the file, which may be an address.
fn host_of(key: &str) -> &str {
    let host = key.split_once("://").map_or(key, |(_, rest)| rest).split('/').next().unwrap_or_default();
    if matches!(host, "index.docker.io" | "registry-1.docker.io") { "docker.io" } else { host }
}

/// docker's own name of a registry.
fn server_of(registry: &str) -> &str {
    if registry == "docker.io" { HUB } else { registry }
}

/// The registry of an image, by docker's rule for the first part of a name.
pub fn registry_of(image: &str) -> &str {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => host_of(first),
        _ => "docker.io",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_of_an_image_is_the_one_that_docker_asks() {
        for (image, registry) in [
            ("nginx:1", "docker.io"),
            ("org/app", "docker.io"),
            ("docker.io/org/app", "docker.io"),
            ("ghcr.io/org/app:1", "ghcr.io"),
            ("localhost:5000/app", "localhost:5000"),
            ("localhost/app", "localhost"),
        ] {
            assert_eq!(registry_of(image), registry, "{image}");
        }
    }

    #[tokio::test]
    async fn a_login_is_given_to_its_own_registry_alone() {
        let file = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "bWU6cGFzczp3b3Jk"},
            "ghcr.io": {"auth": "eW91OnRva2Vu"}, "https://quay.io/v2/": {"identitytoken": "long"},
            "empty.example.org": {}, "broken.example.org": {"auth": "!"}}}"#;
        let logins = RegistryLogins::parse(file.as_bytes()).unwrap();
        let of = async |image: &str| logins.of(image).await.unwrap();
        let hub = of("nginx").await.unwrap();
        assert_eq!((hub.username.as_deref(), hub.password.as_deref()), (Some("me"), Some("pass:word")));
        assert_eq!(hub.serveraddress.as_deref(), Some("https://index.docker.io/v1/"));
        assert_eq!(of("ghcr.io/a/b").await.unwrap().username.as_deref(), Some("you"));
        assert_eq!(of("quay.io/a/b").await.unwrap().identitytoken.as_deref(), Some("long"));
        assert_eq!(of("empty.example.org/a").await, None);
        assert_eq!(of("ghcr.io.evil.example.org/a").await, None);
        assert_eq!(logins.of("broken.example.org/a").await.unwrap_err().kind, Kind::WorldIncomplete);
        assert_eq!(logins.registries(), ["broken.example.org", "docker.io", "ghcr.io", "quay.io"]);
        let shown = format!("{logins:?}");
        assert!(!shown.contains("bWU6") && !shown.contains("long"), "{shown}");
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_is_told_and_no_login_is_none() {
        let logins = RegistryLogins::parse(br#"{"credsStore": "of-nobody"}"#).unwrap();
        let failure = logins.of("nginx").await.unwrap_err();
        assert!(failure.what.contains("docker-credential-of-nobody"), "{failure}");
        let logins = RegistryLogins::parse(br#"{"credHelpers": {"a.example.org": "../x"}}"#).unwrap();
        assert!(logins.of("a.example.org/b").await.unwrap_err().what.contains("no name of a program"));
        assert_eq!(logins.of("nginx").await.unwrap(), None);
        assert_eq!(RegistryLogins::default().of("nginx").await.unwrap(), None);
        assert!(RegistryLogins::parse(b"no JSON").is_none());
    }
}
