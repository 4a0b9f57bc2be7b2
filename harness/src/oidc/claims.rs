use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::error::printable;
use super::jwt::TokenRefused;

/// How far two machines' clocks may be apart, if nothing else is said.
const LEEWAY: Duration = Duration::from_secs(5);

/// What a token must say of itself, beside the provider's name and the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    whom: Whom,
    nonce: Option<String>,
    leeway: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    /// An ID token of this client.
    Client(String),
    /// An access token for this audience.
    Audience(String),
    /// An access token that this client was given, for whatever audience.
    Party(String),
}

impl Expect {
    /// The ID token of a client.
    pub fn id_token(client: impl Into<String>) -> Self {
        Self::of(Whom::Client(client.into()))
    }

    /// An access token that is meant for this audience.
    pub fn access_for(audience: impl Into<String>) -> Self {
        Self::of(Whom::Audience(audience.into()))
    }

    /// An access token that this client was given (`azp`), for whatever audience.
    pub fn access_of(client: impl Into<String>) -> Self {
        Self::of(Whom::Party(client.into()))
    }

    fn of(whom: Whom) -> Self {
        Self { whom, nonce: None, leeway: LEEWAY }
    }

    /// It must belong to the login of this nonce.
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// The clocks may be this far apart, in place of 5 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }
}

/// What a token says that was believed. Its `Debug` shows the names of the claims and whose it is.
#[derive(Clone, PartialEq)]
pub struct Claims {
    all: Map<String, Value>,
    subject: String,
    expires: Timestamp,
}

impl Claims {
    /// Whose token it is: the provider's own name for a person, which never changes.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// When it expires.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// A claim.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.all.keys().map(String::as_str).collect();
        f.debug_struct("Claims").field("subject", &self.subject).field("names", &names).finish()
    }
}

/// Believes the claims of a token whose signature is right, or says what is wrong.
pub(super) fn judge(
    all: Map<String, Value>,
    issuer: &str,
    expect: &Expect,
    now: Timestamp,
) -> Result<Claims, TokenRefused> {
    let text = |name: &'static str| all.get(name).and_then(Value::as_str).ok_or(TokenRefused::Claim(name));
    let told = text("iss")?;
    if told != issuer {
        return Err(TokenRefused::Issuer { wanted: issuer.to_owned(), told: printable(told) });
    }
    meant_for(&all, &expect.whom)?;
    let expires = in_time(&all, expect.leeway, now)?;
    if expect.nonce.as_deref().is_some_and(|nonce| text("nonce") != Ok(nonce)) {
        return Err(TokenRefused::Nonce);
    }
    let subject = text("sub")?.to_owned();
    Ok(Claims { all, subject, expires })
}

fn meant_for(all: &Map<String, Value>, whom: &Whom) -> Result<(), TokenRefused> {
    let audience = match all.get("aud") {
        None => Vec::new(),
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => {
            let texts: Option<Vec<&str>> = several.iter().map(Value::as_str).collect();
            texts.ok_or(TokenRefused::Claim("aud"))?
        }
        Some(_) => return Err(TokenRefused::Claim("aud")),
    };
    let party = match all.get("azp") {
        None => None,
        Some(party) => Some(party.as_str().ok_or(TokenRefused::Claim("azp"))?),
    };
    let is_for = |wanted: &String| match audience.contains(&wanted.as_str()) {
        true => Ok(()),
        false => {
            let told = audience.iter().take(10).map(|one| printable(one)).collect();
            Err(TokenRefused::Audience { wanted: wanted.clone(), told })
        }
    };
    let given_to = |wanted: &String| match party {
        Some(party) if party == wanted => Ok(()),
        _ => Err(TokenRefused::Party { wanted: wanted.clone(), told: party.map(printable) }),
    };
    match whom {
        Whom::Audience(audience) => is_for(audience),
        Whom::Party(client) => given_to(client),
        Whom::Client(client) => {
            is_for(client)?;
            // OpenID Connect Core, 3.1.3.7: who shares a token with others must be the one it was given to.
            if audience.len() > 1 || party.is_some() { given_to(client) } else { Ok(()) }
        }
    }
}

/// Gives the end of its time.
fn in_time(all: &Map<String, Value>, leeway: Duration, now: Timestamp) -> Result<Timestamp, TokenRefused> {
    let leeway = i64::try_from(leeway.as_secs()).unwrap_or(i64::MAX);
    let (earliest, latest) = (now.as_second().saturating_sub(leeway), now.as_second().saturating_add(leeway));
    let expires = time(all, "exp")?.ok_or(TokenRefused::Claim("exp"))?;
    let made = time(all, "iat")?.ok_or(TokenRefused::Claim("iat"))?;
    if expires.as_second() <= earliest {
        return Err(TokenRefused::Expired { at: expires, now });
    }
    if let Some(from) = time(all, "nbf")?.filter(|from| from.as_second() > latest) {
        return Err(TokenRefused::NotYetValid { from, now });
    }
    if made.as_second() > latest {
        return Err(TokenRefused::FromTheFuture { at: made, now });
    }
    Ok(expires)
}

/// A time in seconds since 1970, which may have a fraction; none where there is no such claim.
fn time(all: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, TokenRefused> {
    let Some(value) = all.get(name) else { return Ok(None) };
    // A number too large for the type is at its end, which no calendar has.
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64));
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(Some).ok_or(TokenRefused::Claim(name))
}
