//! What authentik's worker makes by itself, some time after the server first answers.

use std::time::{Duration, Instant};

use base::names::RealmName;
use serde_json::Value;

use super::{Authentik, SsoError};

/// There is no event that tells when a blueprint was applied, so it is asked for after these pauses.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The certificate that every authentik has, and that its own interface offers first.
const CERTIFICATE: &str = "authentik Self-signed Certificate";

/// The keys of the parts that a provider is made of.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) authorization: Value,
    pub(super) invalidation: Value,
    pub(super) certificate: Value,
    /// Of `openid`, `profile` and `offline_access`. The one for `email` calls no address verified.
    pub(super) scopes: Vec<Value>,
}

impl Authentik {
    /// Waits until everything is there.
    pub(super) async fn ready(&self, realm: &RealmName) -> Result<Ready, SsoError> {
        let asked = format!("make realm {realm}");
        let deadline = Instant::now() + self.patience;
        let flow = async |slug| self.await_one(&asked, "/flows/instances/", "slug", slug, deadline).await;
        let authorization = flow("default-provider-authorization-implicit-consent").await?;
        let invalidation = flow("default-provider-invalidation-flow").await?;
        let mut scopes = Vec::new();
        for name in ["openid", "profile", "offline_access"] {
            let managed = format!("goauthentik.io/providers/oauth2/scope-{name}");
            scopes.push(
                self.await_one(&asked, "/propertymappings/provider/scope/", "managed", &managed, deadline).await?,
            );
        }
        let list = "/crypto/certificatekeypairs/";
        let certificate = self.await_one(&asked, list, "name", CERTIFICATE, deadline).await?;
        Ok(Ready { authorization, invalidation, certificate, scopes })
    }

    /// The key of the one object of a list whose field is this text.
    async fn await_one(
        &self,
        asked: &str,
        list: &str,
        field: &str,
        text: &str,
        deadline: Instant,
    ) -> Result<Value, SsoError> {
        let mut pause = PAUSE;
        loop {
            if let Some(found) = self.api.named(asked, list, field, text).await? {
                return self.api.key(asked, list, &found).cloned();
            }
            if Instant::now() + pause >= deadline {
                let seconds = self.patience.as_secs_f64();
                let said = format!("has no {text:?} after {seconds:.0} s: does authentik's worker run?");
                return Err(self.api.caller.unexpected(asked, &self.api.url(list), said));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
