//! abra's catalogue of recipes, in a run's own `ABRA_DIR`.
//!
//! abra reads it in every command that names a recipe and clones it if it is missing, so a run would need network
//! access for something that it does not use.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Its folder below `ABRA_DIR`.
const FOLDER: &str = "catalogue";
/// The file that is read.
const FILE: &str = "recipes.json";

/// The operator's own catalogue, if it exists: below `ABRA_DIR`, or below `~/.abra`.
pub fn operators_catalogue() -> Option<PathBuf> {
    found(|name| match name {
        // A root service of systemd has no such variable.
        "HOME" => std::env::home_dir().map(PathBuf::into_os_string),
        name => std::env::var_os(name),
    })
}

fn found(get: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let dir = set("ABRA_DIR").or_else(|| Some(set("HOME")?.join(".abra")))?;
    let catalogue = dir.join(FOLDER);
    catalogue.join(FILE).is_file().then_some(catalogue)
}

/// Ensures a catalogue in an existing `ABRA_DIR`: a link to the operator's, else an empty one.
pub(super) fn provide(dir: &Path, operators: Option<&Path>) -> io::Result<()> {
    let place = dir.join(FOLDER);
    // Also a dangling link.
    let is_whole = place.join(FILE).exists();
    if is_whole || !dir.is_dir() {
        return Ok(());
    }
    let taken = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
    if let Some(operators) = operators {
        return match symlink(operators, &place) {
            // A concurrent call was first.
            Err(error) if taken(&error) => Ok(()),
            made => made,
        };
    }
    std::fs::create_dir_all(&place)?;
    std::fs::write(place.join(FILE), "{}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_catalogue_is_linked_and_else_there_is_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let run = dir.path().join("run");
        let get = |name: &str| (name == "HOME").then(|| home.clone().into_os_string());
        assert_eq!(found(get), None);
        provide(&run, None).unwrap();
        assert!(!run.exists(), "nothing is made where abra has no folder");
        std::fs::create_dir(&run).unwrap();
        provide(&run, None).unwrap();
        assert_eq!(std::fs::read_to_string(run.join("catalogue/recipes.json")).unwrap(), "{}\n");

        let own = home.join(".abra/catalogue");
        std::fs::create_dir_all(&own).unwrap();
        assert_eq!(found(get), None, "a folder without its file is none");
        std::fs::write(own.join(FILE), "[1]").unwrap();
        assert_eq!(found(get), Some(own.clone()));
        let other = dir.path().join("other");
        std::fs::create_dir(&other).unwrap();
        for _ in 0..2 {
            provide(&other, Some(&own)).unwrap();
        }
        assert_eq!(std::fs::read_link(other.join("catalogue")).unwrap(), own);
        // Removing the run's folder does not remove the operator's.
        std::fs::remove_dir_all(&other).unwrap();
        assert!(own.join(FILE).exists());
    }
}
