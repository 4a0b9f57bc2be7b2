//! A word that was taken on, and how far it came.

use base::names::{Commit, RecipeName, RunId};
use forge::api::PullEnd;
use forge::drone::BuildEnd;
use forge::grammar::{Command, Parsed, TestMe};
use forge::names::{CommentId, Login, PullId};
use forge::watch::{CommandRequest, Pin};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

/// One member's comment with commands: one file in the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The comment.
    pub comment: CommentId,
    /// Where it stands.
    pub pull: PullId,
    /// Who wrote it.
    pub member: Login,
    /// The commit at the head when it was taken on: the one that was authorised, where `pin` says so.
    pub head: Commit,
    /// Whether that commit was there when the comment was written.
    #[serde(default)]
    pub pin: Pin,
    /// What it says, line by line.
    pub said: Vec<Parsed>,
    /// When it was taken on, by this machine's clock.
    pub taken: Timestamp,
    /// How far it came.
    pub phase: Phase,
    /// When it ended, by this machine's clock.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// How often cc-ci was restarted while its run was under way.
    #[serde(default)]
    pub restarts: u32,
    /// What the run is restricted to, once that is known; empty is all of it.
    #[serde(default)]
    pub only: Option<Vec<String>>,
    /// Who stopped it, if somebody did.
    #[serde(default)]
    pub stopped_by: Option<Login>,
    /// How the pull request ended, if it did: before this was taken on, or while its run or its app was there.
    #[serde(default)]
    pub pull_ended: Option<PullEnd>,
    /// What becomes of the app that stayed, once the pull request has ended.
    #[serde(default)]
    pub kept: Option<KeptJob>,
    /// The build that its run is, where runs are builds of Drone.
    #[serde(default)]
    pub build: Option<AsBuild>,
    /// How long the run's app shall stay, in seconds, if somebody asked for it.
    #[serde(default)]
    pub hold_s: Option<u64>,
    /// What became of the comment's lines beside the run, in markdown of cc-ci's own.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// Whether the forge has been told of the end.
    #[serde(default)]
    pub told: bool,
}

/// A run that is a build of Drone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsBuild {
    /// The build's number, once it is known.
    #[serde(default)]
    pub number: Option<u64>,
    /// What it is called: `coop/cc-ci/12`.
    #[serde(default)]
    pub name: Option<String>,
    /// Its page.
    #[serde(default)]
    pub link: Option<Url>,
    /// The run's id that the build was started with: a restart has the same parameter.
    #[serde(default)]
    pub run: Option<RunId>,
    /// Whether the run was seen on this swarm.
    #[serde(default)]
    pub on_swarm: bool,
    /// How Drone says that it ended, where its run did not come to a verdict.
    #[serde(default)]
    pub end: Option<BuildEnd>,
    /// The last lines of its log, where its run did not come to a verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// Attempts before the one that this is, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierAttempt>,
}

/// A build that was restarted in Drone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierAttempt {
    /// The run.
    pub run: RunId,
    /// What the build is called.
    #[serde(default)]
    pub name: Option<String>,
    /// Its page.
    #[serde(default)]
    pub link: Option<Url>,
}

/// What becomes of an app that stayed after its run, once its pull request has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptJob {
    /// It is being removed.
    Goes,
    /// Nothing is left of it.
    Gone,
    /// It could not be removed, and goes when its time is over.
    Stays {
        /// Why.
        why: String,
    },
}

/// Why a run was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped<'a> {
    /// By a member's word.
    By(&'a Login),
    /// Its pull request ended.
    PullEnded(PullEnd),
}

/// How far a word came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It is on the disk.
    New,
    /// Its run waits to be started.
    Queued,
    /// Its run is under way; this is written before it is started.
    Running {
        /// The run.
        run: RunId,
    },
    /// Nothing is left to be done but to tell it.
    Ended(End),
}

/// How a word ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It asked for no run, and what it asked for was done.
    Done,
    /// Its run ended, with what its journal says.
    Ran {
        /// The run.
        run: RunId,
    },
    /// It was stopped before its run began.
    Stopped,
    /// No run came of it, or none that could say anything.
    NoRun {
        /// What happened.
        what: String,
        /// What to look at.
        look_at: String,
    },
}

impl Job {
    /// A word, as it was authorised.
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

    /// The run that it asks for, if it does: the first one, where it names several.
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

    /// Whether its run waits or is under way.
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Queued | Phase::Running { .. })
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Why its run was stopped, if it was.
    pub fn stopped(&self) -> Option<Stopped<'_>> {
        self.stopped_by.as_ref().map(Stopped::By).or_else(|| self.pull_ended.map(Stopped::PullEnded))
    }

    /// Its run, once there is one.
    pub fn run(&self) -> Option<&RunId> {
        match &self.phase {
            Phase::Running { run } | Phase::Ended(End::Ran { run }) => Some(run),
            _ => None,
        }
    }

    /// Whether a run of it is or was asked for.
    pub fn is_about_a_run(&self) -> bool {
        self.testme().is_some() && !matches!(self.phase, Phase::Ended(End::Done))
    }
}
