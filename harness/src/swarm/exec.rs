//! Running a command inside a container.

use std::time::Instant;

use super::engine::Swarm;
use crate::failure::{Failure, Kind};

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecResult {
    /// Its exit code.
    pub exit: i64,
    /// What it wrote, both streams merged as they came; at most 1 MiB.
    pub output: String,
}

impl Swarm {
    /// Runs a command in a container, with more environment, and waits for its end.
    ///
    /// # Errors
    /// [`Kind::Deadline`] (the command may run on: docker has no way to end it), or the container is
    /// gone. A command that exits with another code than 0 is no error.
    pub async fn exec(
        &self,
        container: &str,
        argv: &[String],
        env: &[(String, String)],
        deadline: Instant,
    ) -> Result<ExecResult, Failure> {
        let _ = (container, argv, env, deadline);
        Err(Failure::new(Kind::Bug, "not written yet", ""))
    }
}
