//! Messages of any program about an unreachable machine. They are those of Go's and curl's libraries and of the C
//! library, which engine, restic, git and traefik pass on.

use super::{Basis, KnownMessage};
use crate::failure::Kind;

/// The rows, with the kind for the program.
pub(super) const fn rows(kind: Kind) -> [KnownMessage; 5] {
    const FROM: &str = "Go net and net/http, libcurl, glibc";
    [
        KnownMessage::new(
            &["no such host", "could not resolve", "temporary failure in name resolution", "server misbehaving"],
            kind,
            "its name has no address here",
            "the address, and the DNS of this machine",
        )
        .from(FROM, Basis::Seen)
        .passing(),
        KnownMessage::new(
            &[
                "x509:",
                "tls: ",
                "ssl certificate problem",
                "certificate verification failed",
                "ssl: no alternative certificate",
                "gnutls_handshake() failed",
                "ssl_connect: ssl_error",
                "server gave http response to https client",
            ],
            kind,
            "it is not trusted: this machine does not trust its certificate, or it does not speak TLS",
            "that server's certificate, the authorities of this machine, and this machine's clock",
        )
        .from(FROM, Basis::Seen),
        KnownMessage::new(
            &[
                "i/o timeout",
                "timed out",
                "timeout awaiting",
                "client.timeout",
                "tls handshake timeout",
                "deadline exceeded",
                "operation too slow",
                "request canceled while waiting",
            ],
            kind,
            "it stays silent",
            "that server, and the network between it and this machine",
        )
        .from(FROM, Basis::Seen)
        .passing(),
        KnownMessage::new(
            &[
                "connection reset",
                "broken pipe",
                "unexpected eof",
                ": eof",
                "early eof",
                "empty reply from server",
                "transfer closed",
                "use of closed network connection",
                "http2: … goaway",
                "stream error",
            ],
            kind,
            "it was cut off in the middle of its answer",
            "the network between this machine and that server; the same run may work again",
        )
        .from(FROM, Basis::Seen)
        .passing(),
        KnownMessage::new(
            &[
                "connection refused",
                "network is unreachable",
                "no route to host",
                "host is down",
                "failed to connect",
                "couldn't connect",
                "dial tcp",
                "dial unix",
                "proxyconnect",
            ],
            kind,
            "it cannot be reached",
            "the network of this machine, and the address",
        )
        .from(FROM, Basis::Seen)
        .passing(),
    ]
}

/// A full disk, in any program's message.
pub(super) const FULL: KnownMessage = KnownMessage::new(
    &["no space left on device", "out of diskspace", "disk quota exceeded", "no inodes left"],
    Kind::DiskFull,
    "the disk is full",
    "free space on the disk of docker's data and on that of cc-ci's state (`docker system df`, `df -i`)",
)
.from("Linux ENOSPC and EDQUOT; git; swarm", Basis::Seen);
