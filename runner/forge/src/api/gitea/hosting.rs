//! Repositories and pull requests that cc-ci creates. The bot's token also needs `write:organization`, and the bot a
//! team that may create repositories.

use http_client::{Method, coded};
use serde::Deserialize;
use serde_json::json;

use super::Gitea;
use crate::api::{ForgeError, Hosted, Hosting, NewPull, NewRepo, OwnPull};
use crate::names::{Branch, Repo};

#[derive(Deserialize)]
struct RawRepo {
    default_branch: String,
    #[serde(default)]
    permissions: Permissions,
    #[serde(default)]
    private: bool,
}

#[derive(Deserialize, Default)]
struct Permissions {
    #[serde(default)]
    push: bool,
}

#[derive(Deserialize)]
struct RawPull {
    number: u64,
    state: String,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "ref")]
    branch: String,
    repo: Option<FullName>,
}

#[derive(Deserialize)]
struct FullName {
    full_name: String,
}

#[derive(Deserialize)]
struct Made {
    number: u64,
}

impl Hosting for Gitea {
    async fn hosted(&self, repo: &Repo) -> Result<Option<Hosted>, ForgeError> {
        let answer = self.call.ask(Method::GET, &Self::repo_path(repo)).await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        let raw: RawRepo = answer.read()?;
        let branch: Branch = raw.default_branch.parse().map_err(|why| answer.wrong(format!("{why}")))?;
        Ok(Some(Hosted { branch, may_push: raw.permissions.push, is_private: raw.private }))
    }

    async fn make(&self, repo: &Repo, new: &NewRepo) -> Result<(), ForgeError> {
        let mut body = json!({
            "name": repo.name.as_str(),
            "default_branch": new.branch.as_str(),
            "description": new.description,
            "auto_init": false,
            "private": new.is_private,
        });
        // An older forge ignores unknown fields, and git then reports the mismatch.
        if new.is_sha256 {
            body["object_format_name"] = "sha256".into();
        }
        let path = format!("orgs/{}/repos", coded(repo.owner.as_str()));
        self.call.send(Method::POST, &path, &body).await.map(|_| ())
    }

    async fn own_pulls(&self, repo: &Repo) -> Result<Vec<OwnPull>, ForgeError> {
        let path = format!("{}/pulls", Self::repo_path(repo));
        let listed = match self.list::<RawPull>(&path, &[("state", "all")]).await {
            Ok((_, listed)) => listed,
            // Gitea returns this for a repository without branches, and for a moment after the first push to it.
            Err(ForgeError::Refused { status: 404, .. }) if self.hosted(repo).await?.is_some() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let name = repo.to_string();
        // Gitea's names are case-insensitive.
        let own =
            |pull: &RawPull| pull.head.repo.as_ref().is_some_and(|head| head.full_name.eq_ignore_ascii_case(&name));
        let pulls = listed.items.into_iter().filter(own);
        Ok(pulls
            .map(|raw| OwnPull { number: raw.number, is_open: raw.state == "open", head: raw.head.branch })
            .collect())
    }

    async fn open_pull(&self, repo: &Repo, new: &NewPull) -> Result<u64, ForgeError> {
        let body = json!({
            "head": new.head.as_str(), "base": new.base.as_str(), "title": new.title, "body": new.body,
        });
        let answer = self.call.send(Method::POST, &format!("{}/pulls", Self::repo_path(repo)), &body).await?;
        answer.read::<Made>().map(|made| made.number)
    }

    async fn has_path(&self, repo: &Repo, path: &str) -> Result<bool, ForgeError> {
        let path: Vec<String> = path.split('/').map(coded).collect();
        let answer =
            self.call.ask(Method::GET, &format!("{}/contents/{}", Self::repo_path(repo), path.join("/"))).await?;
        match answer.status() {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(answer.error()),
        }
    }
}
