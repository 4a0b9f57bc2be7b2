//! The values in the output of `secret generate`, so that they can be redacted in every report.

use serde_json::Value;

use super::call::Call;

/// Every string that could be a secret's value in the machine-readable output. The exact keys are only remembered (low
/// certainty), so all strings count except those under a key for names.
pub fn generated_values(stdout: &str) -> Vec<String> {
    let mut values = Vec::new();
    let start = stdout.find(['[', '{']);
    if let Some(Ok(json)) = start.map(|at| serde_json::from_str::<Value>(stdout[at..].trim())) {
        collect(&json, &mut values);
    }
    values
}

/// Whether `secret generate` failed because there was nothing to generate.
pub fn nothing_generated(call: &Call) -> bool {
    call.exit == Some(1) && call.output().to_lowercase().contains("no secrets generated")
}

fn collect(json: &Value, into: &mut Vec<String>) {
    match json {
        Value::String(text) if !text.is_empty() => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(map) => {
            let names = |key: &str| key.eq_ignore_ascii_case("name") || key.eq_ignore_ascii_case("version");
            map.iter().filter(|(key, _)| !names(key)).for_each(|(_, value)| collect(value, into));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_lists_and_maps() {
        assert_eq!(generated_values(r#"[{"name":"a","value":"s3cret"}]"#), ["s3cret"]);
        assert_eq!(generated_values("INFO x\n{\"a\":\"s3cret\"}"), ["s3cret"]);
        assert!(generated_values("no json").is_empty());
    }

    #[test]
    fn nothing_to_generate_is_told_from_other_failures() {
        let said = |exit, text| nothing_generated(&Call::ended(&["x"], exit, text));
        assert!(said(1, "WARN db_password already exists\nFATA no secrets generated\n"));
        assert!(!said(1, "FATA unable to reach the engine") && !said(0, "no secrets generated"));
    }
}
