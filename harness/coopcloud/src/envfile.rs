//! Env files: `.env.sample` of a recipe, and an app's env file that abra creates from it.

use std::collections::BTreeMap;
use std::fmt;

/// The byte order mark of some editors, which is not part of the first key.
pub const MARK: char = '\u{feff}';

/// An env file, with its comments and its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnvFile {
    lines: Vec<EnvLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum EnvLine {
    /// A comment, an empty line, or one that is no assignment.
    Text(String),
    Assignment {
        key: String,
        value: String,
        comment: String,
        /// In single quotes, so not expanded.
        literal: bool,
    },
}

/// A secret declared by `SECRET_<NAME>_VERSION=v1 # length=32 charset=hex`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSpec {
    /// Its name in lower case, as in compose files.
    pub name: String,
    pub version: String,
    /// Number of characters to generate; words if unset.
    pub length: Option<usize>,
    /// The characters to choose from: default, special, safespecial, hex. Medium certainty.
    pub charset: Option<String>,
    /// Whether abra generates it; `generate=false` leaves it to people.
    pub generate: bool,
}

impl EnvFile {
    /// Parses a file. There are no errors: a line that is no assignment is kept as it is.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix(MARK).unwrap_or(text);
        Self { lines: text.lines().map(parse_line).collect() }
    }

    /// The last value of a key, unquoted and not expanded.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.lines.iter().rev().find_map(|line| match line {
            EnvLine::Assignment { key: found, value, .. } if found == key => Some(value.as_str()),
            _ => None,
        })
    }

    /// Sets a key: its last assignment is replaced, or one is added at the end.
    pub fn set(&mut self, key: &str, value: &str) {
        let last = self.lines.iter_mut().rev().find_map(|line| match line {
            EnvLine::Assignment { key: found, value, .. } if found == key => Some(value),
            _ => None,
        });
        match last {
            Some(place) => value.clone_into(place),
            None => self.lines.push(EnvLine::Assignment {
                key: key.to_owned(),
                value: value.to_owned(),
                comment: String::new(),
                literal: false,
            }),
        }
    }

    /// Removes every assignment of a key.
    pub fn remove(&mut self, key: &str) {
        self.lines.retain(|line| !matches!(line, EnvLine::Assignment { key: found, .. } if found == key));
    }

    /// The same settings in a form that every reader of env files parses alike: each key once, references expanded,
    /// simple quotes, only comments and assignments, and after values only the comments with hints for secrets.
    ///
    /// # Errors
    /// The key of a value that cannot be quoted.
    pub fn settled(&self) -> Result<Self, String> {
        let vars = self.vars();
        let mut lines = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            let (key, comment) = match line {
                EnvLine::Text(text) if text.trim().is_empty() || text.trim_start().starts_with('#') => {
                    lines.push(line.clone());
                    continue;
                }
                EnvLine::Text(_) => continue,
                EnvLine::Assignment { key, comment, .. } => (key, comment),
            };
            let again = |later: &EnvLine| matches!(later, EnvLine::Assignment { key: found, .. } if found == key);
            if self.lines[at + 1..].iter().any(again) {
                continue;
            }
            let value = vars.get(key).cloned().unwrap_or_default();
            if value.contains(char::is_control) || value.contains('\'') && value.contains(['"', '\\', '$', '`']) {
                return Err(key.clone());
            }
            let hint = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '=' | ',' | '_' | '-' | '.');
            let hints: String = comment.chars().filter(hint).collect();
            let comment = if hints.trim().is_empty() { String::new() } else { format!("# {}", hints.trim()) };
            lines.push(EnvLine::Assignment { key: key.clone(), value, comment, literal: true });
        }
        Ok(Self { lines })
    }

    /// Appends a compose file to `COMPOSE_FILE`, so that it overrides the others; the default is `compose.yml`.
    pub fn append_compose_file(&mut self, file: &str) {
        let now = self.vars().remove("COMPOSE_FILE").filter(|list| !list.is_empty());
        let now = now.unwrap_or_else(|| "compose.yml".to_owned());
        let others = now.split(':').filter(|name| *name != file);
        let list: Vec<&str> = others.chain([file]).collect();
        self.set("COMPOSE_FILE", &list.join(":"));
    }

    /// Every key with its value; references to earlier keys are expanded, as in
    /// `COMPOSE_FILE="$COMPOSE_FILE:compose.smtp.yml"`.
    pub fn vars(&self) -> BTreeMap<String, String> {
        let mut vars = BTreeMap::new();
        for line in &self.lines {
            if let EnvLine::Assignment { key, value, literal, .. } = line {
                let value = if *literal { value.clone() } else { expand(value, &vars) };
                vars.insert(key.clone(), value);
            }
        }
        vars
    }

    /// The first value with an opening quote that is not closed on its line, with the line and its key. Readers of env
    /// files differ on it: for some it continues on the next lines, for others it is no setting.
    pub fn unclosed(&self) -> Option<(usize, &str)> {
        self.lines.iter().zip(1..).find_map(|(line, number)| {
            let EnvLine::Text(text) = line else { return None };
            let (key, rest) = assignment(text)?;
            rest.starts_with(['"', '\'']).then_some((number, key))
        })
    }

    pub fn secrets(&self) -> Vec<SecretSpec> {
        let mut found: Vec<SecretSpec> = Vec::new();
        for line in &self.lines {
            let EnvLine::Assignment { key, value, comment, .. } = line else { continue };
            let Some(name) = key.strip_prefix("SECRET_").and_then(|key| key.strip_suffix("_VERSION")) else { continue };
            let hint = |key: &str| {
                // A comma may end a hint, and separates the sets of one.
                let words = comment.split([' ', '\t']).map(|word| word.trim_matches(','));
                words
                    .filter_map(|word| word.trim_start_matches('#').split_once('='))
                    .find(|(k, _)| *k == key)
                    .map(|(_, v)| v)
            };
            let spec = SecretSpec {
                name: name.to_lowercase(),
                version: value.clone(),
                length: hint("length").and_then(|length| length.parse().ok()),
                charset: hint("charset").map(str::to_owned),
                generate: hint("generate") != Some("false"),
            };
            found.retain(|other| other.name != spec.name);
            found.push(spec);
        }
        found
    }

    /// Adds the assignments of `sample` whose keys are missing, and returns them.
    pub fn merge_new_keys_from(&mut self, sample: &Self) -> Vec<String> {
        self.merge_from(sample, |_| true)
    }

    /// The same for some keys.
    pub fn merge_from(&mut self, sample: &Self, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut added = Vec::new();
        for line in &sample.lines {
            if let EnvLine::Assignment { key, .. } = line
                && self.get(key).is_none()
                && is_wanted(key)
            {
                self.lines.push(line.clone());
                added.push(key.clone());
            }
        }
        added
    }
}

impl fmt::Display for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            match line {
                EnvLine::Text(text) => writeln!(f, "{text}")?,
                EnvLine::Assignment { key, value, comment, literal } => {
                    let bare = if *literal { BARE } else { "_-./:,@%+=$`()!|&*{}<>?;~^[]\\'" };
                    let is_plain = value.chars().all(|c| c.is_ascii_alphanumeric() || bare.contains(c));
                    let is_bare = !*literal && is_read_bare(value);
                    let quote = match (is_plain, *literal) {
                        (true, true) => "",
                        (true, false) if is_bare => "",
                        (false, true) if !value.contains('\'') => "'",
                        (false, false) if is_bare && value.contains(['"', '\\']) => "",
                        _ => "\"",
                    };
                    let gap = if comment.is_empty() { "" } else { " " };
                    let value = match quote {
                        "\"" => value.replace('\\', "\\\\").replace('"', "\\\""),
                        _ => value.clone(),
                    };
                    writeln!(f, "{key}={quote}{value}{quote}{gap}{comment}")?;
                }
            }
        }
        Ok(())
    }
}

/// Characters other than letters and digits that need no quotes in any reader.
const BARE: &str = "_-./:,@%+";

fn parse_line(line: &str) -> EnvLine {
    let text = || EnvLine::Text(line.to_owned());
    let Some((key, rest)) = assignment(line) else { return text() };
    let (value, comment) = match rest.chars().next() {
        Some('"') => match quoted(&rest[1..]) {
            Some((value, comment)) => (value, comment.trim()),
            None => return text(),
        },
        Some('\'') => match rest[1..].split_once('\'') {
            Some((value, comment)) => (value.to_owned(), comment.trim()),
            // Readers differ on an unclosed quote, so it is no setting.
            None => return text(),
        },
        Some('#') => (String::new(), rest),
        _ => match rest.find(" #").or_else(|| rest.find("\t#")) {
            Some(at) => (rest[..at].trim_end().to_owned(), rest[at..].trim()),
            None => (rest.to_owned(), ""),
        },
    };
    let literal = rest.starts_with('\'') && rest.len() > value.len();
    EnvLine::Assignment { key: key.to_owned(), value, comment: comment.to_owned(), literal }
}

/// The content of double quotes, from after the opening one, and the text after the closing one. `\"` is a quote and
/// `\\` a backslash; otherwise a backslash is literal.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (c, chars.peek()) {
            ('"', _) => return Some((value, &text[at + 1..])),
            ('\\', Some((_, next @ ('"' | '\\')))) => {
                value.push(*next);
                chars.next();
            }
            _ => value.push(c),
        }
    }
    None
}

/// Whether a text without quotes is parsed literally.
fn is_read_bare(text: &str) -> bool {
    let begins = |c: char| matches!(c, '"' | '\'' | '#') || c.is_whitespace();
    !text.starts_with(begins) && !text.ends_with(char::is_whitespace) && !text.contains(" #") && !text.contains("\t#")
}

/// The key of a line and the text after its `=`; `None` if it is no assignment.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let trimmed = line.trim_start();
    let (key, rest) = trimmed.strip_prefix("export ").unwrap_or(trimmed).split_once('=')?;
    let key = key.trim_end();
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_key = !key.is_empty() && key.chars().all(fine) && !key.starts_with(|c: char| c.is_ascii_digit());
    is_key.then_some((key, rest.trim()))
}

/// Replaces `$KEY` and `${KEY}` of earlier keys; unknown ones are unchanged.
fn expand(value: &str, vars: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let braced = after.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let (key, next) = match braced {
            Some((key, next)) => (key, next),
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                after.split_at(end)
            }
        };
        match vars.get(key) {
            Some(found) => out.push_str(found),
            None => out.push_str(&rest[at..rest.len() - next.len()]),
        }
        rest = next;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: &str = "TYPE=x\nDOMAIN=x.example.com\n\n# optional\n#SMTP=1\nCOMPOSE_FILE=\"compose.yml\"\n\
                          COMPOSE_FILE=\"$COMPOSE_FILE:compose.db.yml\"\nSECRET_DB_PASSWORD_VERSION=v1 # length=32 charset=hex\n\
                          SECRET_SMTP_VERSION=v2 # generate=false\n";

    #[test]
    fn a_value_over_several_lines_is_found_with_its_line() {
        let file = EnvFile::parse("# a='\nA=\"x\"\nLINKS=\"one\ntwo\"\n");
        assert_eq!(file.unclosed(), Some((3, "LINKS")));
        assert_eq!(EnvFile::parse("A='x' # it's\nB=it's\n# C=\"x\n").unclosed(), None);
    }

    #[test]
    fn a_quote_inside_of_quotes_ends_nothing() {
        let env = EnvFile::parse("\u{feff}A=\"say \\\"hi\\\" # x\" # y\r\nB=\"C:\\\\d \\n\"\nC=\"\\\"x\\\" y\"\n");
        let vars = env.vars();
        assert_eq!((vars["A"].as_str(), vars["B"].as_str()), ("say \"hi\" # x", "C:\\d \\n"));
        for again in [env.to_string(), env.settled().unwrap().to_string()] {
            assert_eq!(EnvFile::parse(&again).vars(), vars, "{again}");
        }
        assert_eq!(EnvFile::parse("A=1\nB=\"x\\\"\n").unclosed(), Some((2, "B")));
    }

    #[test]
    fn a_list_of_charsets_is_one_hint() {
        let charset = |line: &str| EnvFile::parse(line).secrets()[0].charset.clone();
        assert_eq!(
            charset("SECRET_A_VERSION=v1 # length=64 charset=default,special").as_deref(),
            Some("default,special")
        );
        assert_eq!(charset("SECRET_A_VERSION=v1 # charset=hex, length=64").as_deref(), Some("hex"));
    }

    #[test]
    fn values_references_and_hints_are_read() {
        let env = EnvFile::parse(SAMPLE);
        assert_eq!(env.vars()["COMPOSE_FILE"], "compose.yml:compose.db.yml");
        let secrets = env.secrets();
        assert_eq!((secrets[0].name.as_str(), secrets[0].length, secrets[0].generate), ("db_password", Some(32), true));
        assert_eq!((secrets[1].version.as_str(), secrets[1].generate), ("v2", false));
        assert_eq!(env.get("SMTP"), None);
    }

    #[test]
    fn a_file_keeps_its_comments_and_takes_new_keys() {
        let mut env = EnvFile::parse(SAMPLE);
        env.set("DOMAIN", "a.b");
        env.append_compose_file("more.yml");
        env.append_compose_file("last.yml");
        env.append_compose_file("more.yml");
        let added = env.merge_new_keys_from(&EnvFile::parse("DOMAIN=z\nNEW=1 # why\n"));
        assert_eq!(added, ["NEW"]);
        let text = env.to_string();
        assert!(
            text.contains("#SMTP=1\n") && text.contains("DOMAIN=a.b\n") && text.ends_with("NEW=1 # why\n"),
            "{text}"
        );
        assert_eq!(EnvFile::parse(&text).vars()["COMPOSE_FILE"], "compose.yml:compose.db.yml:last.yml:more.yml");
    }

    #[test]
    fn the_settled_form_leaves_nothing_to_a_reader() {
        let text =
            "# it's\nA=1\nEVIL: /etc\nexport B=\"x $A # y\" # it's # length=3\nA='$B'\nC=it's\nA2=${A}z\nD=`\"x\"`\n";
        let env = EnvFile::parse(text);
        let settled = env.settled().unwrap();
        assert_eq!(
            settled.to_string(),
            "# it's\nB='x 1 # y' # its  length=3\nA='$B'\nC=\"it's\"\nA2='$Bz'\nD='`\"x\"`'\n"
        );
        let mut vars = env.vars();
        assert_eq!(settled.vars(), vars);
        assert_eq!(EnvFile::parse(&settled.to_string()).vars(), vars);
        vars.insert("A2".to_owned(), "$Bz".to_owned());
        assert_eq!(vars["A2"], "$Bz");
        assert_eq!(EnvFile::parse("A=it's \"x\"\n").settled(), Err("A".to_owned()));
        let mut env = env;
        env.remove("A");
        assert_eq!(env.get("A"), None);
    }

    proptest! {
        #[test]
        fn settling_keeps_every_value(text in "(?s)[AB=$'\"{}# \\n\\\\x]{0,60}") {
            let env = EnvFile::parse(&text);
            if let Ok(settled) = env.settled() {
                prop_assert_eq!(EnvFile::parse(&settled.to_string()).vars(), env.vars());
            }
        }

        #[test]
        fn no_text_panics_and_writing_is_stable(text in "(?s).{0,200}") {
            let once = EnvFile::parse(&text).to_string();
            prop_assert_eq!(EnvFile::parse(&once).vars(), EnvFile::parse(&EnvFile::parse(&once).to_string()).vars());
        }

        #[test]
        fn what_is_set_is_read(key in "[A-Z][A-Z_]{0,8}", value in "[a-zA-Z0-9 .:/_-]{0,20}") {
            let mut env = EnvFile::parse("A=1\n");
            env.set(&key, value.trim());
            let vars = EnvFile::parse(&env.to_string()).vars();
            prop_assert_eq!(vars.get(&key).map(String::as_str), Some(value.trim()));
        }
    }
}
