//! traefik's responses in place of an app, and errors when it does not respond. TLS ends in traefik, so a failed
//! connection says nothing about the app.

use super::{Basis, KnownMessage};
use crate::failure::Kind;

const TRAEFIK: &str = "traefik 3, here";

const UNREACHED: &str = "the port in the routing labels, whether the app listens on all addresses, and whether the service \
                         joins the proxy network";

static ROWS: &[KnownMessage] = &[
    KnownMessage::new(
        &["certificate"],
        Kind::NoAnswer,
        "traefik shows a certificate that is not trusted",
        "the certificate that traefik serves for this name, and the CA that is trusted",
    )
    .from(TRAEFIK, Basis::Seen),
    KnownMessage::new(
        &["connection refused", "dns error", "failed to lookup address", "no route to host", "network is unreachable"],
        Kind::ProxyUnreachable,
        "traefik itself cannot be reached",
        "whether traefik runs and its ports are open (`docker service ps` of it), the DNS of this machine; `cc-ci doctor`",
    )
    .from("reqwest, hyper", Basis::Seen),
    KnownMessage::new(
        &["answered 404"],
        Kind::NoAnswer,
        "the app, or traefik in its place, has nothing there",
        "the routing labels of the service: does traefik know this name at all?",
    )
    .from(TRAEFIK, Basis::Seen),
    KnownMessage::new(
        &["answered 502", "bad gateway"],
        Kind::NoAnswer,
        "traefik knows the app and cannot reach it",
        UNREACHED,
    )
    .from(TRAEFIK, Basis::Seen),
    KnownMessage::new(
        &["answered 503", "no available server", "service unavailable"],
        Kind::NoAnswer,
        "traefik has no server behind the route",
        UNREACHED,
    )
    .from(TRAEFIK, Basis::Seen),
    KnownMessage::new(
        &["answered 504", "gateway timeout"],
        Kind::NoAnswer,
        "traefik sent the request on and got no answer",
        UNREACHED,
    )
    .from(TRAEFIK, Basis::Seen),
];

pub(super) static TABLES: &[&[KnownMessage]] = &[ROWS];
