//! abra's environment, which has nothing of cc-ci's.
//!
//! abra and docker also take variables of compose files from their environment. What is absent cannot reach untrusted
//! containers, and what is present is listed in [`crate::variables`], so that a compose file which uses it can be
//! refused.

use std::ffi::OsString;
use std::path::Path;

use super::catalogue;
use crate::variables::HANDED_ON;

/// The environment of a call of abra: the search path, the engine, its own home and `ABRA_DIR`.
pub fn environment(dir: &Path) -> Vec<(&'static str, OsString)> {
    from(dir, |name| std::env::var_os(name))
}

fn from(dir: &Path, get: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, OsString)> {
    let mut found: Vec<_> = HANDED_ON
        .into_iter()
        // The operator's registry logins are for listed recipes: only those find a file in that home.
        .filter(|name| !matches!(*name, "HOME" | "ABRA_DIR" | "DOCKER_CONFIG"))
        .filter_map(|name| Some((name, get(name)?)))
        .collect();
    found.push(("ABRA_DIR", dir.into()));
    found.push(("HOME", dir.join("home").into()));
    found
}

/// Creates what abra expects in its directory, if that exists: a home, and a catalogue.
pub(super) fn furnish(dir: &Path) {
    // An error here would only hide the call's own message.
    let _ = std::fs::create_dir(dir.join("home"));
    let _ = catalogue::provide(dir, catalogue::operators_catalogue().as_deref());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variables::is_reserved;

    #[test]
    fn only_what_is_needed_is_handed_on_and_all_of_it_is_reserved() {
        let get = |name: &str| Some(OsString::from(format!("the {name}")));
        let found = from(Path::new("/run"), get);
        assert!(found.iter().all(|(name, _)| is_reserved(name)), "{found:?}");
        let value = |wanted: &str| found.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
        assert_eq!(value("HOME"), Some("/run/home".into()));
        assert_eq!(value("ABRA_DIR"), Some("/run".into()));
        assert_eq!(value("PATH"), Some("the PATH".into()));
        assert_eq!(value("DOCKER_CONFIG"), None, "the operator's logins");
        assert_eq!(value("CCCI_TOKEN"), None);
    }
}
