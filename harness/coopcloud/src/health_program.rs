//! The program of a healthcheck, as far as the compose file shows it.

use serde_json::Value;

use super::compose::Service;

/// Builtins of every shell.
const OF_THE_SHELL: [&str; 16] = [
    "test", "[", "[[", "true", "false", "exit", "echo", "printf", "cd", "set", "export", "read", "kill", "if", "!", ":",
];

impl Service {
    /// The programs that the healthcheck requires: the called one, and the shell. Empty if nothing is certain.
    pub fn health_programs(&self) -> Vec<String> {
        if !self.healthcheck {
            return Vec::new();
        }
        let Some(test) = self.field("healthcheck").and_then(|check| check.get("test")) else { return Vec::new() };
        let words: Vec<&str> = match test {
            Value::String(line) => vec!["CMD-SHELL", line],
            Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
            _ => return Vec::new(),
        };
        match words.as_slice() {
            ["CMD", shell, flag, line, ..] if is_shell(shell) && flag.starts_with('-') && flag.ends_with('c') => {
                [Some((*shell).to_owned()), first_program(line)].into_iter().flatten().collect()
            }
            // A relative path depends on the image.
            ["CMD", program, ..] if program.contains('/') && !program.starts_with('/') => Vec::new(),
            ["CMD", program, ..] => vec![(*program).to_owned()],
            ["CMD-SHELL", line] => [Some("/bin/sh".to_owned()), first_program(line)].into_iter().flatten().collect(),
            _ => Vec::new(),
        }
    }
}

fn is_shell(program: &str) -> bool {
    matches!(program.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash"))
}

/// The first program of a line, if it is required: no expansion, and no name that the line itself may define.
fn first_program(line: &str) -> Option<String> {
    let plain = line.replace("$$", "$");
    // Another program may be a fallback.
    let gives_up = |rest: &str| matches!(rest.split_whitespace().next(), Some("exit" | "false"));
    if plain.split("||").skip(1).any(|rest| !gives_up(rest)) {
        return None;
    }
    // The last command decides.
    if plain.trim_end().trim_end_matches(';').contains([';', '\n']) {
        return None;
    }
    let words = plain.split_whitespace().skip_while(|word| {
        // Assignments for one command: `A=b program`.
        word.split_once('=')
            .is_some_and(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_'))
    });
    let word = words.into_iter().next()?.trim_end_matches(';');
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    let is_plain = !word.is_empty() && word.chars().all(fine) && !word.starts_with('-');
    let is_relative = word.contains('/') && !word.starts_with('/');
    let is_keyword =
        OF_THE_SHELL.contains(&word) || matches!(word, "for" | "while" | "until" | "case" | "exec" | "command");
    (is_plain && !is_relative && !is_keyword && !plain.contains("()")).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::compose::Compose;

    fn of(test: &str) -> Vec<String> {
        let text = format!("services:\n  app:\n    image: a\n    healthcheck: {{test: {test}}}\n");
        let compose = Compose::load(&[("c".to_owned(), text)], &BTreeMap::new()).unwrap();
        compose.services[0].health_programs()
    }

    #[test]
    fn the_program_is_the_first_word_that_is_one() {
        assert_eq!(of("[CMD, curl, -f, 'http://x']"), ["curl"]);
        assert_eq!(of("'wget -qO- http://x || exit 1'"), ["/bin/sh", "wget"]);
        assert_eq!(of("[CMD-SHELL, 'PGPASSWORD=x pg_isready -U app']"), ["/bin/sh", "pg_isready"]);
        assert_eq!(of("[CMD, sh, -c, 'nc -z localhost 80']"), ["sh", "nc"]);
        assert_eq!(of("[CMD-SHELL, 'test -f /x']"), ["/bin/sh"]);
        assert_eq!(of("[CMD-SHELL, '$$PROBE x']"), ["/bin/sh"]);
        assert_eq!(of("[CMD-SHELL, 'curl -f http://x || wget -qO- http://x || exit 1']"), ["/bin/sh"]);
        assert!(of("[NONE]").is_empty() && of("[CMD, ./healthcheck]").is_empty());
        assert_eq!(of("[CMD-SHELL, 'curl -f http://x; true']"), ["/bin/sh"]);
        assert_eq!(of("[CMD-SHELL, \"curl -f http://x\\nexit 0\"]"), ["/bin/sh"]);
        assert_eq!(of("[CMD-SHELL, 'curl -f http://x | grep -q ok;']"), ["/bin/sh", "curl"]);
        assert_eq!(of("[CMD-SHELL, 'bin/check --fast']"), ["/bin/sh"]);
    }

    /// Else `prepare` would have nothing to look for in their images, and no test would see that.
    #[test]
    fn each_healthcheck_of_the_testbed_names_a_program_beside_its_shell() {
        let mut seen = 0;
        for recipe in std::fs::read_dir(testbed::recipes_dir()).unwrap() {
            for release in std::fs::read_dir(recipe.unwrap().path()).unwrap() {
                let folder = release.unwrap().path();
                let Ok(main) = std::fs::read_to_string(folder.join("compose.yml")) else { continue };
                for file in std::fs::read_dir(&folder).unwrap() {
                    let file = file.unwrap().path();
                    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
                    if !name.starts_with("compose") || !name.ends_with(".yml") {
                        continue;
                    }
                    let files =
                        [("compose.yml".to_owned(), main.clone()), (name, std::fs::read_to_string(&file).unwrap())];
                    let compose = Compose::load(&files, &BTreeMap::new()).unwrap();
                    for service in compose.services.iter().filter(|service| service.healthcheck) {
                        let programs = service.health_programs();
                        let named = programs.iter().any(|program| !super::is_shell(program));
                        assert!(named, "{} of {}: {programs:?}", service.name, file.display());
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 20, "{seen}");
    }
}
