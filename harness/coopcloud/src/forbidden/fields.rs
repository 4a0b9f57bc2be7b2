//! The keys of a service.

use serde_json::Value;

use super::marks::marks;
use super::paths::committed_file;
use super::{Found, Owner, is_off};
use crate::compose::plain;

/// Keys that only affect the app's own containers, and those that swarm ignores.
const FREE: [&str; 36] = [
    "build",
    "cap_drop",
    "command",
    "configs",
    "container_name",
    "depends_on",
    "dns",
    "dns_search",
    "domainname",
    "entrypoint",
    "environment",
    "expose",
    "external_links",
    "extra_hosts",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "labels",
    "links",
    "mac_address",
    "networks",
    "ports",
    "read_only",
    "restart",
    "secrets",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "tmpfs",
    "tty",
    "ulimits",
    "user",
    "volumes",
    "working_dir",
];

const FREE_OF_DEPLOY: [&str; 9] = [
    "mode",
    "endpoint_mode",
    "replicas",
    "labels",
    "rollback_config",
    "update_config",
    "resources",
    "restart_policy",
    "placement",
];

/// Docker's default capabilities of every container.
const CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Kernel settings of a container's own network without effect outside it.
const SYSCTLS: [&str; 2] = ["net.core.somaxconn", "net.ipv4.ip_unprivileged_port_start"];

pub(super) fn service(name: &str, service: &Value, owner: &Owner<'_>, found: &mut Found) {
    let place = format!("service {name}");
    for (key, value) in service.as_object().into_iter().flatten() {
        let key = key.as_str();
        let refused = match key {
            "privileged" => !is_off(value),
            "cap_add" => !all(value, |capability| {
                let capability = capability.to_ascii_uppercase();
                CAPABILITIES.contains(&capability.strip_prefix("CAP_").unwrap_or(&capability))
            }),
            "sysctls" => !all(value, |setting| SYSCTLS.contains(&setting.split('=').next().unwrap_or_default())),
            "security_opt" => !all(value, |option| option.starts_with("no-new-privileges")),
            "network_mode" => !matches!(plain(value).as_str(), "" | "bridge" | "default" | "none"),
            "isolation" => !matches!(plain(value).as_str(), "" | "default"),
            "cgroupns_mode" | "ipc" => !matches!(plain(value).as_str(), "" | "private"),
            "devices" | "pid" | "userns_mode" | "cgroup_parent" | "credential_spec" | "oom_score_adj" => !is_off(value),
            "extends" | "volumes_from" | "volume_driver" => true,
            "deploy" => {
                deploy(&place, value, found);
                false
            }
            "logging" => {
                logging(&place, value, found);
                false
            }
            "env_file" => {
                env_files(&place, value, found);
                false
            }
            key if FREE.contains(&key) || key.starts_with("x-") => false,
            key => {
                found.unknown(&place, key);
                false
            }
        };
        if refused {
            found.forbid(format!("{place} uses {key}{}", shown(value)));
        }
    }
    networks(&place, service, found);
    for labels in [service.get("labels"), service.get("deploy").and_then(|deploy| deploy.get("labels"))] {
        marks(&place, labels, owner, found);
    }
}

/// Whether a list or mapping only has allowed items; any other shape is refused.
fn all(value: &Value, fine: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().all(|item| fine(&plain(item))),
        Value::Object(map) => map.keys().all(|key| fine(key)),
        other => fine(&plain(other)),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => String::new(),
        value => format!(" ({})", plain(value)),
    }
}

fn deploy(place: &str, deploy: &Value, found: &mut Found) {
    for (key, value) in deploy.as_object().into_iter().flatten() {
        if !FREE_OF_DEPLOY.contains(&key.as_str()) && !key.starts_with("x-") {
            found.unknown(&format!("deploy of {place}"), key);
        }
        if key == "resources" {
            for (kind, resources) in value.as_object().into_iter().flatten() {
                if resources.get("devices").is_some_and(|devices| !is_off(devices)) {
                    found.forbid(format!("{place} uses devices ({kind})"));
                }
            }
        }
    }
}

fn logging(place: &str, logging: &Value, found: &mut Found) {
    let driver = logging.get("driver").map(plain).unwrap_or_default();
    if !matches!(driver.as_str(), "" | "json-file" | "local" | "none") {
        found.forbid(format!("{place} uses the log driver {driver}"));
    }
}

fn env_files(place: &str, value: &Value, found: &mut Found) {
    let files = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    for file in files {
        // The longer forms of other formats are refused: a path must be a text.
        let why = file.as_str().map_or(Some("is no path"), committed_file);
        if let Some(why) = why.filter(|_| !file.is_null()) {
            found.forbid(format!("{place} reads the env file {}, which {why}", plain(file)));
        }
    }
}

fn networks(place: &str, service: &Value, found: &mut Found) {
    for (network, options) in service.get("networks").and_then(Value::as_object).into_iter().flatten() {
        if network == "host" {
            found.forbid(format!("{place} uses the host's network"));
        }
        if options.get("driver_opts").is_some_and(|options| !is_off(options)) {
            found.forbid(format!("{place} uses driver_opts of the network {network}"));
        }
    }
}
