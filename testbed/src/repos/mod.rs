//! Git repositories made from the sources in `testbed/recipes/`. The same sources give the same
//! commit ids, on any machine and in any time zone.

mod builder;
mod error;
mod git;
mod source;

use std::path::Path;

pub use builder::Builder;
pub use error::Error;
pub use git::Built;
pub use source::{HeadFact, Source};

/// The names of all recipes that have a source, sorted.
///
/// # Errors
/// When the folder of sources cannot be read.
pub fn names() -> Result<Vec<String>, Error> {
    let dir = crate::recipes_dir();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(|e| Error::file(&dir, e))? {
        let path = entry.map_err(|e| Error::file(&dir, e))?.path();
        if path.join(source::FILE).is_file()
            && let Some(name) = path.file_name().and_then(|n| n.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Makes the repository of every recipe as `dest/<name>`, replacing those that an earlier call made.
///
/// # Errors
/// When a source is wrong, git fails, or `dest` holds something else under that name.
pub fn build_all(dest: &Path) -> Result<Vec<Built>, Error> {
    names()?.iter().map(|name| build(name, dest)).collect()
}

/// Makes one recipe's repository as `dest/<name>`.
///
/// # Errors
/// As [`build_all`].
pub fn build(name: &str, dest: &Path) -> Result<Built, Error> {
    Source::load(name)?.builder()?.build(&dest.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_builds_and_a_second_build_has_the_same_ids() {
        let dir = tempfile::tempdir().unwrap();
        let first = build_all(dir.path()).unwrap();
        let second = build_all(dir.path()).unwrap();
        assert!(first.len() > 4, "{}", first.len());
        for (a, b) in first.iter().zip(&second) {
            assert_eq!(a.refs, b.refs, "{}", a.path.display());
            assert!(a.path.join("compose.yml").is_file(), "main is checked out");
        }
    }

    #[test]
    fn pull_requests_have_a_branch_and_a_pull_ref() {
        let dir = tempfile::tempdir().unwrap();
        let built = build("custom-html", dir.path()).unwrap();
        for head in Source::load("custom-html").unwrap().heads() {
            let branch = &built.refs[&format!("refs/heads/{}", head.name)];
            assert_eq!(branch, &built.refs[&format!("refs/pull/{}/head", head.pull)], "{}", head.name);
            assert_ne!(branch, &built.refs["refs/heads/main"], "{}", head.name);
        }
    }

    #[test]
    fn release_tags_are_annotated_unless_the_source_says_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let usual = build("custom-html", dir.path()).unwrap();
        let light = build("custom-html-lightweight", dir.path()).unwrap();
        let none = build("custom-html-unreleased", dir.path()).unwrap();
        let tag = "refs/tags/1.2.0+1.22.1-2";
        assert_ne!(usual.refs[tag], usual.refs["refs/heads/main"], "an annotated tag is an object of its own");
        assert_eq!(light.refs[tag], light.refs["refs/heads/main"], "a lightweight tag is the commit");
        assert_eq!(usual.refs["refs/heads/main"], light.refs["refs/heads/main"]);
        assert!(none.refs.keys().all(|name| !name.starts_with("refs/tags/")));
    }

    #[test]
    fn a_folder_that_this_crate_did_not_make_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let taken = dir.path().join("custom-html");
        std::fs::create_dir(&taken).unwrap();
        std::fs::write(taken.join("mine"), "kept").unwrap();
        assert!(matches!(build("custom-html", dir.path()), Err(Error::NotOurs { .. })));
        assert_eq!(std::fs::read_to_string(taken.join("mine")).unwrap(), "kept");
    }
}
