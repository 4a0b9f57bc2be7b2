//! What Drone and its docker runner make of a pipeline file.

use std::collections::BTreeMap;

use serde_json::Value;

/// Why the runner cannot run a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

/// `${NAME}` becomes the variable's value as it is, or nothing, and `${NAME:-TEXT}` the text where there is none. The
/// runner does that before it reads the YAML.
pub fn substituted(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut parts = text.split("${");
    let mut done = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap();
        let (name, otherwise) = name.split_once(":-").unwrap_or((name, ""));
        let value = variables.get(name).map(String::as_str).filter(|value| !value.is_empty());
        done.push_str(value.unwrap_or(otherwise));
        done.push_str(rest);
    }
    done
}

/// The variables of the one step of the pipeline `testme`: those that the runner has for every step
/// (`DRONE_RUNNER_ENVIRON`), parameters, and settings.
///
/// # Errors
/// When the runner would ask a registry for the image: here, none answers.
pub fn step_variables(
    file: &str,
    environ: &BTreeMap<String, String>,
    parameters: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Refused> {
    let variables: BTreeMap<String, String> = environ.clone().into_iter().chain(parameters.clone()).collect();
    let pipelines = read(&substituted(file, &variables)).map_err(Refused)?;
    let testme = pipelines.iter().find(|pipeline| pipeline["name"] == "testme").unwrap();
    let steps = testme["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    let image = steps[0]["image"].as_str().unwrap();
    let pull = steps[0]["pull"].as_str().unwrap_or_default();
    let is_newest = image.rsplit('/').next().unwrap().split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if pull == "always" || (is_newest && !["if-not-exists", "never"].contains(&pull)) {
        return Err(Refused(format!("Error response from daemon: pull access denied for {image}")));
    }
    let settings = steps[0]["settings"].as_object().unwrap().iter();
    let settings = settings.filter_map(|(name, value)| {
        let is_secret = value.is_object();
        let value = match value {
            Value::Object(reference) => {
                let secret = reference["from_secret"].as_str().unwrap();
                // A secret that is not there is an empty variable.
                secrets.get(secret).cloned().unwrap_or_default()
            }
            Value::Array(items) => {
                let items: Vec<&str> = items.iter().map(|item| item.as_str().unwrap()).collect();
                items.join(",")
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // Nothing but capitals: a hyphen stays one. A plain setting that is empty is left out.
        (is_secret || !value.is_empty()).then(|| (format!("PLUGIN_{}", name.to_uppercase()), value))
    });
    Ok(variables.into_iter().chain(settings).collect())
}

/// Whether the file has a pipeline for this event.
pub(crate) fn of_event(file: &str, event: &str) -> Result<bool, String> {
    let wants = |pipeline: &Value| {
        let events = &pipeline["trigger"]["event"];
        match events {
            Value::Array(events) => events.iter().any(|one| one == event),
            Value::String(one) => one == event,
            _ => true,
        }
    };
    Ok(read(file)?.iter().filter(|document| document["kind"] == "pipeline").any(wants))
}

/// What the runner's linter says of the pipeline `testme`.
pub(crate) fn linted(file: &str, trusted: bool) -> Result<(), String> {
    let uses_host = |pipeline: &Value| {
        pipeline["steps"].as_array().into_iter().flatten().any(|step| step["network_mode"].is_string())
    };
    if !trusted && read(file)?.iter().any(uses_host) {
        return Err("linter: untrusted repositories cannot configure network_mode".to_owned());
    }
    Ok(())
}

fn read(file: &str) -> Result<Vec<Value>, String> {
    serde_saphyr::from_multiple(file)
        .map_err(|_| "yaml: line 2: mapping values are not allowed in this context".to_owned())
}
