//! The stack of the local world: traefik and the backup bot, as one compose file.

use std::path::{Path, PathBuf};

use harness::failure::Failure;
use serde_json::{Map, Value, json};

use super::ca;
use crate::deploy::disk;
use crate::settings::Settings;

/// What of the world the stack shall have.
pub(super) struct Parts {
    /// traefik.
    pub(super) traefik: bool,
    /// The backup bot.
    pub(super) bot: bool,
    /// Whether swarm's virtual addresses work.
    pub(super) ipvs: bool,
    /// Docker's data root.
    pub(super) data_root: String,
}

/// Writes the compose file and gives its path.
pub(super) fn write(state: &Path, settings: &Settings, parts: &Parts) -> Result<PathBuf, Failure> {
    let dir = ca::folder(state, &settings.base_domain);
    let tls = "tls:\n  stores:\n    default:\n      defaultCertificate:\n        \
               certFile: /run/secrets/cert.pem\n        keyFile: /run/secrets/key.pem\n";
    let tls_file = dir.join("tls.yml");
    std::fs::write(&tls_file, tls).map_err(|error| disk("write", &tls_file, &error))?;
    let file = dir.join("world.yml");
    let text = format!("{:#}\n", compose(settings, parts, &dir, age(&dir)));
    std::fs::write(&file, text).map_err(|error| disk("write", &file, &error))?;
    Ok(file)
}

/// When the certificate was made: a new one needs a new secret's name, since secrets do not change.
fn age(dir: &Path) -> u64 {
    let made = std::fs::metadata(dir.join("cert.pem")).and_then(|meta| meta.modified()).ok();
    made.and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs())
}

fn compose(settings: &Settings, parts: &Parts, dir: &Path, age: u64) -> Value {
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
    if parts.traefik {
        let port = |target: u16, published: u16| json!({ "target": target, "published": published, "mode": "host" });
        services.insert("traefik".to_owned(), json!({
            "image": settings.traefik_image,
            "command": [
                "--entrypoints.web.address=:80", "--entrypoints.web-secure.address=:443",
                "--providers.swarm.endpoint=unix:///var/run/docker.sock",
                "--providers.swarm.exposedByDefault=false", "--providers.swarm.network=proxy",
                "--providers.swarm.refreshSeconds=250ms", "--providers.providersThrottleDuration=100ms",
                "--providers.file.filename=/etc/traefik/tls.yml",
                "--global.checkNewVersion=false", "--global.sendAnonymousUsage=false",
            ],
            "ports": [port(80, settings.http_port), port(443, settings.https_port)],
            "volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro"],
            "configs": [{ "source": "tls", "target": "/etc/traefik/tls.yml" }],
            "secrets": [{ "source": "cert", "target": "cert.pem" }, { "source": "key", "target": "key.pem" }],
            "networks": ["proxy"],
            "deploy": deploy(json!({ "cc-ci.world": "true" })),
        }));
    }
    if parts.bot {
        let volumes = format!("{}/volumes", parts.data_root);
        services.insert("backup-bot".to_owned(), json!({
            "image": settings.bot_image,
            "volumes": [
                "/var/run/docker.sock:/var/run/docker.sock",
                format!("{volumes}:/var/lib/docker/volumes"),
                "backups:/backups",
            ],
            "deploy": deploy(json!({ "cc-ci.world": "true", "coop-cloud.backupbot.enabled": "true" })),
        }));
    }
    json!({
        "version": "3.8",
        "services": services,
        "networks": { "proxy": { "external": true } },
        "volumes": { "backups": {} },
        "configs": { "tls": { "name": format!("{}_tls_{age}", super::WORLD_STACK), "file": dir.join("tls.yml") } },
        "secrets": {
            "cert": { "name": format!("{}_cert_{age}", super::WORLD_STACK), "file": dir.join("cert.pem") },
            "key": { "name": format!("{}_key_{age}", super::WORLD_STACK), "file": dir.join("key.pem") },
        },
    })
}
