//! Work that blocks, beside the work that waits for events.

use base::failure::{Failure, Kind};

/// Runs blocking work, such as git, without holding up the rest.
///
/// # Errors
/// The work's own; a panic inside it is a bug and named as that.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let joined: Result<_, tokio::task::JoinError> = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|error| {
        Err(Failure::new(Kind::Bug, format!("a part of cc-ci panicked: {error}"), "please report it with the journal"))
    })
}
