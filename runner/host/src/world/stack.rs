//! The stack of the local world: traefik, the backup bot and cc-ci's own route, as one compose file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::failure::Failure;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use swarm::with_tag;

use super::ca;
use super::present::{IMAGE_LABEL, PRINT_LABEL};
use super::route;
use crate::settings::Settings;

/// The parts of the world to deploy.
pub(super) struct Parts {
    pub(super) traefik: bool,
    pub(super) bot: bool,
    /// Whether swarm's virtual addresses work.
    pub(super) ipvs: bool,
    /// Docker's data root.
    pub(super) data_root: String,
    /// The ids of the images, by name with tag: the same name with another image is another stack.
    pub(super) images: BTreeMap<String, String>,
}

impl Parts {
    pub(super) fn words(&self) -> &'static str {
        match (self.traefik, self.bot) {
            (true, true) => "traefik, backup bot and route",
            (true, false) => "traefik and route",
            (false, true) => "backup bot and route",
            (false, false) => "route",
        }
    }
}

/// A stack to deploy.
pub(super) struct WantedStack {
    /// The compose file.
    pub(super) file: PathBuf,
    /// Its fingerprint: a deployment with another one is out of date.
    pub(super) print: String,
}

/// Writes the compose file.
pub(super) fn write(state: &Path, settings: &Settings, parts: &Parts) -> Result<WantedStack, Failure> {
    let dir = ca::folder(state, &settings.base_domain);
    // A server's traefik manages its own certificates, so there is no secret of ours.
    let cert_print = if parts.traefik { Some(certificate(&dir)?) } else { None };
    let cert = cert_print.as_deref();
    // Without the folder: a state folder that was moved or copied has the same world.
    let print = print_of(&[&compose(settings, parts, Path::new(""), cert, "").to_string()]);
    let file = dir.join("world.yml");
    let text = format!("{:#}\n", compose(settings, parts, &dir, cert, &print));
    std::fs::create_dir_all(&dir).map_err(|error| Failure::disk("make", &dir, &error))?;
    std::fs::write(&file, text).map_err(|error| Failure::disk("write", &file, &error))?;
    Ok(WantedStack { file, print })
}

/// Writes the certificate files of cc-ci's traefik; returns the fingerprint of both.
fn certificate(dir: &Path) -> Result<String, Failure> {
    let tls = "tls:\n  stores:\n    default:\n      defaultCertificate:\n        \
               certFile: /run/secrets/cert.pem\n        keyFile: /run/secrets/key.pem\n";
    let tls_file = dir.join("tls.yml");
    std::fs::write(&tls_file, tls).map_err(|error| Failure::disk("write", &tls_file, &error))?;
    let cert_file = dir.join("cert.pem");
    let cert = std::fs::read_to_string(&cert_file).map_err(|error| Failure::disk("read", &cert_file, &error))?;
    // Secrets and configs are immutable, so a new certificate needs new names.
    Ok(print_of(&[&cert, tls]))
}

/// Fingerprint of some texts, short enough for a name.
fn print_of(texts: &[&str]) -> String {
    let digest =
        texts.iter().fold(Sha256::new(), |digest, text| digest.chain_update(text).chain_update([0])).finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn compose(settings: &Settings, parts: &Parts, dir: &Path, cert: Option<&str>, print: &str) -> Value {
    let mut services = Map::new();
    let mode = if parts.ipvs { "vip" } else { "dnsrr" };
    let deploy = |labels: Value| {
        json!({
            "endpoint_mode": mode, "labels": labels,
            "placement": { "constraints": ["node.role == manager"] },
            // The port of the old task must be free before the new one starts.
            "update_config": { "order": "stop-first", "monitor": "1s" },
        })
    };
    // On the container, so that a new image causes a new task.
    let image_label = |image: &str| json!({ IMAGE_LABEL: parts.images.get(&with_tag(image)) });
    if parts.traefik {
        let port = |target: u16, published: u16| json!({ "target": target, "published": published, "mode": "host" });
        services.insert(
            "traefik".to_owned(),
            json!({
                "image": settings.traefik_image, "labels": image_label(&settings.traefik_image),
                "command": [
                    "--entrypoints.web.address=:80", "--entrypoints.web-secure.address=:443",
                    "--providers.swarm.endpoint=unix:///var/run/docker.sock",
                    "--providers.swarm.exposedByDefault=false", "--providers.swarm.network=proxy",
                    // A look asks the engine once for each service and each of its tasks: at 250 ms, nine apps were 73
                    // requests a second.
                    "--providers.swarm.refreshSeconds=500ms", "--providers.providersThrottleDuration=100ms",
                    "--providers.file.filename=/etc/traefik/tls.yml",
                    "--global.checkNewVersion=false", "--global.sendAnonymousUsage=false",
                ],
                "ports": [port(80, settings.http_port), port(443, settings.https_port)],
                "volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro"],
                "configs": [{ "source": "tls", "target": "/etc/traefik/tls.yml" }],
                "secrets": [{ "source": "cert", "target": "cert.pem" }, { "source": "key", "target": "key.pem" }],
                "networks": ["proxy"],
                "deploy": deploy(json!({ "cc-ci.world": "true", PRINT_LABEL: print })),
            }),
        );
    }
    if parts.bot {
        let volumes = format!("{}/volumes", parts.data_root);
        services.insert(
            "backup-bot".to_owned(),
            json!({
                "image": settings.bot_image, "labels": image_label(&settings.bot_image),
                "volumes": [
                    "/var/run/docker.sock:/var/run/docker.sock",
                    format!("{volumes}:/var/lib/docker/volumes"),
                    "backups:/backups",
                ],
                "deploy": deploy(json!({
                    "cc-ci.world": "true", PRINT_LABEL: print, "coop-cloud.backupbot.enabled": "true",
                })),
            }),
        );
    }
    // Behind whichever traefik exists, like an app, to verify routing.
    services.insert(
        "route".to_owned(),
        json!({
            "image": settings.traefik_image, "labels": image_label(&settings.traefik_image),
            "command": [
                format!("--entrypoints.web.address=:{}", route::PORT), "--ping=true", "--ping.entryPoint=web",
                "--global.checkNewVersion=false", "--global.sendAnonymousUsage=false",
            ],
            "networks": ["proxy"],
            "deploy": deploy(route::labels(&settings.base_domain, settings.cert_resolver.as_deref(), print)),
        }),
    );
    let mut whole = json!({
        "version": "3.8",
        "services": services,
        "networks": { "proxy": { "external": true } },
        "volumes": { "backups": {} },
    });
    if let Some(cert) = cert {
        whole["configs"] =
            json!({ "tls": { "name": format!("{}_tls_{cert}", super::WORLD_STACK), "file": dir.join("tls.yml") } });
        whole["secrets"] = json!({
            "cert": { "name": format!("{}_cert_{cert}", super::WORLD_STACK), "file": dir.join("cert.pem") },
            "key": { "name": format!("{}_key_{cert}", super::WORLD_STACK), "file": dir.join("key.pem") },
        });
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::super::present::ROUTE_LABEL;
    use super::*;

    #[test]
    fn another_certificate_or_setting_is_another_fingerprint() {
        let images = |id: &str| BTreeMap::from([("bot:1".to_owned(), id.to_owned())]);
        let data_root = "/var/lib/docker".to_owned();
        let parts =
            |ipvs| Parts { traefik: true, bot: true, ipvs, data_root: data_root.clone(), images: images("sha256:1") };
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            settings: Settings,
        }
        let settings = <Line as clap::Parser>::parse_from(["cc-ci", "--bot-image", "bot:1"]).settings;
        let print = |state: &Path, ipvs| write(state, &settings, &parts(ipvs)).unwrap().print;
        let foreign = tempfile::tempdir().unwrap();
        let parts_beside = Parts { traefik: false, ..parts(true) };
        let file = std::fs::read_to_string(write(foreign.path(), &settings, &parts_beside).unwrap().file).unwrap();
        assert!(!file.contains("secrets") && !file.contains("configs") && file.contains("cc-ci-route"), "{file}");
        assert!(!file.contains("certresolver"));
        assert!(parts_beside.words() == "backup bot and route" && !file.contains(":443"), "{file}");
        let files = std::fs::read_dir(ca::folder(foreign.path(), &settings.base_domain)).unwrap().count();
        assert_eq!(files, 1, "no certificate authority, and no key");
        let each = Settings { cert_resolver: Some("production".to_owned()), ..settings.clone() };
        let file = std::fs::read_to_string(write(foreign.path(), &each, &parts_beside).unwrap().file).unwrap();
        assert!(file.contains("\"traefik.http.routers.cc-ci-route.tls.certresolver\": \"production\""), "{file}");
        let state = || {
            let state = tempfile::tempdir().unwrap();
            ca::ensure(state.path(), &settings.base_domain).unwrap();
            state
        };
        let (one, other) = (state(), state());
        assert_eq!(print(one.path(), true), print(one.path(), true));
        assert_ne!(print(one.path(), true), print(one.path(), false));
        assert_ne!(print(one.path(), true), print(other.path(), true));
        let rebuilt = write(one.path(), &settings, &Parts { images: images("sha256:2"), ..parts(true) }).unwrap();
        assert!(std::fs::read_to_string(rebuilt.file).unwrap().contains("\"cc-ci.world.image\": \"sha256:2\""));
        assert_ne!(print(one.path(), true), rebuilt.print, "another image under the same name");
        let moved = tempfile::tempdir().unwrap();
        assert!(
            std::process::Command::new("cp")
                .arg("-a")
                .args([&one.path().join("world"), moved.path()])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(print(one.path(), true), print(moved.path(), true), "the same certificate, in another folder");
        let file = std::fs::read_to_string(ca::folder(one.path(), &settings.base_domain).join("world.yml")).unwrap();
        assert_eq!(file.matches(&print(one.path(), true)).count(), 3, "{file}");
        assert!(file.contains("Host(`cc-ci-route.") && file.contains(ROUTE_LABEL), "{file}");
    }
}
