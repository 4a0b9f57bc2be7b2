//! Messages of the engine about a registry that does not deliver an image.
//!
//! Most were seen with a server that answers an engine 20.10.24 with each status, with and without the body of the
//! registry protocol. With an invalid body the engine complains about the body, and the status is next to it.

use super::network::{FULL, rows};
use super::{Basis, KnownMessage};
use crate::failure::Kind;

const SEEN: &str = "engine 20.10.24 against a server that answers so";
const MOBY: &str = "moby, distribution";

const LOGIN: &str = "the image's name in the compose file; for a private image give this machine a login \
                     (`docker login REGISTRY`) and put the recipe on the list CCCI_REGISTRY_RECIPES, or have the image here \
                     before the run";

static ROWS: &[KnownMessage] = &[
    FULL,
    KnownMessage::new(
        &["invalid reference format", "must be lowercase", "invalid repository name", "is not a valid repository/tag"],
        Kind::InvalidCompose,
        "that is no name of an image",
        "the image in the compose file, and the variables in it",
    )
    .from(MOBY, Basis::Seen),
    KnownMessage::new(
        &[
            "no matching manifest for",
            "does not provide the specified platform",
            "does not match the specified platform",
            "no match for platform",
            "cannot be used on this platform",
            "operating system cannot be used",
        ],
        Kind::PlatformMissing,
        "the registry has no build of it for this machine's processor",
        "the platforms that the image is published for (`docker manifest inspect IMAGE`); another image or tag",
    )
    .from("engine 20.10.24; moby, containerd", Basis::Seen),
    KnownMessage::new(
        &["toomanyrequests", "too many requests", "rate limit", "http 429", "status: 429", "status code 429"],
        Kind::RegistryLimit,
        "the registry's rate limit is exceeded (429)",
        "a login raises the limit (`docker login`, and the recipe on the list CCCI_REGISTRY_RECIPES), and so does a mirror; \
         the same run works later",
    )
    .from(SEEN, Basis::Seen),
    KnownMessage::new(
        &[
            "unauthorized",
            "no basic auth credentials",
            "authentication required",
            "pull access denied",
            "requested access to the resource is denied",
            "denied:",
            "http 401",
            "401 unauthorized",
            "http 403",
            "403 forbidden",
            "forbidden",
            "incorrect username or password",
            "insufficient_scope",
            "authorization failed",
            "incorrect credentials",
        ],
        Kind::RegistryRefused,
        "the registry refuses it to this machine: it is private, or does not exist (the response is the same)",
        LOGIN,
    )
    .from(SEEN, Basis::Seen),
    KnownMessage::new(
        &[
            "manifest unknown",
            "name unknown",
            "manifest for … not found",
            "repository … not found",
            "http 404",
            "404 not found",
            "no such image",
            "manifest does not exist",
            "failed to resolve reference … not found",
            "image … not found",
        ],
        Kind::ImageMissing,
        "the image does not exist",
        "the image's name and tag in the compose file, and whether its registry still has it",
    )
    .from(SEEN, Basis::Seen),
    KnownMessage::new(
        &[
            "unexpected http status: 5",
            "unexpected status code",
            "http 5",
            "500 internal",
            "502 bad",
            "503 service",
            "504 gateway",
            "service unavailable",
            "error unmarshalling content",
            "invalid character",
        ],
        Kind::RegistryUnreachable,
        "the registry is down or overloaded, or something else answers in its place",
        "the registry's own status page, and a proxy between it and this machine; then run again",
    )
    .from(SEEN, Basis::Seen)
    .passing(),
    KnownMessage::new(
        &[
            "verification failed for digest",
            "layers from manifest don't match",
            "failed to register layer",
            "error pulling image configuration",
            "filesystem layer verification",
            "unsupported manifest format",
            "unsupported media type",
            "download failed after attempts",
        ],
        Kind::RegistryUnreachable,
        "the downloaded image is damaged or in an unsupported format, or cannot be unpacked here",
        "pull it by hand (`docker pull`); a proxy or mirror between, the engine's log",
    )
    .from(MOBY, Basis::Read)
    .passing(),
];

static NETWORK: [KnownMessage; 5] = rows(Kind::RegistryUnreachable);

pub(super) static TABLES: &[&[KnownMessage]] = &[ROWS, &NETWORK];
