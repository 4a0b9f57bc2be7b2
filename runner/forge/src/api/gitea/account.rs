//! The account of the token: a bot's, or a person's.

use serde::Deserialize;

use super::Gitea;
use super::list::BYTES;
use crate::api::ForgeError;
use crate::names::Login;

/// What the forge returns about the token's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub login: Login,
    /// Properties that bots do not have, as text that follows the name.
    pub signs: Vec<&'static str>,
}

/// Start of the title of pull requests that cc-ci opens.
pub const ENROL_TITLE: &str = "Enrol ";

#[derive(Deserialize)]
struct Me {
    login: String,
    #[serde(default)]
    is_admin: bool,
}

#[derive(Deserialize)]
struct Key {}

#[derive(Deserialize)]
struct Team {
    #[serde(default)]
    permission: String,
    organization: Option<Organization>,
}

#[derive(Deserialize)]
struct Organization {
    #[serde(default)]
    name: String,
    // The earlier name of the field, still present as well.
    #[serde(default)]
    username: String,
}

#[derive(Deserialize)]
struct Opened {
    #[serde(default)]
    title: String,
}

impl Gitea {
    /// The token's owner, and signs that it is a person. A sign that the token may not query counts as absent.
    ///
    /// # Errors
    /// The forge does not return the account.
    pub async fn account(&self) -> Result<Account, ForgeError> {
        let answer = self.call.get("user", &[]).await?;
        let me: Me = answer.read()?;
        let login: Login = me.login.parse().map_err(|error| answer.wrong(format!("{error}")))?;
        let mut signs = Vec::new();
        if me.is_admin {
            signs.push("administers the forge");
        }
        let owns = |team: &Team| {
            let is_ours = |name: &str| name.eq_ignore_ascii_case(self.owner.as_str());
            let of = team.organization.as_ref();
            team.permission == "owner" && of.is_some_and(|of| is_ours(&of.name) || is_ours(&of.username))
        };
        if known(self.some::<Team>("user/teams", &[]).await)?.iter().any(owns) {
            signs.push("is an owner of the organisation");
        }
        if !known(self.some::<Key>("user/keys", &[]).await)?.is_empty() {
            signs.push("has SSH keys");
        }
        let own = [("created", "true"), ("state", "all"), ("owner", self.owner.as_str())];
        let opened = known(self.some::<Opened>("repos/issues/search", &own).await)?;
        if opened.iter().any(|one| !one.title.starts_with(ENROL_TITLE)) {
            signs.push("has opened issues or pull requests");
        }
        Ok(Account { login, signs })
    }

    /// The first page of a list.
    async fn some<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, ForgeError> {
        self.part(path, query, 1, 50, BYTES).await?.read()
    }
}

/// A list that may not be queried counts as empty.
fn known<T>(found: Result<Vec<T>, ForgeError>) -> Result<Vec<T>, ForgeError> {
    match found {
        Err(ForgeError::Refused { .. } | ForgeError::Wrong { .. }) => Ok(Vec::new()),
        other => other,
    }
}
