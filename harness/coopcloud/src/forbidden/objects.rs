//! Volumes, networks, configs and secrets of the whole stack.
//!
//! Several files may each have a part of one object. Every part is checked, so that it does not matter which of them
//! wins.

use std::collections::BTreeMap;

use serde_json::Value;

use super::marks::marks;
use super::paths::committed_file;
use super::{Found, Owner, is_off};
use crate::compose::plain;

/// The only network that apps share.
const SHARED: &str = "proxy";

/// Options of a tmpfs volume for its size and owner.
const TMPFS: [&str; 8] = ["size", "uid", "gid", "mode", "nr_inodes", "noexec", "nosuid", "nodev"];

/// Options of an overlay network without effect outside it.
const OVERLAY: [&str; 2] = ["encrypted", "com.docker.network.driver.mtu"];

pub(super) fn objects(parts: &[Value], owner: &Owner<'_>, found: &mut Found) {
    for (section, kind) in
        [("volumes", "volume"), ("networks", "network"), ("configs", "config"), ("secrets", "secret")]
    {
        let mut objects: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for part in parts {
            for (key, value) in part.get(section).and_then(Value::as_object).into_iter().flatten() {
                objects.entry(key).or_default().push(value);
            }
        }
        for (key, said) in objects {
            object(kind, key, &said, owner, found);
        }
    }
}

fn object(kind: &str, key: &str, said: &[&Value], owner: &Owner<'_>, found: &mut Found) {
    found.named(kind, key);
    let place = format!("{kind} {key}");
    // docker treats a mapping below `external` as true.
    let is_external =
        said.iter().any(|object| object.get("external").is_some_and(|value| *value != false && !value.is_null()));
    let names = |object: &&Value| {
        let outer = object.get("name");
        let inner = object.get("external").and_then(|external| external.get("name"));
        [outer, inner].into_iter().flatten().map(plain).collect::<Vec<_>>()
    };
    let mut names: Vec<String> = said.iter().flat_map(names).collect();
    if is_external && names.is_empty() {
        names.push(key.to_owned());
    }
    let own = owner.stack.object("");
    let is_shared = kind == "network" && is_external && names.iter().all(|name| name == SHARED);
    match (kind, is_external) {
        ("secret", true) | (_, false) => {}
        ("network", true) if is_shared => {}
        (_, true) => found.forbid(format!("{place} is foreign (external: {})", names.join(", "))),
    }
    for name in names.iter().filter(|name| !is_shared && !name.starts_with(&own)) {
        found.forbid(format!("{place} is called {name:?}, which does not begin with {own}"));
    }
    for object in said {
        for (field, value) in object.as_object().into_iter().flatten() {
            field_of(kind, &place, field, value, object, found);
        }
        marks(&place, object.get("labels"), owner, found);
    }
}

fn field_of(kind: &str, place: &str, field: &str, value: &Value, object: &Value, found: &mut Found) {
    let text = plain(value);
    let refused = match (kind, field) {
        (_, "name" | "external" | "labels") => false,
        ("volume", "driver") => !matches!(text.as_str(), "" | "local"),
        ("volume", "driver_opts") => !is_off(value) && !is_in_memory(value),
        ("network", "driver") => !matches!(text.as_str(), "" | "overlay"),
        ("network", "driver_opts") => {
            value.as_object().is_none_or(|options| options.keys().any(|key| !OVERLAY.contains(&key.as_str())))
        }
        ("network", "ipam") => !matches!(value.get("driver").map(plain).as_deref(), None | Some("" | "default")),
        ("network", "internal" | "attachable") => false,
        ("config" | "secret", "file") => {
            if let Some(why) = committed_file(&text) {
                found.forbid(format!("{place} is created from {text:?}, which {why}"));
            }
            false
        }
        ("config" | "secret", "template_driver") => !matches!(text.as_str(), "" | "golang"),
        ("config" | "secret", "driver" | "driver_opts" | "environment") | ("volume", "x-cluster-spec") => {
            !is_off(value)
        }
        (_, field) if field.starts_with("x-") => false,
        (_, field) => {
            found.unknown(place, field);
            false
        }
    };
    if refused {
        let device = object.get("driver_opts").and_then(|options| options.get("device")).map(plain);
        let device = device.map(|device| format!(" (device {device})")).unwrap_or_default();
        found.forbid(format!("{place} uses {field}{device}"));
    }
}

/// A tmpfs volume, without options that the kernel could take for another kind of mount.
fn is_in_memory(options: &Value) -> bool {
    let text = |field: &str| options.get(field).map(plain).unwrap_or_default();
    let fine = |option: &str| {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        TMPFS.contains(&key) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'%')
    };
    let keys = options.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    keys.into_iter().all(|key| matches!(key, "type" | "device" | "o"))
        && text("type") == "tmpfs"
        && text("device") == "tmpfs"
        && (text("o").is_empty() || text("o").split(',').all(fine))
}
