//! The failures of an app. Each [`Kind`] is one thing that a person can act on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A failure with the information that a person needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The kind of failure.
    #[schemars(with = "String")]
    pub kind: Kind,
    /// One line: what happened, to what. Starts in lower case, without a full stop.
    pub what: String,
    /// One line: what to check or to do.
    pub look_at: String,
    /// Evidence in several lines: task states, exit codes, the last log lines. May be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Files as evidence, such as a browser's picture, by their path in the folder of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

impl Failure {
    /// A failure without evidence.
    pub fn new(kind: Kind, what: impl Into<String>, look_at: impl Into<String>) -> Self {
        Self { kind, what: what.into(), look_at: look_at.into(), detail: String::new(), files: Vec::new() }
    }
    /// An error of the disk; a full disk has its own kind.
    pub fn disk(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let kind = if error.kind() == std::io::ErrorKind::StorageFull { Kind::DiskFull } else { Kind::StateUnusable };
        Self::new(kind, format!("cannot {doing} {}: {error}", path.display()), "free space and rights there")
    }
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
    pub fn with_files(mut self, files: Vec<String>) -> Self {
        self.files = files;
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.what)
    }
}
impl std::error::Error for Failure {}

/// Who has to act: the cause of an outcome that is not green.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The recipe at the tested commit.
    Recipe,
    /// A check of cc-ci or of the recipe's folder.
    Test,
    /// The release that the upgrade starts from.
    BaseRelease,
    /// An app that the run deployed for the recipe.
    Dependency,
    /// The machine, the engine, the registry, the world.
    Infrastructure,
}

impl Cause {
    /// As the end of "failed by …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Recipe => "the recipe",
            Self::Test => "a test",
            Self::BaseRelease => "the base release",
            Self::Dependency => "a dependency",
            Self::Infrastructure => "infrastructure",
        }
    }
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $cause:ident;)+) => {
        /// The kinds of failures.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $name,)+
        }
        impl Kind {
            /// In the order of the docs.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// The stable code in journals and reports.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }
            /// Who usually has to act; a base release or a dependency is its own cause.
            pub fn usual_cause(self) -> Cause {
                match self { $(Self::$name => Cause::$cause),+ }
            }
            /// The meaning, for the docs.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

kinds! {
    /// an image that the registry does not have
    ImageMissing = "image-missing", Recipe;
    /// an image that has no build for the platform of this machine
    PlatformMissing = "platform-missing", Recipe;
    /// a container that exits repeatedly
    CrashLoop = "crash-loop", Recipe;
    /// a healthcheck that never passes
    NeverHealthy = "never-healthy", Recipe;
    /// a healthcheck that calls a program that its image lacks
    HealthcheckMissing = "healthcheck-missing", Recipe;
    /// a task without a suitable node
    NoNode = "no-node", Infrastructure;
    /// a container that the engine refuses because of the recipe: its command, user, folders or mounts
    TaskRejected = "task-rejected", Recipe;
    /// the engine's network on a node: no address, an interface in the way, rules that cannot be set
    NodeNetwork = "node-network", Infrastructure;
    /// an engine whose runtime, storage or swarm cannot start or keep a container
    RuntimeFailed = "runtime-failed", Infrastructure;
    /// a task that the swarm assigns no address, port or node, without a reason
    SwarmStuck = "swarm-stuck", Infrastructure;
    /// a message of the machine that cc-ci does not know
    UnknownTrouble = "unknown-trouble", Infrastructure;
    /// a config file changed without a new version in `abra.sh`
    ConfigChanged = "config-changed", Recipe;
    /// a secret that the compose file uses and nothing generates
    SecretMissing = "secret-missing", Recipe;
    /// a `generate=false` secret that was not inserted
    SecretNotGiven = "secret-not-given", Test;
    /// a setting or a secret that the change needs and operators' env files lack
    SettingMissing = "setting-missing", Recipe;
    /// a service that the change no longer has, which still runs and holds a route or a port that the change needs
    OrphanInTheWay = "orphan-in-the-way", Recipe;
    /// a compose file that cannot be read
    InvalidCompose = "invalid-compose", Recipe;
    /// a compose file that requires more than a test may grant (docker socket, host mounts, privileges)
    ForbiddenCompose = "forbidden-compose", Recipe;
    /// shell that cannot be parsed: a script, an entrypoint, a hook, a healthcheck, a pipeline
    BrokenShell = "broken-shell", Recipe;
    /// a repository that is not a recipe, or cannot be read as one
    InvalidRecipe = "invalid-recipe", Recipe;
    /// a requested commit that its pull request no longer has
    CommitGone = "commit-gone", Recipe;
    /// a domain longer than docker's names allow
    DomainTooLong = "domain-too-long", Infrastructure;
    /// a version tag that is not annotated
    LightweightTag = "lightweight-tag", Recipe;
    /// an upgrade that swarm rolled back
    RolledBack = "rolled-back", Recipe;
    /// an upgrade after which the old version still runs
    DidNotMove = "did-not-move", Recipe;
    /// an update that swarm paused
    UpdatePaused = "update-paused", Recipe;
    /// a rollback to the previous release that fails, in a recipe that declares support for it
    RollbackFailed = "rollback-failed", Recipe;
    /// a command of POST_DEPLOY_CMDS or POST_UPGRADE_CMDS that fails
    CommandFailed = "command-failed", Recipe;
    /// data that was there before the upgrade, a new deploy or a fault that the run made, and is not after it
    DataLost = "data-lost", Recipe;
    /// an app that does not come back by itself from a fault that the run made
    NotRecovered = "not-recovered", Recipe;
    /// an app that shows its data with a wrong password for its database
    SecretIgnored = "secret-ignored", Recipe;
    /// a check that could prove nothing, since there was nothing to look for
    NothingToProve = "nothing-to-prove", Test;
    /// a backup that succeeds and holds nothing
    BackupEmpty = "backup-empty", Recipe;
    /// a backup command that fails
    BackupFailed = "backup-failed", Recipe;
    /// a wipe after which the data is still there, so that a restore would prove nothing
    WipeDidNothing = "wipe-did-nothing", Test;
    /// a restore that brings nothing back
    RestoreEmpty = "restore-empty", Recipe;
    /// a restore command that fails
    RestoreFailed = "restore-failed", Recipe;
    /// an app that is running in swarm and does not answer as it should
    NoAnswer = "no-answer", Recipe;
    /// routing labels that lead no request to the app
    NoRoute = "no-route", Recipe;
    /// a check of the recipe's folder that is red
    CheckFailed = "check-failed", Test;
    /// a check that cannot run because it is broken
    CheckBroken = "check-broken", Test;
    /// a host port that something else holds
    PortTaken = "port-taken", Infrastructure;
    /// a container that was OOM-killed at the limit in its recipe
    OutOfMemory = "out-of-memory", Recipe;
    /// a container without a limit that was OOM-killed: the node ran out of memory
    NodeOutOfMemory = "node-out-of-memory", Infrastructure;
    /// a node with too little free disk or memory to start a run on
    NodeFull = "node-full", Infrastructure;
    /// a full disk
    DiskFull = "disk-full", Infrastructure;
    /// a repository that cannot be read: its server does not answer, refuses, requires a login, or git refuses its folder
    SourceUnreachable = "source-unreachable", Infrastructure;
    /// a git that is missing, or cannot be started
    GitUnusable = "git-unusable", Infrastructure;
    /// a state folder that cannot be used
    StateUnusable = "state-unusable", Infrastructure;
    /// a registry that does not answer, for an image that is not here
    RegistryUnreachable = "registry-unreachable", Infrastructure;
    /// a registry that refuses an image to this machine: it requires a login, or forbids it
    RegistryRefused = "registry-refused", Infrastructure;
    /// a registry whose rate limit is exceeded
    RegistryLimit = "registry-limit", Infrastructure;
    /// a traefik that cannot be reached, so that nothing is known of the app behind it
    ProxyUnreachable = "proxy-unreachable", Infrastructure;
    /// a backup bot that cannot use its repository: locked, wrong password, gone, damaged, out of reach
    BackupBotUnusable = "backup-bot-unusable", Infrastructure;
    /// an engine that does not answer
    EngineUnreachable = "engine-unreachable", Infrastructure;
    /// an engine that went away in the middle of a run
    EngineRestarted = "engine-restarted", Infrastructure;
    /// a world that is not complete (swarm mode, `proxy`, traefik, backup bot)
    WorldIncomplete = "world-incomplete", Infrastructure;
    /// an abra that fails with a message that cc-ci does not know
    AbraFailed = "abra-failed", Infrastructure;
    /// an abra that was killed, by a user or by the OOM killer
    AbraKilled = "abra-killed", Infrastructure;
    /// an abra that cannot be started, or lacks a command
    AbraUnusable = "abra-unusable", Infrastructure;
    /// a stage that ran out of its time
    Deadline = "deadline", Recipe;
    /// an app that the run deployed for the recipe, which was up and is down now
    DependencyGone = "dependency-gone", Dependency;
    /// no right to hold live apps: the cap is reached, or another run holds the app's name
    NoSlot = "no-slot", Infrastructure;
    /// the specified run, or the app that it should have kept, does not exist
    NotKept = "not-kept", Infrastructure;
    /// a login provider that does not answer
    ProviderUnreachable = "provider-unreachable", Dependency;
    /// a login provider that refuses cc-ci as its administrator, or has an unexpected realm
    ProviderRefused = "provider-refused", Dependency;
    /// a login provider whose response does not match its API
    ProviderUnexpected = "provider-unexpected", Dependency;
    /// a test that is green whatever the app does
    Hollow = "hollow", Test;
    /// a test that is green in some rounds and red in others
    ComesAndGoes = "comes-and-goes", Test;
    /// a wrong argument, setting or list of the operator
    Usage = "usage", Infrastructure;
    /// a bug in cc-ci itself
    Bug = "bug", Infrastructure;
    /// objects that teardown could not remove
    LeftBehind = "left-behind", Infrastructure;
    /// a run in which nothing of what was requested ran, so that green would mean nothing
    NothingTested = "nothing-tested", Test;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_survive_a_round_trip() {
        let mut seen = std::collections::HashSet::new();
        for kind in Kind::ALL {
            assert!(seen.insert(kind.code()), "{} twice", kind.code());
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.code()));
            assert_eq!(serde_json::from_str::<Kind>(&json).unwrap(), *kind);
            assert!(!kind.meaning().is_empty());
        }
    }
}
