use harness::names::Commit;

/// A build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Its number in its repository.
    pub number: u64,
    /// How it stands.
    pub standing: Standing,
    /// The commit whose pipeline it runs.
    pub commit: Option<Commit>,
}

/// How a build stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits for a runner, for another build or for somebody's approval.
    Waiting,
    /// It runs.
    Running,
    /// All its steps were green.
    Passed,
    /// A step was red.
    Failed,
    /// It was stopped, declined or skipped.
    Stopped,
    /// It could not run.
    Broken,
    /// A state that this release of cc-ci does not know.
    Unknown,
}

impl Standing {
    pub(super) fn of(status: &str) -> Self {
        match status {
            "pending" | "blocked" | "waiting_on_dependencies" => Self::Waiting,
            "running" => Self::Running,
            "success" => Self::Passed,
            "failure" => Self::Failed,
            "killed" | "declined" | "skipped" => Self::Stopped,
            "error" => Self::Broken,
            _ => Self::Unknown,
        }
    }

    /// Whether it will not change any more.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Passed | Self::Failed | Self::Stopped | Self::Broken)
    }
}
