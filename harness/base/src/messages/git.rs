//! Messages of git about a repository on another machine or of another user.
//!
//! They are those of git 2.39 and its libcurl, seen with servers that answer, refuse, close the connection and stay
//! silent; git runs with `LC_ALL=C`.

use super::network::{FULL, rows};
use super::{Basis, KnownMessage};
use crate::failure::Kind;

const SEEN: &str = "git 2.39 against servers that answer so";
const GIT: &str = "git, http.c, remote-curl.c, setup.c";

/// The first part of cc-ci's message about a git that was killed after a timeout.
pub(super) const SILENT: &str = "no answer in";

/// Messages that the server answered and refuses access.
static RIGHTS: &[KnownMessage] = &[
    KnownMessage::new(
        &["dubious ownership"],
        Kind::SourceUnreachable,
        "it belongs to another user of this machine, and git refuses to read it",
        "`git config --global --add safe.directory FOLDER` as the user of cc-ci, or the folder's owner (chown)",
    )
    .from(GIT, Basis::Seen),
    KnownMessage::new(
        &["permission denied (publickey", "host key verification failed", "too many authentication failures"],
        Kind::SourceUnreachable,
        "it requires a login",
        "the SSH key of cc-ci's user and its known hosts, and the rights of that key there",
    )
    .from("OpenSSH", Basis::Seen),
    KnownMessage::new(
        &[
            "could not read username",
            "could not read password",
            "authentication failed",
            "terminal prompts disabled",
            "returned error: 401",
            "invalid username or password",
            "invalid username or token",
            "http basic: access denied",
            "returned error: 407",
        ],
        Kind::SourceUnreachable,
        "it requires a login",
        "the address: forges also require one for a missing repository; for a private one, git's credential helper",
    )
    .from(SEEN, Basis::Seen),
    KnownMessage::new(
        &[
            "returned error: 403",
            "returned error: 451",
            "repository is archived",
            "access denied",
            "permission to … denied",
        ],
        Kind::SourceUnreachable,
        "it refuses access (403)",
        "the permissions of cc-ci's login there, and whether the server admits this machine's address",
    )
    .from(SEEN, Basis::Seen),
];

static ROWS: &[KnownMessage] = &[
    FULL,
    KnownMessage::new(
        &["git cannot be started"],
        Kind::GitUnusable,
        "git is missing or cannot be started",
        "install git, and whether it is on PATH",
    )
    .from("cc-ci", Basis::Seen),
    KnownMessage::new(
        &["cannot allocate memory", "out of memory", "malloc failed", "cannot fork"],
        Kind::NodeOutOfMemory,
        "the machine has no memory left for git",
        "what else runs on this machine (`free -m`)",
    )
    .from(GIT, Basis::Read)
    .passing(),
    KnownMessage::new(
        &["returned error: 429", "too many requests", "rate limit"],
        Kind::SourceUnreachable,
        "its rate limit is exceeded (429)",
        "the limits of that server; the same run works later",
    )
    .from(SEEN, Basis::Seen),
    KnownMessage::new(
        &["returned error: 5", "internal server error", "service unavailable", "bad gateway", "gateway timeout"],
        Kind::SourceUnreachable,
        "its server is down or overloaded",
        "that server; the same run works when it is back",
    )
    .from(SEEN, Basis::Seen)
    .passing(),
    KnownMessage::new(
        &["returned error: 408", "operation too slow", SILENT],
        Kind::SourceUnreachable,
        "it stays silent",
        "that server, and the network between it and this machine",
    )
    .from(SEEN, Basis::Seen),
    KnownMessage::new(
        &[
            "early eof",
            "unpack-objects failed",
            "invalid index-pack output",
            "index-pack failed",
            "unexpected disconnect",
            "hung up unexpectedly",
            "outstanding read data remaining",
            "rpc failed",
            "connection reset",
            "empty reply from server",
            "transfer closed",
            "pack has bad object",
            "pack is corrupted",
            "bad band",
            "protocol error: bad line",
            "expected flush",
            "bad pack header",
            "premature end of pack file",
            "http/2 stream",
            "recv failure",
            "send failure",
            "gnutls recv error",
            "ssl_read",
            "openssl ssl_",
        ],
        Kind::SourceUnreachable,
        "it was cut off in the middle of its answer",
        "the network between this machine and that server; the same run may work again",
    )
    .from(SEEN, Basis::Seen)
    .passing(),
    KnownMessage::new(
        &[
            "permission denied",
            "read-only file system",
            "unable to write",
            "cannot mkdir",
            "could not create work tree dir",
            "could not create leading directories",
            "too many open files",
            "input/output error",
            "unable to create file",
            ".lock': file exists",
        ],
        Kind::StateUnusable,
        "git cannot write what it fetches, or read local files",
        "the rights and the disk of cc-ci's state folder, and those of a folder that was named",
    )
    .from(GIT, Basis::Read),
    KnownMessage::new(
        &[
            "unsupported protocol",
            "unable to find remote helper",
            "transport … not allowed",
            "url using bad/illegal format",
        ],
        Kind::InvalidRecipe,
        "git does not support this address",
        "the address: https://…, ssh://…, or a folder",
    )
    .from(GIT, Basis::Read),
    KnownMessage::new(
        &[
            "couldn't find remote ref",
            "remote branch … not found",
            "not our ref",
            "unknown revision",
            "needed a single revision",
            "bad object",
            "bad revision",
            "not a valid object name",
            "did not match any file",
            "pathspec",
            "ambiguous argument",
            "invalid reference",
        ],
        Kind::InvalidRecipe,
        "the repository has no such revision",
        "the requested address and revision",
    )
    .from(GIT, Basis::Seen),
    KnownMessage::new(
        &[
            "does not appear to be a git repository",
            "not a git repository",
            "repository not found",
            "repository '… not found",
            "does not exist",
            "returned error: 404",
            "returned error: 410",
            "cannot find repository",
            "not valid: is this a git repository",
        ],
        Kind::InvalidRecipe,
        "it is no git repository, or git cannot read it (for example its HEAD)",
        "that folder or address: `git -C FOLDER log -1`, `git ls-remote ADDRESS`",
    )
    .from(SEEN, Basis::Seen),
];

static NETWORK: [KnownMessage; 5] = rows(Kind::SourceUnreachable);

pub(super) static TABLES: &[&[KnownMessage]] = &[RIGHTS, ROWS, &NETWORK];

/// Whether the server refuses access.
pub fn is_refused(text: &str) -> bool {
    let lower = text.to_lowercase();
    RIGHTS.iter().any(|row| row.is_in(&lower))
}
