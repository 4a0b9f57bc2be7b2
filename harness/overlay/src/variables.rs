use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The file in the scratch folder through which one test hands values to later ones.
pub const VARIABLES_FILE: &str = "variables";

/// The file in the scratch folder through which a test tells what no report may show, a value a line.
pub const SECRETS_FILE: &str = "secrets";

/// The file in the scratch folder in which a test in Rust leaves what it asked and was answered.
pub const EXCHANGES_FILE: &str = "exchanges";

/// What tests have told to keep out of every report: the lines of [`SECRETS_FILE`], which is emptied by
/// this, and the values in [`VARIABLES_FILE`] whose names say that they are secret.
pub fn told_secrets(work_dir: &Path) -> Vec<String> {
    let path = work_dir.join(SECRETS_FILE);
    let lines = std::fs::read_to_string(&path).unwrap_or_default();
    if !lines.is_empty() {
        let _ = std::fs::remove_file(&path);
    }
    let named = std::fs::read_to_string(work_dir.join(VARIABLES_FILE)).unwrap_or_default();
    let named = named.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| names_a_secret(name));
    let told = lines.lines().chain(named.map(|(_, value)| value));
    told.filter(|value| !value.trim().is_empty()).map(str::to_owned).collect()
}

/// Whether a variable's name says that its value is a secret.
pub(super) fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "token", "cookie", "session"].iter().any(|word| name.ends_with(word))
}

/// What a test sees, by name, in name order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, Value>);

#[derive(Clone, PartialEq, Eq)]
struct Value {
    text: String,
    secret: bool,
}

/// Secret values are left out.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| if value.secret { "***".to_owned() } else { value.text.clone() };
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, shown(value)))).finish()
    }
}

impl Variables {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable that anybody may see.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), Value { text: value.into(), secret: false });
    }

    /// Sets a variable whose value is kept out of every text made here.
    pub fn set_secret(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), Value { text: value.into(), secret: true });
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.text.as_str())
    }

    /// Names and values, in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.text.as_str()))
    }

    /// The values that no text may show.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.values().filter(|value| value.secret).map(|value| value.text.as_str())
    }

    pub(super) fn is_secret(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value.secret)
    }

    /// These and those of a file of `NAME=value` lines. A file that is not there has none.
    pub(super) fn with_file(&self, path: &Path) -> Result<Self, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(self.clone()),
            Err(error) => return Err(format!("{VARIABLES_FILE} in the scratch folder: {error}")),
        };
        let mut all = self.clone();
        for (n, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: &str| format!("{VARIABLES_FILE} in the scratch folder, line {}: {why}", n + 1);
            let (name, value) = line.split_once('=').ok_or_else(|| wrong("wants NAME=value"))?;
            if !is_name(name) {
                return Err(wrong("a name has letters, digits and _, and starts with no digit"));
            }
            // What the run itself says about the app cannot be said differently by a test.
            if self.0.contains_key(name) {
                return Err(wrong(&format!("{name} is the run's own")));
            }
            if names_a_secret(name) { all.set_secret(name, value) } else { all.set(name, value) }
        }
        Ok(all)
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Variables, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(VARIABLES_FILE);
        std::fs::write(&path, text).unwrap();
        let mut base = Variables::new();
        base.set("CCCI_URL", "https://a.example");
        base.with_file(&path)
    }

    #[test]
    fn a_file_adds_to_what_the_run_says() {
        let all = read("# made by seed\nroom_id=!a=b:c\n\nempty=\n").unwrap();
        assert_eq!(all.get("room_id"), Some("!a=b:c"));
        assert_eq!(all.get("empty"), Some(""));
        assert_eq!(all.get("CCCI_URL"), Some("https://a.example"));
    }

    #[test]
    fn a_file_with_a_wrong_line_says_which() {
        let prefix = "variables in the scratch folder, line ";
        assert_eq!(read("a=1\nb\n").unwrap_err(), format!("{prefix}2: wants NAME=value"));
        assert_eq!(read("CCCI_URL=x\n").unwrap_err(), format!("{prefix}1: CCCI_URL is the run's own"));
        assert!(read("1a=x\n").unwrap_err().contains("starts with no digit"));
    }

    #[test]
    fn what_is_told_to_be_secret_is_given_once_and_what_is_named_so_each_time() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(SECRETS_FILE), "hunter2\n\nhunter3\n").unwrap();
        std::fs::write(dir.path().join(VARIABLES_FILE), "room=1\nalice_token=t1\nPASSWORD=p1\n").unwrap();
        assert_eq!(told_secrets(dir.path()), ["hunter2", "hunter3", "t1", "p1"]);
        assert_eq!(told_secrets(dir.path()), ["t1", "p1"]);
        assert!(read("alice_token=t1\n").unwrap().is_secret("alice_token"));
    }

    #[test]
    fn a_debug_text_has_no_secret() {
        let mut all = Variables::new();
        all.set("user", "alice");
        all.set_secret("password", "hunter2");
        assert_eq!(format!("{all:?}"), r#"{"password": "***", "user": "alice"}"#);
        assert_eq!(all.secrets().collect::<Vec<_>>(), ["hunter2"]);
    }
}
