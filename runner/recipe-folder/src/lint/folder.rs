//! A recipe's folder, read once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use overlay::OverlayFile;

use super::{Finding, Rule, Script};
use journal::test_folders::FOLDERS;

/// No test is as long as this, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// A folder that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be read: {error}")]
pub struct ReadError {
    /// The file or folder.
    pub path: String,
    /// Why.
    pub error: std::io::Error,
}

/// A recipe's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Every file's text by its path below the folder; none for one that is no text, or too long.
    pub files: BTreeMap<String, Option<String>>,
}

impl Folder {
    /// Reads every file. Hidden ones are left out.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let mut folder = Self { path: path.to_owned(), files: BTreeMap::new() };
        folder.add(path, "").map_err(|(path, error)| ReadError { path: path.display().to_string(), error })?;
        Ok(folder)
    }

    fn add(&mut self, dir: &Path, below: &str) -> Result<(), (PathBuf, std::io::Error)> {
        let failed = |error| (dir.to_owned(), error);
        for entry in std::fs::read_dir(dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let (path, name) = (entry.path(), format!("{below}{name}"));
            let meta = std::fs::metadata(&path).map_err(|error| (path.clone(), error))?;
            if meta.is_dir() {
                self.add(&path, &format!("{name}/"))?;
            } else {
                let bytes = if meta.is_file() && meta.len() <= LONGEST {
                    std::fs::read(&path).map_err(|error| (path, error))?
                } else {
                    vec![0xff]
                };
                self.files.insert(name, String::from_utf8(bytes).ok());
            }
        }
        Ok(())
    }

    /// A finding in one of its files.
    pub(super) fn finding(&self, file: &str, line: Option<usize>, rule: Rule, text: impl Into<String>) -> Finding {
        Finding { file: self.path.join(file).display().to_string(), line, rule, text: text.into() }
    }

    /// The files that are tests: those directly in the folders of the stages, and the data set.
    pub(super) fn tests(&self) -> Vec<OverlayFile> {
        let is_test = |name: &str| match name.split_once('/') {
            Some((folder, file)) => (FOLDERS.contains(&folder) || folder == "data") && !file.contains('/'),
            None => false,
        };
        let names = self.files.keys().filter(|name| is_test(name));
        names.map(|name| OverlayFile { name: name.clone(), path: self.path.join(name) }).collect()
    }

    /// The script that runs before the first deploy.
    pub(super) fn install_steps(&self) -> Option<OverlayFile> {
        let name = "install_steps.sh".to_owned();
        self.files.contains_key(&name).then(|| OverlayFile { path: self.path.join(&name), name })
    }

    /// Scripts that are no tests themselves, such as those in `lib/`.
    pub(super) fn helper_scripts(&self) -> Vec<Script> {
        let tests: Vec<String> = self.tests().into_iter().map(|file| file.name).collect();
        let is_helper = |name: &String| name.ends_with(".sh") && !tests.contains(name);
        let scripts = self.files.iter().filter(|(name, _)| is_helper(name));
        scripts.filter_map(|(name, text)| Some(Script { name: name.clone(), text: text.clone()? })).collect()
    }
}

/// A message that begins with its file and line, apart.
pub(super) fn split_line(text: &str, file: &str) -> (Option<usize>, String) {
    let rest = text.strip_prefix(file).and_then(|rest| rest.strip_prefix(':'));
    match rest.and_then(|rest| rest.split_once(": ")) {
        Some((line, rest)) if line.parse::<usize>().is_ok() => (line.parse().ok(), rest.to_owned()),
        _ => (None, text.to_owned()),
    }
}
