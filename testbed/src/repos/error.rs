use std::path::{Path, PathBuf};

/// Why a repository could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A `repository.toml` has a wrong key or value.
    #[error("{}: {error}", path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        error: Box<toml::de::Error>,
    },
    /// There is no source of this name.
    #[error("no recipe {0} in the testbed")]
    NoRecipe(String),
    /// A text that is to be replaced is not in the file exactly once.
    #[error("{file}: {found} times {old:?}, wanted once")]
    Replace {
        /// The file in the repository.
        file: String,
        /// The text that is to be replaced.
        old: String,
        /// How often it is there.
        found: usize,
    },
    /// A branch, tag or file that is named and does not exist.
    #[error("no {0}")]
    Missing(String),
    /// The destination exists and was not made by this crate.
    #[error("{} is not a repository of the testbed; remove it first", path.display())]
    NotOurs {
        /// The destination.
        path: PathBuf,
    },
    /// git failed.
    #[error("git {args}: {stderr}")]
    Git {
        /// Its arguments.
        args: String,
        /// What it said.
        stderr: String,
    },
}

impl Error {
    pub(crate) fn file(path: &Path, error: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), error }
    }
}
