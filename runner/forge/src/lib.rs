//! From a comment on a pull request to a request for a run, and the facts of a build in Drone.
//!
//! This crate knows comments, forges and Drone. It knows no stages, checks or reports: the caller starts runs and
//! writes answers.
//!
//! ```text
//! let forge = Gitea::new(http, url, owner, token);
//! let mut watcher = Watcher::open(forge, Store::hold(&path)?, about).await?;
//! watcher.cycle().await?;                           // one request if nothing changed
//! while let Some(asked) = watcher.next().await? {   // a member's, with the commit pinned
//!     /* accept it, under asked.comment.id */
//!     watcher.confirm(asked.comment.id)?;
//! }
//! ```

pub mod api;
pub mod drone;
pub mod grammar;
pub mod hook;
pub mod names;
pub mod token;
pub mod watch;
