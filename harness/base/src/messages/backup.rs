//! Messages of the backup bot, and of restic in it. abra prints them among its own lines.
//!
//! The hooks' output is included, so a failed hook takes precedence over messages in it about servers and disks.

use super::network::{FULL, rows};
use super::{Basis, KnownMessage};
use crate::failure::Kind;

const RESTIC: &str = "restic, cmd/restic and internal/repository";
const OWN: &str = "cc-ci's own bot";
const BOT: &str = "backup-bot-two, as remembered";

const REPOSITORY: &str =
    "the bot's repository, from within its container: `restic snapshots`, `restic unlock`, `restic check`";

static ROWS: &[KnownMessage] = &[
    FULL,
    KnownMessage::new(
        &["-hook of … ended with exit code"],
        Kind::BackupFailed,
        "a hook of the recipe failed",
        "the hook in the backupbot labels, and what it printed; its command runs in the service's container",
    )
    .from(OWN, Basis::Seen),
    KnownMessage::new(
        &["failed to run command"],
        Kind::BackupFailed,
        "a hook of the recipe failed, and the bot continued",
        "the hook in the backupbot labels, and what it printed; its command runs in the service's container",
    )
    .from(BOT, Basis::Assumed),
    KnownMessage::new(
        &["the service has no running container", "is not running", "409 client error", "leads out of its volume"],
        Kind::BackupFailed,
        "the bot cannot work in the app: a service of it does not run, or a path leads out of its volume",
        "whether the services with backupbot labels stay up during the backup",
    )
    .from(OWN, Basis::Seen),
    KnownMessage::new(
        &[
            "all source directories/files do not exist",
            "all target directories/files do not exist",
            "nothing to backup",
            "nothing to back up",
            "has no snapshot",
            "no snapshot found",
            "no matching id found",
            "is no snapshot of",
        ],
        Kind::BackupEmpty,
        "there is nothing that was backed up",
        "the backupbot labels: do their paths exist below the volume's root, did the pre-hook write its dump",
    )
    .from(RESTIC, Basis::Read),
    KnownMessage::new(
        &["source file could not be read", "source data could not be read"],
        Kind::BackupFailed,
        "some files could not be read for the backup",
        "temporary files, and those that the bot may not read, in the paths of the labels",
    )
    .from(RESTIC, Basis::Read),
    KnownMessage::new(
        &["already locked", "unable to create lock", "locked exclusively"],
        Kind::BackupBotUnusable,
        "another backup has locked the bot's repository, or a killed one left its lock",
        "the process that uses it; `restic unlock` in the bot's container removes stale locks",
    )
    .from(RESTIC, Basis::Seen)
    .passing(),
    KnownMessage::new(
        &["wrong password", "no key found", "empty password", "resolving password failed", "repository_password"],
        Kind::BackupBotUnusable,
        "the bot has not the password of its repository",
        "the bot's password file (RESTIC_PASSWORD_FILE) and its secret; a repository keeps its original password",
    )
    .from(RESTIC, Basis::Seen),
    KnownMessage::new(
        &[
            "repository does not exist",
            "unable to open config file",
            "is there a repository at the following location",
            "specify repository location",
            "unable to open repository",
        ],
        Kind::BackupBotUnusable,
        "the bot's repository does not exist",
        "RESTIC_REPOSITORY of the bot, and what is mounted there",
    )
    .from(RESTIC, Basis::Seen),
    KnownMessage::new(
        &[
            "is damaged",
            "ciphertext verification failed",
            "invalid data returned",
            "errors loading index",
            "data corruption",
            "hash mismatch",
            "config file has zero size",
            "invalid repository",
            "not found in repository",
            "not found in index",
            "blob not found",
            "pack … does not exist",
            "repository contains errors",
            "the snapshot cannot be read",
        ],
        Kind::BackupBotUnusable,
        "the bot's repository is damaged",
        REPOSITORY,
    )
    .from(RESTIC, Basis::Read),
    KnownMessage::new(
        &[
            "accessdenied",
            "access denied",
            "invalidaccesskeyid",
            "signaturedoesnotmatch",
            "403 forbidden",
            "401 unauthorized",
            "unauthorized",
            "permission denied",
            "storage … full",
            "quotaexceeded",
            "insufficient storage",
            "circuit breaker open",
            "client.bucketexists",
            "host key verification failed",
            "subprocess ssh",
            "read-only file system",
        ],
        Kind::BackupBotUnusable,
        "the bot may not read or write its repository",
        "the login of the bot there, its rights and its quota",
    )
    .from("restic, internal/backend", Basis::Read),
    KnownMessage::new(
        &[
            "restic: not found",
            "command not found: restic",
            "no backupbot",
            "backupbot … not found",
            "no backup bot",
            "/usr/bin/backup",
            "unable to find … backup",
        ],
        Kind::BackupBotUnusable,
        "no backup bot works",
        "`cc-ci doctor`; `cc-ci up` deploys one, abra deploys backup-bot-two",
    )
    .from("abra, as remembered", Basis::Assumed),
    KnownMessage::new(
        &["restic … ended with exit code", "fatal: ", "traceback (most recent call last)", "resticfailederror"],
        Kind::BackupBotUnusable,
        "the bot or its restic failed",
        REPOSITORY,
    )
    .from(OWN, Basis::Seen),
];

static NETWORK: [KnownMessage; 5] = rows(Kind::BackupBotUnusable);

pub(super) static TABLES: &[&[KnownMessage]] = &[ROWS, &NETWORK];

/// Messages of the bot about a failed hook, after which it continues, and of failing dump programs. In a pipe without
/// pipefail, as in a hook's script, the exit code is lost and only these are left; such a program does not continue
/// after them.
const FAILED: &[&str] = &[
    "pg_dump: error",
    "pg_dump: [archiver",
    "pg_dumpall: error",
    "pg_basebackup: error",
    "mysqldump: got error",
    "mysqldump: couldn't execute",
    "mysqldump: error",
    "mariadb-dump: got error",
    "mariadb-dump: couldn't execute",
    "mariadb-dump: error",
    "mongodump: error",
    "failed: can't create session",
    "error: unable to open database",
    "could not connect to redis",
    "failed to run command",
];

/// The line about a failed hook in the output of a successful backup or restore.
pub fn failed_hook(output: &str) -> Option<&str> {
    output.lines().map(str::trim).find(|line| {
        let lower = line.to_lowercase();
        FAILED.iter().any(|words| lower.contains(words))
    })
}
