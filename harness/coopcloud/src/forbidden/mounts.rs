//! The allowed mounts of a service.

use serde_json::Value;

use super::{Found, is_off};
use crate::compose::plain;

/// Host files that many recipes mount for the time zone, and that contain nothing else.
const HARMLESS: [&str; 2] = ["/etc/localtime", "/etc/timezone"];

pub(super) fn mounts(name: &str, service: &Value, found: &mut Found) {
    for mount in service.get("volumes").and_then(Value::as_array).into_iter().flatten() {
        let text = |field: &str| mount.get(field).map(plain).unwrap_or_default();
        let (kind, source, target) = (text("type"), text("source"), text("target"));
        match kind.as_str() {
            "volume" if source.is_empty() || is_volume(&source) => {}
            "volume" => found.forbid(format!("service {name} mounts {source:?}, which is no name of a volume")),
            "tmpfs" => {}
            "bind" if source.ends_with("docker.sock") => {
                found.forbid(format!("service {name} mounts the docker socket"));
            }
            "bind" if HARMLESS.contains(&source.as_str()) && is_only_read(mount) => {}
            "bind" => found.forbid(format!("service {name} mounts {source} of the host")),
            other => found.forbid(format!("service {name} has a mount of type {other:?}")),
        }
        if !target.starts_with('/') {
            found.forbid(format!("service {name} mounts something at {target:?}, which is no path from the root"));
        }
        let keys = mount.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        for key in keys {
            match key {
                "type" | "source" | "target" | "read_only" | "consistency" | "tmpfs" => {}
                "volume" => options(name, &mount["volume"], found),
                key if is_off(&mount[key]) => {}
                key => found.forbid(format!("service {name} mounts {target} with {key}")),
            }
        }
    }
}

fn options(name: &str, volume: &Value, found: &mut Found) {
    for (key, value) in volume.as_object().into_iter().flatten() {
        let inside = || plain(value).split('/').all(|part| part != "..");
        if key != "nocopy" && !(key == "subpath" && inside()) {
            found.forbid(format!("service {name} mounts a volume with {key}"));
        }
    }
}

fn is_only_read(mount: &Value) -> bool {
    mount.get("read_only").and_then(Value::as_bool) == Some(true)
}

/// docker's own rule for names of volumes, which excludes paths.
fn is_volume(name: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) && name.bytes().all(fine)
}
