//! The meaning of a forge's response status. The bodies are free text in the forge's language, so they are not parsed.

use super::network::rows;
use super::{Basis, KnownMessage};
use crate::failure::Kind;

const GITEA: &str = "Gitea and Forgejo, routers/api/v1";

static ROWS: &[KnownMessage] = &[
    KnownMessage::new(
        &["answered 401"],
        Kind::SourceUnreachable,
        "it does not know the token",
        "the bot's token: is it the one of this forge, and was it taken back?",
    )
    .from(GITEA, Basis::Seen),
    KnownMessage::new(
        &["answered 403"],
        Kind::SourceUnreachable,
        "it does not allow this",
        "the bot's token lacks a scope, or the bot a right in this repository",
    )
    .from(GITEA, Basis::Seen),
    KnownMessage::new(
        &["answered 404"],
        Kind::SourceUnreachable,
        "it has no such thing, or does not show it",
        "it does not exist, or the bot may not see it",
    )
    .from(GITEA, Basis::Seen),
    KnownMessage::new(
        &["answered 400", "answered 422"],
        Kind::SourceUnreachable,
        "it does not understand the request",
        "the forge does not understand it; is its release as old as it should be?",
    )
    .from(GITEA, Basis::Read),
    KnownMessage::new(
        &["answered 423"],
        Kind::SourceUnreachable,
        "it is locked",
        "the repository or the conversation is locked",
    )
    .from(GITEA, Basis::Read),
    KnownMessage::new(
        &["answered 408", "answered 429", "answered 5"],
        Kind::SourceUnreachable,
        "it is down, overloaded, or its rate limit is exceeded",
        "that forge; failed requests are retried later",
    )
    .from(GITEA, Basis::Seen)
    .passing(),
];

static NETWORK: [KnownMessage; 5] = rows(Kind::SourceUnreachable);

pub(super) static TABLES: &[&[KnownMessage]] = &[ROWS, &NETWORK];

/// The meaning of an error status; `None` if the forge's API does not have it.
pub fn status(status: u16) -> Option<&'static KnownMessage> {
    let text = format!("answered {status}");
    ROWS.iter().find(|row| row.is_in(&text))
}
