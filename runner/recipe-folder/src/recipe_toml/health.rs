//! What has to be so beside the answer to the health request: ports, commands, further names.

use std::num::{NonZeroU16, NonZeroU32};

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::elements::{Health, Status, UrlPath, at_least_one, usual_status};

/// A port of the app's address that speaks TLS and no HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsPort {
    /// The port.
    pub port: NonZeroU16,
    /// The name that its certificate is for, where it is not the app's domain.
    #[serde(default)]
    pub host: Option<OwnHost>,
    /// Whether it signs its certificate itself: then the handshake counts, whoever it is.
    #[serde(default)]
    pub self_signed: bool,
}

/// A command that ends with exit code 0 in a container of a service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InService {
    /// The service.
    pub service: String,
    /// The program and its arguments; no shell.
    #[serde(deserialize_with = "a_program")]
    #[schemars(length(min = 1))]
    pub run: Vec<String>,
}

fn a_program<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    let words: Vec<String> = Vec::deserialize(input)?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err(D::Error::custom("no command: name a program")),
    }
}

/// A further name of the app that answers by HTTPS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthHost {
    /// The name.
    pub host: OwnHost,
    /// The path, from the root.
    #[serde(default = "UrlPath::root")]
    pub path: UrlPath,
    /// The status codes that count; at least one.
    #[serde(default = "usual_status", deserialize_with = "at_least_one")]
    #[schemars(length(min = 1))]
    pub status: Vec<Status>,
    /// A text that the body must have.
    #[serde(default)]
    pub body: Option<String>,
}

/// A name that belongs to the app, with `{domain}` where the app's own domain stands: `files.{domain}`, or
/// `files-{domain}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct OwnHost(#[schemars(regex(pattern = r"^[a-z0-9][a-z0-9.-]*[.-]\{domain\}$"))] String);

/// Where the app's domain stands in a name.
const DOMAIN: &str = "{domain}";

impl OwnHost {
    /// The name, for an app of this domain.
    pub fn of(&self, domain: &str) -> String {
        self.0.replace(DOMAIN, domain)
    }
}

impl TryFrom<String> for OwnHost {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
        let before = text.strip_suffix(DOMAIN);
        if before
            .is_some_and(|name| name.bytes().all(fine) && name.ends_with(['.', '-']) && !name.starts_with(['.', '-']))
        {
            return Ok(Self(text));
        }
        Err(format!(
            "the host {text:?} is none of the app: write a name before its domain, such as \"files.{DOMAIN}\" or \
             \"files-{DOMAIN}\""
        ))
    }
}

/// How many right answers in a row make an app ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u32")]
pub struct InARow(#[schemars(range(min = 1, max = 30))] NonZeroU32);

impl InARow {
    /// As a number.
    pub fn get(self) -> NonZeroU32 {
        self.0
    }
}

impl Default for InARow {
    fn default() -> Self {
        Self(NonZeroU32::MIN)
    }
}

impl TryFrom<u32> for InARow {
    type Error = String;
    fn try_from(times: u32) -> Result<Self, String> {
        match NonZeroU32::new(times) {
            Some(times) if times.get() <= 30 => Ok(Self(times)),
            _ => Err(format!("{times} right answers in a row cannot be waited for (1 to 30)")),
        }
    }
}

/// Reads `[health]`: something has to show that the app is well.
pub(super) fn health<'de, D: Deserializer<'de>>(input: D) -> Result<Health, D::Error> {
    let health = Health::deserialize(input)?;
    if !health.http && health.others().is_empty() {
        return Err(D::Error::custom(
            "with http = false nothing shows that the app is well: add tcp, tls, commands or hosts",
        ));
    }
    Ok(health)
}

impl Health {
    /// What it asks for beside the answer to its own request, each in words.
    pub fn others(&self) -> Vec<String> {
        let tcp = self.tcp.iter().map(|port| format!("port {port} takes connections"));
        let tls = self.tls.iter().map(|tls| format!("port {} shakes hands by TLS", tls.port));
        let commands =
            self.commands.iter().map(|one| format!("`{}` ends with 0 in service {}", one.run.join(" "), one.service));
        let hosts = self.hosts.iter().map(|one| format!("https://{}{} answers", one.host.0, one.path.as_str()));
        tcp.chain(tls).chain(commands).chain(hosts).collect()
    }

    /// What is waited for after a deploy, in words.
    pub fn awaited(&self) -> String {
        let http = self.http.then(|| "the app answers".to_owned());
        let all: Vec<String> = http.into_iter().chain(self.others()).collect();
        let steady = match self.in_a_row.get().get() {
            1 => String::new(),
            times => format!(", {times} times in a row"),
        };
        format!("{}{steady}", all.join(", "))
    }
}
