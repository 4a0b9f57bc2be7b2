//! The real Gitea for tests: started once in a container of its own, with an organisation and its people, and gone
//! at the end.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "for tests alone")]

mod gitea;
mod people;
mod proxy;
mod tls;

pub use gitea::{Gitea, with};
pub use people::Person;
pub use proxy::{Held, Proxy};
pub use tls::Authority;

use secrecy::ExposeSecret as _;
use serde_json::json;

/// The organisation that [`Cast::new`] makes.
pub const ORG: &str = "coop";
/// What a bot's token may do.
pub const SCOPES: [&str; 4] = ["read:user", "read:organization", "write:issue", "write:repository"];

/// An organisation's people.
#[derive(Debug)]
pub struct Cast {
    /// The administrator.
    pub root: Person,
    /// The bot, a member with the scopes that it needs.
    pub bot: Person,
    /// A member who does not say so in public.
    pub ada: Person,
    /// Nobody.
    pub eve: Person,
    /// The team of the members.
    pub team: u64,
}

impl Cast {
    /// Makes the organisation and its people, behind a proxy.
    pub async fn new(gitea: &Gitea, proxy: &Proxy) -> Self {
        let root = Person::new(&gitea.http, proxy, "root", gitea.administrator().await);
        let bot = root.makes_with("cc-ci", &SCOPES).await;
        let (ada, eve) = (root.makes("ada").await, root.makes("eve").await);
        root.posts("orgs", json!({ "username": ORG })).await;
        let team = json!({
            "name": "testers", "permission": "write", "includes_all_repositories": true,
            "units": ["repo.code", "repo.issues", "repo.pulls"],
        });
        let team = root.posts(&format!("orgs/{ORG}/teams"), team).await["id"].as_u64().unwrap();
        for member in [&bot, &ada] {
            root.puts(&format!("teams/{team}/members/{}", member.name)).await;
        }
        Self { root, bot, ada, eve, team }
    }
}

impl Person {
    /// An address of a repository that this person may push to.
    pub fn push_url(&self, gitea: &str, repo: &str) -> String {
        let (scheme, rest) = gitea.split_once("://").unwrap();
        format!("{scheme}://{}:{}@{rest}/{repo}.git", self.name, self.token.expose_secret())
    }
}
