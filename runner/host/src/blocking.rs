//! Blocking work in async code.

use base::failure::{Failure, Kind};

/// Runs blocking work, such as git, on a blocking thread.
///
/// # Errors
/// Those of the work; a panic in it is reported as a bug.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let joined: Result<_, tokio::task::JoinError> = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|error| {
        Err(Failure::new(Kind::Bug, format!("a part of cc-ci panicked: {error}"), "please report it with the journal"))
    })
}
