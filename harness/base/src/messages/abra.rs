//! Messages of abra, and of the docker client in it. abra exits with 1 for every error, so only its messages
//! distinguish them.

use super::network::rows;
use super::{Basis, KnownMessage, engine};
use crate::failure::Kind;

const ABRA: &str = "abra, by public notes of its users";
const CLIENT: &str = "docker's command line, cli/compose";

static ROWS: &[KnownMessage] = &[
    KnownMessage::new(
        &["secret not generated:"],
        Kind::SecretMissing,
        "a secret is used by the compose file and nothing generates it",
        "add SECRET_…_VERSION=v1 to .env.sample",
    )
    .from(ABRA, Basis::Seen),
    KnownMessage::new(
        &["secret not inserted (#generate=false):"],
        Kind::SecretNotGiven,
        "a secret is marked generate=false and was not inserted",
        "define in recipe.toml how to generate it: [secrets.…] length = 32",
    )
    .from(ABRA, Basis::Seen),
    KnownMessage::new(
        &["only updates to labels are allowed"],
        Kind::ConfigChanged,
        "a config changed under a version that is already deployed",
        "raise its *_VERSION export in abra.sh; swarm configs cannot change in place",
    )
    .from("moby/swarmkit, controlapi", Basis::Seen),
    KnownMessage::new(
        &[
            "cannot connect to the docker daemon",
            "error during connect",
            "connect to the docker daemon socket",
            "docker daemon running",
        ],
        Kind::EngineUnreachable,
        "the docker engine does not answer abra",
        "start the engine, or set DOCKER_HOST; `cc-ci doctor` has the details",
    )
    .from("docker's client", Basis::Seen),
    KnownMessage::new(
        &[
            "not a swarm manager",
            "network \"proxy\" is declared as external",
            "network proxy not found",
            "could not find network proxy",
        ],
        Kind::WorldIncomplete,
        "the world is not complete",
        "run `cc-ci up`; `cc-ci doctor` has the details",
    )
    .from(CLIENT, Basis::Read),
    KnownMessage::new(
        &[
            "yaml: ",
            "additional property",
            "unsupported compose file version",
            "version mismatched between",
            "undefined secret",
            "undefined config",
            "undefined network",
            "undefined volume",
            "invalid interpolation format",
            "must be a mapping",
            "must be a list",
            "must be a string",
            "must be a number",
            "must be a integer",
            "must be an integer",
            "must be a boolean",
            "must be one of",
            "must be unique",
            "does not match format",
            "contains unsupported option",
            "invalid compose",
            "is declared as external",
            "declared as external, but",
            "external secret not found",
            "external config not found",
            "secret not found:",
            "config not found:",
            "rpc error: code = invalidargument",
            "invalid restartcondition",
            "update failure action",
            "rollback failure action",
            "unknown mode:",
            "invalid memory value",
            "invalid cpu value",
            "no services selected",
            "image reference must be provided",
            "unsupported mount type",
            "invalid mount",
            "invalid containerport",
            "invalid spec",
            "no such environment variable",
            "conflicting environment",
            "duplicate config target",
            "duplicate secret target",
            "duplicate mount point",
        ],
        Kind::InvalidCompose,
        "the compose file is not valid",
        "the compose files named in COMPOSE_FILE",
    )
    .from(CLIENT, Basis::Read),
    KnownMessage::new(
        &["service mode change is not allowed"],
        Kind::DidNotMove,
        "swarm changes no running service from replicated to global, or back",
        "deploy.mode as in the release before, or a release note: operators have to remove the service first",
    )
    .from("engine 20.10.24; swarmkit, manager/controlapi/service.go", Basis::Seen),
    KnownMessage::new(
        &["does not support extension: objectformat"],
        Kind::AbraUnusable,
        "this abra cannot read a repository with SHA-256 commit ids",
        "a repository with SHA-1 commit ids; `cc-ci doctor --probe-abra` shows whether another abra reads it",
    )
    .from("go-git, within abra, by reports of its users", Basis::Seen),
    KnownMessage::new(
        &["unable to validate recipe", "couldn't parse", "could not parse", "unable to read recipe", "missing env"],
        Kind::InvalidRecipe,
        "abra cannot read the recipe",
        "abra.sh, .env.sample and compose.yml of the recipe",
    )
    .from(ABRA, Basis::Assumed),
    KnownMessage::new(
        &[
            "unknown flag",
            "unknown shorthand flag",
            "unknown command",
            "flag provided but not defined",
            "incorrect usage",
            "no help topic",
            "not a tty",
            "cannot attach stdin to a tty-enabled container",
            "inappropriate ioctl for device",
            "no server",
            "server doesn't exist",
            "does not exist on … server",
        ],
        Kind::AbraUnusable,
        "this abra lacks a command that cc-ci uses",
        "`cc-ci doctor`, which compares cc-ci's commands with this abra's help; the versions in docs/operate.md",
    )
    .from(ABRA, Basis::Assumed),
    KnownMessage::new(
        &["unable to clone", "authentication required", "repository not found", "recipes.json"],
        Kind::SourceUnreachable,
        "abra cannot read its catalogue or the recipe's origin",
        "the network of this machine towards git.coopcloud.tech",
    )
    .from("go-git, within abra", Basis::Assumed)
    .passing(),
];

static NETWORK: [KnownMessage; 5] = rows(Kind::SourceUnreachable);

pub(super) static TABLES: &[&[KnownMessage]] = &[ROWS, engine::DEPLOY[0], engine::DEPLOY[1], &NETWORK];
