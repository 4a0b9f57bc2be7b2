//! Normalizes the alternative forms of compose files, and merges two of them as docker does.

use serde_json::{Map, Value, json};

use super::compose::plain;

/// Converts a document to the long forms.
///
/// # Errors
/// A value whose shape matches no form.
pub(super) fn normal_form(document: Value) -> Result<Value, String> {
    let Value::Object(mut document) = document else { return Err("a compose file must be a mapping".to_owned()) };
    document.retain(|key, _| !key.starts_with("x-"));
    if let Some(services) = document.get_mut("services") {
        let Value::Object(services) = services else { return Err("services must be a mapping".to_owned()) };
        for (name, service) in services {
            let Value::Object(service) = service else { return Err(format!("service {name} must be a mapping")) };
            service_form(service).map_err(|why| format!("service {name}: {why}"))?;
        }
    }
    for section in ["secrets", "configs", "volumes", "networks"] {
        match document.get(section) {
            None | Some(Value::Null | Value::Object(_)) => {}
            Some(_) => return Err(format!("{section} must be a mapping")),
        }
    }
    Ok(Value::Object(document))
}

fn service_form(service: &mut Map<String, Value>) -> Result<(), String> {
    for field in ["labels", "environment"] {
        if let Some(value) = service.get_mut(field) {
            *value = key_values(field, value)?;
        }
    }
    if let Some(deploy) = service.get_mut("deploy") {
        if !deploy.is_object() {
            return Err("deploy must be a mapping".to_owned());
        }
        if let Some(labels) = deploy.get_mut("labels") {
            *labels = key_values("deploy.labels", labels)?;
        }
    }
    if let Some(value) = service.get_mut("ports") {
        let Value::Array(items) = value else { return Err("ports must be a list".to_owned()) };
        let long: Vec<Vec<Value>> = items.iter().map(ports).collect::<Result<_, _>>()?;
        *value = Value::Array(long.concat());
    }
    for (field, long) in
        [("volumes", mount as fn(&Value) -> Result<Value, String>), ("secrets", reference), ("configs", reference)]
    {
        if let Some(value) = service.get_mut(field) {
            let Value::Array(items) = value else { return Err(format!("{field} must be a list")) };
            *value = Value::Array(items.iter().map(long).collect::<Result<_, _>>()?);
        }
    }
    if let Some(Value::Array(names)) = service.get("networks") {
        let names: Map<String, Value> = names.iter().map(|name| (plain(name), json!({}))).collect();
        service.insert("networks".to_owned(), Value::Object(names));
    }
    Ok(())
}

fn key_values(field: &str, value: &Value) -> Result<Value, String> {
    let pairs: Map<String, Value> = match value {
        Value::Array(items) => items
            .iter()
            .map(|item| {
                let text = plain(item);
                let (key, value) = text.split_once('=').unwrap_or((&text, ""));
                (key.to_owned(), json!(value))
            })
            .collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), json!(plain(value)))).collect(),
        Value::Null => Map::new(),
        _ => return Err(format!("{field} must be a list or a mapping")),
    };
    Ok(Value::Object(pairs))
}

/// `[address:][published:]target[/protocol]`, a number, or the long form. Ranges of the same length are split; of a
/// published range with one target docker chooses, so that is represented by its first port.
fn ports(item: &Value) -> Result<Vec<Value>, String> {
    let default = |value: &mut Value, key: &str, text: &str| {
        if value.get(key).is_none() {
            value[key] = json!(text);
        }
    };
    let mut long = match item {
        Value::Object(_) => vec![item.clone()],
        Value::String(_) | Value::Number(_) => {
            let text = plain(item);
            let (ports, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
            let mut parts = ports.rsplit(':');
            let mut range = || -> Result<Vec<u16>, String> {
                let Some(part) = parts.next() else { return Ok(Vec::new()) };
                let (first, last) = part.split_once('-').unwrap_or((part, part));
                let number = |text: &str| text.parse::<u16>().ok();
                match (number(first), number(last)) {
                    (Some(first), Some(last)) if first <= last => Ok((first..=last).collect()),
                    _ => Err(format!("{text:?} is no port")),
                }
            };
            let (targets, published) = (range()?, range()?);
            let one = |(at, target): (usize, &u16)| {
                let published = published.get(at).copied().unwrap_or(0);
                json!({ "target": target, "published": published, "protocol": protocol })
            };
            targets.iter().enumerate().map(one).collect()
        }
        _ => return Err("a port must be a text or a mapping".to_owned()),
    };
    for port in &mut long {
        default(port, "protocol", "tcp");
        default(port, "mode", "ingress");
    }
    Ok(long)
}

/// `[source:]target[:options]`, or the long form.
fn mount(item: &Value) -> Result<Value, String> {
    match item {
        Value::Object(_) => Ok(item.clone()),
        Value::String(text) => {
            let parts: Vec<&str> = text.split(':').collect();
            let (source, target, options) = match parts.as_slice() {
                [target] => ("", *target, ""),
                [source, target] => (*source, *target, ""),
                [source, target, options] => (*source, *target, *options),
                _ => return Err(format!("{text:?} is no volume")),
            };
            let kind = if source.starts_with(['/', '.', '~']) { "bind" } else { "volume" };
            let mut long = json!({ "type": kind, "source": source, "target": target });
            if source.is_empty() {
                long = json!({ "type": kind, "target": target });
            }
            let access = options.split(',').rfind(|option| matches!(*option, "ro" | "rw"));
            if access == Some("ro") {
                long["read_only"] = json!(true);
            }
            Ok(long)
        }
        _ => Err("a volume must be a text or a mapping".to_owned()),
    }
}

fn reference(item: &Value) -> Result<Value, String> {
    match item {
        Value::Object(_) => Ok(item.clone()),
        Value::String(source) => Ok(json!({ "source": source })),
        _ => Err("a secret or config must be a text or a mapping".to_owned()),
    }
}

/// Merges `over` into `base` as docker does: mappings are merged, lists of items with an identity are merged by it,
/// everything else is replaced.
pub(super) fn merge(base: &mut Value, over: Value) {
    merge_at("", base, over);
}

fn merge_at(field: &str, base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(old) => merge_at(&key, old, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (Value::Array(base), Value::Array(over)) if identity(field, &Value::Null).is_some() => {
            for item in over {
                let id = identity(field, &item);
                match base.iter_mut().find(|old| identity(field, old) == id) {
                    Some(old) => *old = item,
                    None => base.push(item),
                }
            }
        }
        (base, over) => *base = over,
    }
}

/// The identity of a list's item.
fn identity(field: &str, item: &Value) -> Option<String> {
    let part = |name: &str| item.get(name).map(plain).unwrap_or_default();
    match field {
        "ports" => Some(format!("{}:{}/{}", part("published"), part("target"), part("protocol"))),
        "volumes" => Some(part("target")),
        "secrets" | "configs" => Some(part("source")),
        _ => None,
    }
}
