//! What git's words mean: one table, of whoever could not do its part. Pure.
//!
//! The words are those of git 2.39 and of the libcurl that it asks with, seen by letting servers answer, refuse, hang up
//! and stay silent; git runs with `LC_ALL=C`. For words that no row knows, see [`unreadable`].

use harness::failure::{Failure, Kind};

use super::without_credentials;

/// One row: any of these words, what they mean, and what to do.
struct Row {
    words: &'static [&'static str],
    kind: Kind,
    means: &'static str,
    look_at: &'static str,
}

/// The rows in order: the first one that knows a word decides.
const ROWS: &[Row] = &[
    Row {
        words: &["No space left on device", "Out of diskspace", "Disk quota exceeded"],
        kind: Kind::DiskFull,
        means: "cannot be checked out, the disk is full",
        look_at: "free space on the disk of cc-ci's state folder",
    },
    Row {
        words: &["git cannot be started"],
        kind: Kind::GitUnusable,
        means: "cannot be read",
        look_at: "install git, and whether it is on PATH",
    },
    Row {
        words: &["returned error: 429"],
        kind: Kind::SourceUnreachable,
        means: "says not now, it was asked too often (429)",
        look_at: "the limits of that server; the same run works later",
    },
    Row {
        words: &["returned error: 5"],
        kind: Kind::SourceUnreachable,
        means: "cannot be reached, its server is down or overloaded",
        look_at: "that server; the same run works when it is back",
    },
    Row {
        words: &["Operation too slow", SILENT],
        kind: Kind::SourceUnreachable,
        means: "stays silent",
        look_at: "that server, and what stands between it and this machine",
    },
    Row {
        words: &[
            "early EOF",
            "unpack-objects failed",
            "invalid index-pack output",
            "index-pack failed",
            "unexpected disconnect",
            "hung up unexpectedly",
            "outstanding read data remaining",
            "RPC failed",
            "Connection reset",
            "Empty reply from server",
            "transfer closed",
        ],
        kind: Kind::SourceUnreachable,
        means: "was cut off in the middle of its answer",
        look_at: "the network between this machine and that server; the same run may work again",
    },
    Row {
        words: &["Could not resolve host", "Could not resolve hostname", "Temporary failure in name resolution"],
        kind: Kind::SourceUnreachable,
        means: "cannot be reached, its name has no address here",
        look_at: "the address, and the DNS of this machine",
    },
    Row {
        words: &[
            "SSL certificate problem",
            "server certificate verification failed",
            "SSL: no alternative certificate",
        ],
        kind: Kind::SourceUnreachable,
        means: "cannot be believed, its certificate is not one that this machine trusts",
        look_at: "that server's certificate, and the authorities of this machine",
    },
    Row {
        words: &[
            "Connection refused",
            "onnection timed out",
            "etwork is unreachable",
            "No route to host",
            "Failed to connect",
            "Couldn't connect",
            "Operation timed out",
        ],
        kind: Kind::SourceUnreachable,
        means: "cannot be reached",
        look_at: "the network of this machine, and the address",
    },
    Row {
        words: &["does not appear to be a git repository", "not a git repository", "does not exist"],
        kind: Kind::InvalidRecipe,
        means: "is no git repository, or one that git cannot read (its HEAD, for one)",
        look_at: "that folder or address: `git -C FOLDER log -1`",
    },
];

/// Those in which the other side answered, and does not let this one in.
const RIGHTS: &[Row] = &[
    Row {
        words: &["dubious ownership"],
        kind: Kind::SourceUnreachable,
        means: "belongs to another user of this machine, and git refuses to read it",
        look_at: "`git config --global --add safe.directory FOLDER` as the user of cc-ci, or the folder's owner (chown)",
    },
    Row {
        words: &["Permission denied (publickey", "Host key verification failed"],
        kind: Kind::SourceUnreachable,
        means: "asks for a login",
        look_at: "the SSH key of cc-ci's user and its known hosts, and the rights of that key there",
    },
    Row {
        words: &[
            "could not read Username",
            "could not read Password",
            "Authentication failed",
            "terminal prompts disabled",
            "returned error: 401",
        ],
        kind: Kind::SourceUnreachable,
        means: "asks for a login",
        look_at: "the address: forges also ask where no such repository is; for a private one, git's credential helper",
    },
    Row {
        words: &["returned error: 403"],
        kind: Kind::SourceUnreachable,
        means: "refuses access (403)",
        look_at: "the rights of cc-ci's login there, and whether the server lets this machine's address in",
    },
];

/// What [`super::git`] says of one that was ended for its silence.
pub(crate) const SILENT: &str = "no answer in";

/// The failure that git's words stand for. Words that no row knows are about what was asked for.
pub(crate) fn unreadable(what: &str, why: &str) -> Failure {
    let shown = without_credentials(what);
    match row(why) {
        Some(row) => Failure::new(row.kind, format!("{shown} {}: {why}", row.means), row.look_at),
        None => Failure::new(
            Kind::InvalidRecipe,
            format!("{shown} cannot be tested: {why}"),
            "the address and the revision that were asked for",
        ),
    }
}

/// Whether git's words say that the repository was not asked at all, or did not answer: nothing follows from them.
pub(crate) fn is_unreachable(why: &str) -> bool {
    find(ROWS, why).is_some_and(|row| row.kind != Kind::InvalidRecipe)
}

/// The same, or that it does not let this machine in: nothing is known of what it has.
pub(super) fn says_nothing(why: &str) -> bool {
    is_unreachable(why) || find(RIGHTS, why).is_some()
}

fn row(why: &str) -> Option<&'static Row> {
    find(RIGHTS, why).or_else(|| find(ROWS, why))
}

fn find(rows: &'static [Row], why: &str) -> Option<&'static Row> {
    rows.iter().find(|row| row.words.iter().any(|words| why.contains(words)))
}

/// The lines of git's standard error that say why, as one: the last ones alone often only say that it failed.
pub(crate) fn reason(stderr: &str) -> String {
    let says = |line: &&str| ["fatal:", "error:", "remote:", "ssh:"].iter().any(|word| line.starts_with(word));
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let telling: Vec<&str> = lines.iter().copied().filter(says).collect();
    match (telling.is_empty(), lines.last()) {
        (false, _) => telling[telling.len().saturating_sub(3)..].join("; "),
        (true, Some(last)) => (*last).to_owned(),
        (true, None) => NOTHING.to_owned(),
    }
}

/// The reason of a git that failed and did not say why: with `--quiet`, for what is not there.
pub(crate) const NOTHING: &str = "git said nothing";
