//! The events of a journal, as the doc comments of `journal::event` describe them.

use std::fmt::Write as _;

use journal::event::{Event, Stage};
use schemars::schema_for;
use serde_json::{Map, Value};

use super::{code, table};

/// A section for each event, and one for each type that their fields have.
pub(super) fn events(text: &mut String) {
    let schema = schema_for!(Event);
    let types = object(&schema.as_value()["$defs"]);
    for event in list(&schema.as_value()["oneOf"]) {
        let name = event["properties"]["event"]["const"].as_str().unwrap_or_default();
        heading(text, "###", name, event);
        // The fields of a variant that is a struct of its own stand there.
        let fields = type_of(event).and_then(|name| types.get(name)).unwrap_or(event);
        fields_table(text, fields);
    }
    let is_shown = |name: &str| {
        name == "Stage" || list(&schema.as_value()["oneOf"]).iter().any(|event| type_of(event) == Some(name))
    };
    for (name, value) in types.iter().filter(|(name, _)| !is_shown(name)) {
        heading(text, "####", name, value);
        match list(&value["oneOf"]) {
            [] => fields_table(text, value),
            values => table(text, &["value", "meaning"], &values.iter().map(value_row).collect::<Vec<_>>()),
        }
    }
}

/// Each stage with what it is for.
pub(super) fn stages() -> Vec<Vec<String>> {
    list(&schema_for!(Stage).as_value()["oneOf"]).iter().map(value_row).collect()
}

fn heading(text: &mut String, level: &str, name: &str, of: &Value) {
    let _ = writeln!(text, "\n{level} {name}\n\n{}\n", description(of));
}

fn fields_table(text: &mut String, of: &Value) {
    let required = list(&of["required"]);
    let fields = object(&of["properties"]).iter().filter(|(name, _)| *name != "event");
    let rows: Vec<Vec<String>> = fields
        .map(|(name, field)| {
            let absent = if required.iter().any(|one| one == name) { "" } else { ", may be absent" };
            vec![code(name), format!("{}{absent}", words(field)), description(field)]
        })
        .collect();
    table(text, &["field", "type", "meaning"], &rows);
}

/// One value of an enum. One that brings more is an object with that field.
fn value_row(value: &Value) -> Vec<String> {
    let name = match value["const"].as_str() {
        Some(name) => code(name),
        None => object(&value["properties"])
            .iter()
            .map(|(name, brings)| format!("`{{\"{name}\": …}}` with a {}", words(brings)))
            .collect(),
    };
    vec![name, description(value)]
}

/// A type in words.
fn words(of: &Value) -> String {
    match type_of(of) {
        // They have a section of their own.
        Some("Stage") => return "[stage](#stages)".to_owned(),
        Some(name) => return format!("[{name}](#{})", name.to_ascii_lowercase()),
        None => {}
    }
    let of_several = |all: &[Value]| all.iter().map(words).collect::<Vec<_>>().join(" or ");
    match (&of["type"], &of["anyOf"]) {
        (_, Value::Array(all)) => of_several(all),
        (Value::Array(all), _) => {
            of_several(&all.iter().map(|one| serde_json::json!({"type": one})).collect::<Vec<_>>())
        }
        (Value::String(name), _) if name == "array" => format!("list of {}", words(&of["items"])),
        (Value::String(name), _) if name == "object" => format!("map to {}", words(&of["additionalProperties"])),
        (Value::String(name), _) => name.clone(),
        _ => String::new(),
    }
}

fn type_of(of: &Value) -> Option<&str> {
    of["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn description(of: &Value) -> String {
    of["description"].as_str().unwrap_or_default().replace('\n', " ")
}

fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

fn object(of: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    of.as_object().unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_type_and_a_meaning() {
        let mut text = String::new();
        events(&mut text);
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
        assert!(rows.len() > 100);
        assert!(rows.iter().all(|row| !row.contains("|  |")), "{text}");
        assert!(text.contains("| `restart_of` | string or null, may be absent | "));
        assert!(text.contains("| `check` | [CheckResult](#checkresult) | "));
        assert_eq!(stages().len(), Stage::ALL.len());
    }
}
