//! The shell code in other formats: commands, entrypoints, healthchecks and hooks of compose files, and the steps of
//! pipelines. An error there only shows when it runs, perhaps in the middle of a restore. Pure: this finds the blocks,
//! and the caller has a shell parse them.

use super::yaml::first_line;
use serde_json::Value;

/// A block of shell code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its path: `services.app.healthcheck.test`.
    pub at: String,
    pub text: String,
}

/// The shell code in a compose file as the shell will see it, with compose's `$$` replaced by `$`.
///
/// # Errors
/// Invalid YAML.
pub fn in_compose(yaml: &str) -> Result<Vec<Block>, String> {
    let document: Value = serde_saphyr::from_str(yaml).map_err(|error| first_line(&error.to_string()))?;
    let mut blocks = Vec::new();
    for (name, service) in document.get("services").and_then(Value::as_object).into_iter().flatten() {
        let at = |part: &str| format!("services.{name}.{part}");
        for part in ["command", "entrypoint"] {
            if let Some(text) = service.get(part).and_then(of_argv) {
                blocks.push(block(at(part), &text));
            }
        }
        if let Some(text) = service.get("healthcheck").and_then(|check| check.get("test")).and_then(of_healthcheck) {
            blocks.push(block(at("healthcheck.test"), &text));
        }
        let deploy = service.get("deploy").and_then(|deploy| deploy.get("labels"));
        for (place, labels) in [("deploy.labels", deploy), ("labels", service.get("labels"))] {
            for (key, value) in labels.map(pairs).unwrap_or_default() {
                if key.starts_with("backupbot.") && key.ends_with("hook") {
                    blocks.push(block(at(&format!("{place}.{key}")), &value));
                }
            }
        }
    }
    Ok(blocks)
}

/// The shell code in a Drone or Woodpecker pipeline: each step's commands, as one script.
///
/// # Errors
/// Invalid YAML.
pub fn in_pipeline(yaml: &str) -> Result<Vec<Block>, String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).map_err(|error| first_line(&error.to_string()))?;
    let mut blocks = Vec::new();
    for document in &documents {
        for (index, step) in document.get("steps").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let commands = step.get("commands").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let lines: Vec<&str> = commands.iter().filter_map(Value::as_str).collect();
            if !lines.is_empty() {
                let name = step.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                blocks.push(Block { at: format!("steps.{name}.commands"), text: lines.join("\n") });
            }
        }
    }
    Ok(blocks)
}

/// A script's text with Go template expressions replaced by a word: recipes write `{{ env "X" }}` into scripts that
/// docker expands. A control expression (`if`, `end`, `range`) is removed.
pub fn without_templates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(len) = rest[start..].find("}}") else { break };
        let inside = rest[start + 2..start + len].trim().trim_matches('-').trim();
        out.push_str(&rest[..start]);
        let word = inside.split_whitespace().next().unwrap_or_default();
        if !matches!(word, "if" | "else" | "end" | "range" | "with" | "define" | "template" | "block") {
            out.push_str("template");
        }
        // Keeps line numbers, so that an error has the right one.
        out.extend(rest[start..start + len].matches('\n'));
        rest = &rest[start + len + 2..];
    }
    out.push_str(rest);
    out
}

fn block(at: String, text: &str) -> Block {
    Block { at, text: text.replace("$$", "$") }
}

/// The script of `sh -c SCRIPT`, as a list or as one text.
fn of_argv(value: &Value) -> Option<String> {
    let words: Vec<String> = match value {
        Value::String(text) => shlex::split(text)?,
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => return None,
    };
    let shell = words.first()?.rsplit('/').next()?;
    if !matches!(shell, "sh" | "bash" | "ash" | "dash") {
        return None;
    }
    let option =
        words.iter().position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))?;
    words.get(option + 1).cloned()
}

/// A healthcheck's shell code: a text, or a list that begins with `CMD-SHELL` or calls a shell.
fn of_healthcheck(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => match items.first().and_then(Value::as_str)? {
            "CMD-SHELL" => items.get(1).and_then(Value::as_str).map(str::to_owned),
            "CMD" => of_argv(&Value::Array(items.iter().skip(1).cloned().collect())),
            _ => None,
        },
        _ => None,
    }
}

/// Labels, as a list of `key=value` or as a map.
fn pairs(labels: &Value) -> Vec<(String, String)> {
    match labels {
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str()?.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        Value::Object(map) => {
            map.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(yaml: &str) -> Vec<(String, String)> {
        in_compose(yaml).unwrap().into_iter().map(|block| (block.at, block.text)).collect()
    }

    #[test]
    fn shell_is_found_wherever_a_compose_file_can_have_it() {
        let yaml = r#"
services:
  app:
    command: ["/bin/bash", "-ec", "echo $$HOME"]
    entrypoint: sh -c 'exec "$$@"'
    healthcheck: { test: curl -f http://localhost || exit 1 }
    deploy:
      labels:
        - "backupbot.backup.pre-hook=pg_dump > /x"
        - "traefik.enable=true"
  db:
    command: postgres -c log_statement=all
    healthcheck: { test: ["CMD-SHELL", "pg_isready"] }
    labels: { backupbot.restore.post-hook: "psql < /x" }
  cache:
    healthcheck: { test: ["CMD", "redis-cli", "ping"] }
"#;
        let texts = found(yaml);
        let of = |at: &str| texts.iter().find(|(place, _)| place == at).map(|(_, text)| text.as_str());
        assert_eq!(texts.len(), 6, "{texts:?}");
        assert_eq!(of("services.app.command"), Some("echo $HOME"));
        assert_eq!(of("services.app.entrypoint"), Some("exec \"$@\""));
        assert_eq!(of("services.app.healthcheck.test"), Some("curl -f http://localhost || exit 1"));
        assert_eq!(of("services.app.deploy.labels.backupbot.backup.pre-hook"), Some("pg_dump > /x"));
        assert_eq!(of("services.db.healthcheck.test"), Some("pg_isready"));
        assert_eq!(of("services.db.labels.backupbot.restore.post-hook"), Some("psql < /x"));
    }

    #[test]
    fn a_pipelines_steps_are_scripts() {
        let yaml = "kind: pipeline\nsteps:\n  - name: a\n    commands: [cd x, make]\n---\nkind: pipeline\nsteps:\n  - image: y\n";
        let blocks = in_pipeline(yaml).unwrap();
        assert_eq!(blocks, [Block { at: "steps.a.commands".to_owned(), text: "cd x\nmake".to_owned() }]);
        assert!(in_pipeline("a: [").is_err());
    }

    #[test]
    fn templates_become_words_and_lines_stay() {
        let text = "x={{ env \"X\" }}\n{{ if eq (env \"Y\") \"1\" }}\necho {{ secret\n \"z\" }}\n{{ end }}";
        assert_eq!(without_templates(text), "x=template\n\necho template\n\n");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            let _ = (in_compose(&text), in_pipeline(&text), without_templates(&text));
        }
    }
}
