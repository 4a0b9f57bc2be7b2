//! Results of probing the installed abra on this server, stored between runs.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The file's name in the state folder.
const FILE: &str = "abra-probe.json";

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeAnswer {
    /// It behaves as in the table.
    AsTold,
    /// It behaves in the other way.
    Otherwise,
    /// It could not be probed, or the result matches neither: the reason.
    Unknown(String),
}

/// The answers of one program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// The program's version, to which the answers apply.
    pub version: String,
    /// By name in the table of behaviours.
    pub answers: BTreeMap<String, ProbeAnswer>,
    /// Flags in its help, each with its command: `app restore --hooks`.
    pub flags: Vec<String>,
}

impl Probed {
    /// The stored answers for this version of the program, if any.
    pub fn read(state: &Path, version: &str) -> Option<Self> {
        let text = std::fs::read_to_string(state.join(FILE)).ok()?;
        serde_json::from_str::<Self>(&text).ok().filter(|probed| probed.version == version)
    }

    /// Stores them, replacing earlier ones.
    pub fn keep(&self, state: &Path) -> io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(state)?;
        serde_json::to_writer_pretty(&file, self)?;
        file.persist(state.join(FILE)).map(drop).map_err(|failed| failed.error)
    }

    /// Whether the help of a command lists a flag.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_for_the_program_that_gave_them() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(Probed::read(state.path(), "abra 0.13"), None);
        let answers = BTreeMap::from([
            ("stack-name-cut".to_owned(), ProbeAnswer::AsTold),
            ("exports-by-pattern".to_owned(), ProbeAnswer::Unknown("no deploy".to_owned())),
        ]);
        let probed = Probed { version: "abra 0.13".to_owned(), answers, flags: vec!["app restore --hooks".to_owned()] };
        probed.keep(state.path()).unwrap();
        assert_eq!(Probed::read(state.path(), "abra 0.13"), Some(probed.clone()));
        assert_eq!(Probed::read(state.path(), "abra 0.14"), None, "a newer program is asked again");
        assert!(probed.has("app restore --hooks") && !probed.has("app backup list --all"));
    }
}
