//! The sources of a recipe's repository: `repository.toml` and the folders beside it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::git::{File, Mode};
use super::{Builder, Error};

/// The file that makes a folder a source.
pub(crate) const FILE: &str = "repository.toml";

/// A recipe's source, read.
#[derive(Debug, Clone)]
pub struct Source {
    dir: PathBuf,
    spec: Spec,
    like: Option<Box<Source>>,
}

/// What a pull request of the testbed is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadFact {
    /// The branch: `good/…`, `broken/…` or `hostile/…`.
    pub name: String,
    /// The pull request's number.
    pub pull: u64,
    /// `passed`, or the code of the failure that a run must report.
    pub expect: String,
    /// What else a reader should know; may be empty.
    pub note: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    /// Another recipe, whose releases this one starts with.
    like: Option<String>,
    /// How many of those; all unless given.
    releases: Option<usize>,
    /// Which releases have a tag, and of which sort.
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    release: Vec<Release>,
    #[serde(default)]
    head: Vec<Head>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tags {
    #[default]
    Annotated,
    /// The last one is lightweight.
    LightweightLast,
    None,
}

/// What changes against the state before: first `files`, then `delete`, then `replace`.
#[derive(Debug, Clone, Default)]
struct Change<'a> {
    files: Option<&'a Path>,
    delete: &'a [String],
    replace: &'a [Replace],
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    version: String,
    message: String,
    files: Option<PathBuf>,
    #[serde(default)]
    delete: Vec<String>,
    #[serde(default)]
    replace: Vec<Replace>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: String,
    pull: u64,
    /// The branch that it starts from.
    #[serde(default = "main_branch")]
    from: String,
    message: String,
    expect: String,
    #[serde(default)]
    note: String,
    files: Option<PathBuf>,
    #[serde(default)]
    delete: Vec<String>,
    #[serde(default)]
    replace: Vec<Replace>,
}

fn main_branch() -> String {
    "main".to_owned()
}

/// One text for another, in one file; the old one must be there exactly once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replace {
    file: String,
    old: String,
    new: String,
}

impl Source {
    /// Reads the source of a recipe by its name.
    ///
    /// # Errors
    /// When there is none, or it has a wrong key.
    pub fn load(name: &str) -> Result<Self, Error> {
        let dir = crate::recipes_dir().join(name);
        let path = dir.join(FILE);
        if !path.is_file() {
            return Err(Error::NoRecipe(name.to_owned()));
        }
        let text = std::fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
        let spec: Spec = toml::from_str(&text).map_err(|error| Error::Source { path, error: Box::new(error) })?;
        let like = spec.like.as_deref().map(Self::load).transpose()?.map(Box::new);
        Ok(Self { dir, spec, like })
    }

    /// The pull requests, in the order of the source.
    pub fn heads(&self) -> Vec<HeadFact> {
        let fact = |head: &Head| HeadFact {
            name: head.name.clone(),
            pull: head.pull,
            expect: head.expect.clone(),
            note: head.note.clone(),
        };
        self.spec.head.iter().map(fact).collect()
    }

    /// The whole repository as a builder that stands on `main`, so that a test can go on from there.
    ///
    /// # Errors
    /// When a change does not fit what it changes, or a folder is not there.
    pub fn builder(&self) -> Result<Builder, Error> {
        let releases = self.all_releases();
        let mut builder = Builder::new();
        for (n, (dir, release)) in releases.iter().enumerate() {
            let change = Change { files: release.files.as_deref(), delete: &release.delete, replace: &release.replace };
            builder = change.apply(dir, builder)?.commit(&release.message);
            builder = match self.spec.tags {
                Tags::None => builder,
                Tags::LightweightLast if n + 1 == releases.len() => builder.tag_lightweight(&release.version),
                Tags::Annotated | Tags::LightweightLast => builder.tag_annotated(&release.version, &release.message),
            };
        }
        builder = builder.branch("main");
        for head in &self.spec.head {
            let change = Change { files: head.files.as_deref(), delete: &head.delete, replace: &head.replace };
            builder = change.apply(&self.dir, builder.at(&head.from)?)?;
            builder = builder.commit(&head.message).branch(&head.name).pull(head.pull);
        }
        builder.at("main")
    }

    /// The releases, oldest first, each with the folder that its files are in.
    fn all_releases(&self) -> Vec<(&Path, &Release)> {
        let mut releases = self.like.as_ref().map(|like| like.all_releases()).unwrap_or_default();
        releases.truncate(self.spec.releases.unwrap_or(usize::MAX));
        releases.extend(self.spec.release.iter().map(|release| (self.dir.as_path(), release)));
        releases
    }
}

impl Change<'_> {
    fn apply(&self, dir: &Path, mut builder: Builder) -> Result<Builder, Error> {
        if let Some(files) = self.files {
            let root = dir.join(files);
            lay_over(&mut builder, &root, &root)?;
        }
        for name in self.delete {
            builder = builder.delete(name)?;
        }
        for change in self.replace {
            builder = builder.replace(&change.file, &change.old, &change.new)?;
        }
        Ok(builder)
    }
}

/// Adds every file below `dir` under its path relative to `root`.
fn lay_over(builder: &mut Builder, root: &Path, dir: &Path) -> Result<(), Error> {
    for entry in std::fs::read_dir(dir).map_err(|e| Error::file(dir, e))? {
        let path = entry.map_err(|e| Error::file(dir, e))?.path();
        if path.is_dir() {
            lay_over(builder, root, &path)?;
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|e| Error::file(&path, e))?;
        let mode = if is_executable(&path)? { Mode::Executable } else { Mode::Plain };
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        builder.file(name, File { bytes, mode });
    }
    Ok(())
}

fn is_executable(path: &Path) -> Result<bool, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = std::fs::metadata(path).map_err(|e| Error::file(path, e))?;
    Ok(meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_numbers_and_names_are_unique_and_say_what_they_expect() {
        for name in super::super::names().unwrap() {
            let heads = Source::load(&name).unwrap().heads();
            let mut seen = std::collections::HashSet::new();
            for head in &heads {
                assert!(seen.insert(head.pull), "{name}: pull {} twice", head.pull);
                let folder = head.name.split_once('/').map(|(folder, _)| folder);
                assert!(matches!(folder, Some("good" | "broken" | "hostile")), "{}", head.name);
                assert!(!head.expect.is_empty(), "{}", head.name);
            }
            // What only apps of other recipes need has no change to test.
            assert!(heads.is_empty() || heads.iter().any(|head| head.pull == 1), "{name} has no pull request 1");
        }
    }

    #[test]
    fn a_mistyped_key_is_an_error() {
        let wrong = "[[head]]\nname = \"good/a\"\npul = 1\nmessage = \"\"\nexpect = \"passed\"\n";
        assert!(toml::from_str::<Spec>(wrong).unwrap_err().to_string().contains("pul"));
    }
}
