//! Detects the forge and its version, once at the start, since the available requests depend on them.

use http_client::Method;
use serde::Deserialize;

use super::Gitea;
use crate::api::release::names_gitea;
use crate::api::{ForgeError, ForgeRelease};

#[derive(Deserialize)]
struct Told {
    version: String,
}

impl Gitea {
    /// The forge and version that it reports.
    ///
    /// # Errors
    /// It is down or unreachable. A refusal to report is a valid response.
    pub async fn release(&self) -> Result<ForgeRelease, ForgeError> {
        // Without the token first: Gitea 1.20.0 refuses this request to tokens of other scopes. A forge that requires a
        // login everywhere gets one.
        let open = match self.call.ask_openly("api/v1/version").await {
            Err(ForgeError::Token { .. }) => None,
            Err(error) => return Err(error),
            Ok(answer) if answer.status() == 403 => None,
            Ok(answer) => Some(answer),
        };
        let answer = match open {
            Some(answer) => answer,
            None => self.call.ask(Method::GET, "version").await?,
        };
        let told: Told = match (answer.status(), answer.read()) {
            (403, _) => return Ok(ForgeRelease::Untold { why: "it refuses to: 403".to_owned() }),
            (200, Ok(told)) => told,
            (200, Err(_)) => {
                return Ok(ForgeRelease::Neither { why: "/api/v1/version exists and has no version".to_owned() });
            }
            (status, _) => {
                return Ok(ForgeRelease::Neither { why: format!("/api/v1/version is answered by {status}") });
            }
        };
        // Before it had its own version numbers, Forgejo reported Gitea's.
        let is_forgejo = !names_gitea(&told.version) && told.version.starts_with("1.") && self.is_forgejo().await?;
        Ok(ForgeRelease::of(&told.version, is_forgejo))
    }

    async fn is_forgejo(&self) -> Result<bool, ForgeError> {
        match self.call.ask_openly("api/forgejo/v1/version").await {
            Ok(answer) => Ok(answer.status() == 200 && answer.read::<Told>().is_ok()),
            Err(ForgeError::Token { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
