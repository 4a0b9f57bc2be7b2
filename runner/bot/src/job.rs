//! A job: an accepted comment and its progress.

use base::names::{Commit, RecipeName, RunId};
use forge::api::PullEnd;
use forge::drone::BuildEnd;
use forge::grammar::{Command, Parsed, TestMe};
use forge::names::{CommentId, Login, PullId};
use forge::watch::{CommandRequest, Pin};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

/// One member's comment with commands: one file in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    pub comment: CommentId,
    pub pull: PullId,
    /// The author.
    pub member: Login,
    /// The head commit when the comment was accepted: the authorized commit, if `pin` says so.
    pub head: Commit,
    /// Whether that commit existed when the comment was written.
    #[serde(default)]
    pub pin: Pin,
    /// The comment, line by line.
    pub said: Vec<Parsed>,
    /// When it was accepted, by this machine's clock.
    pub taken: Timestamp,
    pub phase: Phase,
    /// By this machine's clock.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// How often cc-ci was restarted during its run.
    #[serde(default)]
    pub restarts: u32,
    /// The part to run, once it is known; empty for everything.
    #[serde(default)]
    pub only: Option<Vec<String>>,
    #[serde(default)]
    pub stopped_by: Option<Login>,
    /// How the pull request ended: before the comment was accepted, or while its run or its app existed.
    #[serde(default)]
    pub pull_ended: Option<PullEnd>,
    /// The removal of the kept app, once the pull request has ended.
    #[serde(default)]
    pub kept: Option<KeptJob>,
    /// The run's build, if runs are builds of Drone.
    #[serde(default)]
    pub build: Option<AsBuild>,
    /// How many seconds the run's app is to be kept, if requested.
    #[serde(default)]
    pub hold_s: Option<u64>,
    /// Results of the comment's other lines, as trusted markdown.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// Whether the end was delivered to the forge.
    #[serde(default)]
    pub told: bool,
}

/// A run that is a build of Drone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsBuild {
    #[serde(default)]
    pub number: Option<u64>,
    /// For people: `coop/cc-ci/12`.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub link: Option<Url>,
    /// The run's id that the build was started with: a restart has the same parameter.
    #[serde(default)]
    pub run: Option<RunId>,
    /// Whether the run was seen on this swarm.
    #[serde(default)]
    pub on_swarm: bool,
    /// Drone's status at the end, if the run has no verdict.
    #[serde(default)]
    pub end: Option<BuildEnd>,
    /// The last lines of its log, if the run has no verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// Earlier attempts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierAttempt>,
}

/// A build that was restarted in Drone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierAttempt {
    pub run: RunId,
    /// For people, like [`AsBuild::name`].
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub link: Option<Url>,
}

/// The state of a kept app whose pull request has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptJob {
    /// Being removed.
    Goes,
    /// Removed.
    Gone,
    /// It could not be removed, and expires with its time.
    Stays { why: String },
}

/// Why a run was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped<'a> {
    /// By a member's command.
    By(&'a Login),
    /// Its pull request ended.
    PullEnded(PullEnd),
}

/// A job's progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Stored.
    New,
    /// Its run waits to be started.
    Queued,
    /// Its run is in progress. Written before the run is started.
    Running { run: RunId },
    /// Only the delivery to the forge may be left.
    Ended(End),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It requested no run, and was carried out.
    Done,
    /// Its run ended; the result is in the journal.
    Ran { run: RunId },
    /// Stopped before its run began.
    Stopped,
    /// No run was started, or it ended without a result.
    NoRun { what: String, look_at: String },
}

impl Job {
    pub fn new(asked: &CommandRequest, now: Timestamp) -> Self {
        Self {
            comment: asked.comment.id,
            pull: asked.pull.id.clone(),
            member: asked.member.login.clone(),
            head: asked.commit().clone(),
            pin: asked.pin,
            said: asked.comment.said.clone(),
            taken: now,
            phase: Phase::New,
            ended: None,
            restarts: 0,
            only: None,
            stopped_by: None,
            pull_ended: asked.pull.ended,
            kept: None,
            build: None,
            hold_s: None,
            remarks: Vec::new(),
            told: false,
        }
    }

    /// The requested run: the first, if there are several.
    pub fn testme(&self) -> Option<&TestMe> {
        self.said.iter().find_map(|said| match said {
            Parsed::Command(Command::TestMe(testme)) => Some(testme),
            _ => None,
        })
    }

    /// The recipe that the repository is named after.
    pub fn recipe(&self) -> Option<RecipeName> {
        self.pull.repo.name.as_str().parse().ok()
    }

    /// Whether its run waits or is in progress.
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Queued | Phase::Running { .. })
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Why its run was stopped, if it was.
    pub fn stopped(&self) -> Option<Stopped<'_>> {
        self.stopped_by.as_ref().map(Stopped::By).or_else(|| self.pull_ended.map(Stopped::PullEnded))
    }

    pub fn run(&self) -> Option<&RunId> {
        match &self.phase {
            Phase::Running { run } | Phase::Ended(End::Ran { run }) => Some(run),
            _ => None,
        }
    }

    /// Whether it requests or requested a run.
    pub fn is_about_a_run(&self) -> bool {
        self.testme().is_some() && !matches!(self.phase, Phase::Ended(End::Done))
    }
}
