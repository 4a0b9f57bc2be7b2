//! The file on disk.

use std::io::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::{Deps, VERSION};

/// Why the file cannot be written or read. No text in it holds a value of the file.
#[derive(Debug, thiserror::Error)]
pub enum DepsFileError {
    /// The folder or the file cannot be used.
    #[error("{path} cannot be {what}: {error}")]
    Unusable {
        /// The file.
        path: String,
        /// "read" or "written".
        what: &'static str,
        /// Why.
        error: std::io::Error,
    },
    /// Another cc-ci wrote it.
    #[error(
        "{path} has version {found}, and this reads version {VERSION}: build the tests and cc-ci from one revision"
    )]
    OtherVersion {
        /// The file.
        path: String,
        /// Its version; "no number" where it has none.
        found: String,
    },
    /// It is not what it should be.
    #[error("{path} is not a file of dependencies: {category} error in line {line}, column {column}")]
    Invalid {
        /// The file.
        path: String,
        /// What kind of error: "data" is a field that is missing, unknown or of another type.
        category: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

/// Only what tells versions apart.
#[derive(Deserialize)]
struct Head {
    version: Option<serde_json::Value>,
}

pub(super) fn write(deps: &Deps, path: &Path) -> Result<(), DepsFileError> {
    let written = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // It is made with mode 0600 and a name that nobody can guess, so nothing stands in its place.
        let mut file = tempfile::Builder::new().prefix(".deps-").tempfile_in(folder)?;
        serde_json::to_writer_pretty(&mut file, deps)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    written().map_err(|error| DepsFileError::Unusable { path: path.display().to_string(), what: "written", error })
}

pub(super) fn read(path: &Path) -> Result<Deps, DepsFileError> {
    let name = || path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| DepsFileError::Unusable { path: name(), what: "read", error })?;
    // serde's own words may quote a value, and every value may be a secret.
    let invalid = |e: serde_json::Error| DepsFileError::Invalid {
        path: name(),
        category: format!("{:?}", e.classify()).to_lowercase(),
        line: e.line(),
        column: e.column(),
    };
    let head: Head = serde_json::from_str(&text).map_err(invalid)?;
    match head.version {
        Some(version) if version == VERSION => serde_json::from_str(&text).map_err(invalid),
        other => {
            let found = other.filter(serde_json::Value::is_number).map_or("no number".to_owned(), |n| n.to_string());
            Err(DepsFileError::OtherVersion { path: name(), found })
        }
    }
}
