use std::path::PathBuf;

use crate::api::ForgeError;

/// Why the watcher's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is malformed.
    #[error(
        "the watcher's file {} cannot be understood ({why}). Move it away to begin anew: comments from before that \
         start are ignored, and a command that was not accepted yet has to be repeated", .path.display()
    )]
    Unreadable { path: PathBuf, why: String },
    /// It is for another forge or owner.
    #[error(
        "the watcher's file {} is for {found} and not for {wanted}; specify another file, or move this one away",
        .path.display()
    )]
    OtherForge {
        path: PathBuf,
        /// The forge and owner in the file.
        found: String,
        /// The requested ones.
        wanted: String,
    },
    /// Another process holds it.
    #[error("another process holds the watcher's file {}; two would start every run twice", .path.display())]
    Held { path: PathBuf },
    /// It cannot be read or written.
    #[error("the watcher's file {} cannot be {what}: {why}; check its free disk space and its permissions", .path.display())]
    Disk {
        path: PathBuf,
        /// The operation.
        what: &'static str,
        why: std::io::Error,
    },
}

/// Why the watcher could not continue. None of these loses a comment.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error(transparent)]
    Forge(#[from] ForgeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The desk did not accept a command.
    #[error("a command on {pull} cannot be accepted: {why}")]
    Desk {
        pull: String,
        /// The desk's message.
        why: String,
    },
}
