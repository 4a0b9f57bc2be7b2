use std::path::PathBuf;

use crate::api::ForgeError;

/// Why the watcher's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is there and cannot be understood.
    #[error(
        "the watcher's file {} cannot be understood ({why}). Move it away to begin anew: comments from before that \
         start are left alone, and a word that was not taken on yet has to be written again", .path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It is about another forge or owner.
    #[error(
        "the watcher's file {} is about {found} and not about {wanted}; name another file, or move this one away",
        .path.display()
    )]
    OtherForge {
        /// The file.
        path: PathBuf,
        /// What it is about.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// Another process watches with it.
    #[error("another process holds the watcher's file {}; two would start every run twice", .path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("the watcher's file {} cannot be {what}: {why}; is there room on the disk, and a right to write?", .path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What failed.
        what: &'static str,
        /// The system's words.
        why: std::io::Error,
    },
}

/// Why the watcher could not go on. Nothing is lost by any of these.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The forge.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// The watcher's file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever takes words on.
    #[error("a word on {pull} cannot be taken on: {why}")]
    Desk {
        /// The pull request.
        pull: String,
        /// Why, in the words of who takes it on.
        why: String,
    },
}
