use std::path::Path;
use std::pin::Pin;

use super::{Outcome, Test};

/// A test while it runs.
pub type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// A test that was built in.
#[derive(Debug, Clone, Copy)]
pub struct Built {
    /// The recipe.
    pub recipe: &'static str,
    /// Folder and name: `browser/10-login`.
    pub name: &'static str,
    /// The function.
    pub run: for<'a> fn(&'a Test) -> Running<'a>,
    /// The files that it was built from: its own, then those of the recipe's `lib/`.
    pub sources: &'static [Source],
}

/// A file that a test was built from.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Its path below the recipe's folder.
    pub path: &'static str,
    /// What it held.
    pub content: &'static [u8],
}

/// Why a file is not run: what was built is not what is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBuilt {
    /// The file is new.
    #[error("{recipe}/{name}.rs was not built in; rebuild cc-ci: cargo build")]
    Unknown {
        /// The recipe.
        recipe: String,
        /// The test.
        name: String,
    },
    /// The file has changed.
    #[error("{recipe}/{path} has changed since it was built in; rebuild cc-ci: cargo build")]
    Changed {
        /// The recipe.
        recipe: String,
        /// The file.
        path: String,
    },
}

/// The test of that name. With the recipe's folder, only where the folder still holds what was built: a
/// test that runs must be the test that is read.
///
/// # Errors
/// See [`NotBuilt`].
pub fn find<'a>(tests: &'a [Built], recipe: &str, name: &str, folder: Option<&Path>) -> Result<&'a Built, NotBuilt> {
    let recipe_name = || recipe.to_owned();
    let built = tests.iter().find(|test| test.recipe == recipe && test.name == name);
    let built = built.ok_or_else(|| NotBuilt::Unknown { recipe: recipe_name(), name: name.to_owned() })?;
    let changed = |source: &&Source| {
        folder.is_some_and(|folder| std::fs::read(folder.join(source.path)).ok().as_deref() != Some(source.content))
    };
    match built.sources.iter().find(changed) {
        Some(source) => Err(NotBuilt::Changed { recipe: recipe_name(), path: source.path.to_owned() }),
        None => Ok(built),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: &[Built] = &[Built {
        recipe: "n8n",
        name: "browser/10-login",
        run: |_| Box::pin(async { Ok(String::new()) }),
        sources: &[
            Source { path: "browser/10-login.rs", content: b"a" },
            Source { path: "lib/login.rs", content: b"b" },
        ],
    }];

    #[test]
    fn only_what_was_built_and_still_stands_there_is_run() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("browser/10-login.rs", "a"), ("lib/login.rs", "b")] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let find = |recipe: &str, name: &str| {
            find(TESTS, recipe, name, Some(folder.path())).map(|b| b.name).map_err(|e| e.to_string())
        };
        assert_eq!(find("n8n", "browser/10-login").unwrap(), "browser/10-login");
        assert_eq!(
            find("n8n", "browser/20-x").unwrap_err(),
            "n8n/browser/20-x.rs was not built in; rebuild cc-ci: cargo build"
        );
        assert!(find("ghost", "browser/10-login").is_err());
        std::fs::write(folder.path().join("lib/login.rs"), "c").unwrap();
        assert_eq!(
            find("n8n", "browser/10-login").unwrap_err(),
            "n8n/lib/login.rs has changed since it was built in; rebuild cc-ci: cargo build"
        );
        assert!(super::find(TESTS, "n8n", "browser/10-login", None).is_ok());
    }
}
