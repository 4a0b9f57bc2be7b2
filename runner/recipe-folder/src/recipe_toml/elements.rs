//! The tables of `recipe.toml`. A value that could not be meant is refused where it is read, so that
//! the error can show its line.

use std::num::{NonZeroU16, NonZeroU32};

use base::names::{NameError, RecipeName};
use harness::sso::ProviderName;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::health::{HealthHost, InARow, InService, TlsPort};

/// The request that only a healthy app answers, and what else has to be so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// The path, from the root.
    pub path: UrlPath,
    /// The status codes that count; at least one.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1))]
    pub status: Vec<Status>,
    /// A text that the body must have: something that only this app says.
    pub body: Option<String>,
    /// Whether that request is made at all: an app may speak no HTTP.
    pub http: bool,
    /// How many right answers in a row are wanted, a second apart: of the request, and of everything below.
    pub in_a_row: InARow,
    /// Ports of the app's address that take connections: those that it publishes on the host, or through traefik.
    pub tcp: Vec<NonZeroU16>,
    /// Ports that shake hands by TLS, with a certificate for the app's domain.
    pub tls: Vec<TlsPort>,
    /// Commands that end with exit code 0 in a container of a service.
    pub commands: Vec<InService>,
    /// Further names of the app that answer by HTTPS.
    pub hosts: Vec<HealthHost>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            path: UrlPath::root(),
            status: usual_status(),
            body: None,
            http: true,
            in_a_row: InARow::default(),
            tcp: Vec::new(),
            tls: Vec::new(),
            commands: Vec::new(),
            hosts: Vec::new(),
        }
    }
}

/// What a first page usually has.
pub(super) fn usual_status() -> Vec<Status> {
    vec![Status(200), Status(301), Status(302)]
}

pub(super) fn at_least_one<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Status>, D::Error> {
    let codes = Vec::deserialize(input)?;
    if codes.is_empty() { Err(D::Error::custom("no status would count: name at least one")) } else { Ok(codes) }
}

/// A path on the app's own address; starts with a slash.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct UrlPath(#[schemars(regex(pattern = "^/"))] String);

impl UrlPath {
    /// The path of the first page.
    pub(super) fn root() -> Self {
        Self("/".to_owned())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UrlPath {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') && !text.contains(char::is_whitespace) {
            return Ok(Self(text));
        }
        Err(format!("the path {text:?} has to start with / and have no blank"))
    }
}

/// An HTTP status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u16")]
pub struct Status(#[schemars(range(min = 100, max = 599))] u16);

impl Status {
    /// As a number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Status {
    type Error = String;
    fn try_from(code: u16) -> Result<Self, String> {
        if (100..=599).contains(&code) { Ok(Self(code)) } else { Err(format!("{code} is no HTTP status (100 to 599)")) }
    }
}

/// A length of time in whole seconds, at most a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "u64")]
pub struct Seconds(#[schemars(range(min = 1, max = 86400))] u64);

impl Seconds {
    /// How long an app may take to recover, unless the folder says otherwise.
    pub(super) const WITHIN: Self = Self(60);
    /// How long a database is away, unless the folder says otherwise.
    pub(super) const AWAY: Self = Self(15);

    /// As a number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Seconds {
    type Error = String;
    fn try_from(seconds: u64) -> Result<Self, String> {
        if (1..=86_400).contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err(format!("{seconds} s is no time for a stage (1 to 86400)"))
    }
}

/// Why something does not run: it stands in every report, so it cannot be empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Reason(#[schemars(length(min = 10))] String);

impl Reason {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().chars().count() >= 10 {
            return Ok(Self(text.trim().to_owned()));
        }
        Err(format!("{text:?} is no reason: say in a sentence why it cannot run"))
    }
}

/// Seconds that each stage may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Checkout, abra's rules and images.
    pub prepare: Seconds,
    /// The apps that the recipe needs, until all of them answer.
    pub dependencies: Seconds,
    /// The base release until it answers.
    pub install: Seconds,
    /// The upgrade until it has settled.
    pub upgrade: Seconds,
    /// Seed, back up, wipe, restore.
    pub backup: Seconds,
    /// The tests of what the app is for, also those in a browser.
    pub functional: Seconds,
    /// The checks against impostors, where they are asked for.
    pub prove: Seconds,
    /// The head on empty volumes until it answers.
    pub fresh: Seconds,
    /// All faults that the folder switches on, each with the recovery from it.
    pub faults: Seconds,
    /// All variants, each installed and upgraded.
    pub variants: Seconds,
    /// Until nothing is left.
    pub teardown: Seconds,
}

impl Default for Timeouts {
    fn default() -> Self {
        let long = Seconds(300);
        Self {
            prepare: Seconds(900),
            dependencies: Seconds(600),
            install: long,
            upgrade: long,
            backup: long,
            functional: long,
            prove: long,
            fresh: long,
            faults: Seconds(900),
            variants: Seconds(600),
            teardown: Seconds(120),
        }
    }
}

/// The provider of logins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sso {
    /// Which one.
    pub provider: Provider,
    /// Whether it may be one that earlier runs have kept warm. The realm is always this run's own.
    #[serde(default)]
    pub share: bool,
    /// Paths of the app that the provider may send a person back to.
    #[serde(default)]
    pub redirects: Vec<UrlPath>,
}

/// The providers that cc-ci can wire an app to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Keycloak.
    Keycloak,
    /// authentik.
    Authentik,
}

impl Provider {
    /// The recipe that it is deployed from.
    ///
    /// # Errors
    /// Never: its names are names of recipes.
    pub fn recipe(self) -> Result<RecipeName, NameError> {
        ProviderName::from(self).as_str().parse()
    }
}

impl From<Provider> for ProviderName {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Keycloak => Self::Keycloak,
            Provider::Authentik => Self::Authentik,
        }
    }
}

/// What the app holds while it lives, without its dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weight {
    /// Memory at its peak, in MiB.
    pub memory_mib: NonZeroU32,
}

impl Default for Weight {
    fn default() -> Self {
        Self { memory_mib: NonZeroU32::MIN.saturating_add(511) }
    }
}

/// The upgrade's start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Upgrade {
    /// The release that it starts from, when the newest before the change is not the right one.
    pub from: Option<String>,
    /// Whether an upgrade from the release before that one is tried as well.
    pub two_back: bool,
}

/// The way back to the release before. Nothing can be said of it yet but that it is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rollback {}

/// How to make a secret's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MadeSecret {
    /// Letters and digits of it.
    #[schemars(range(min = 1, max = 4096))]
    pub length: SecretLength,
}

/// How many characters a made secret has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "usize")]
pub struct SecretLength(usize);

impl SecretLength {
    /// As a number.
    pub fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<usize> for SecretLength {
    type Error = String;
    fn try_from(length: usize) -> Result<Self, String> {
        if (1..=4096).contains(&length) {
            return Ok(Self(length));
        }
        Err(format!("a secret of {length} characters cannot be made (1 to 4096)"))
    }
}
