//! The forge, as every command that talks to one takes it.

use std::path::PathBuf;

use harness::failure::{Failure, Kind};
use harness::http::{Http, HttpConfig};
use trigger::forge::Gitea;
use trigger::names::Owner;
use trigger::token;
use url::Url;

/// The forge.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ForgeArgs {
    /// Address of the Gitea
    #[arg(long, env = "CCCI_FORGE_URL", value_name = "URL")]
    pub(super) forge_url: Option<Url>,
    /// Organisation there whose repositories are the recipes
    #[arg(long, env = "CCCI_FORGE_OWNER", value_name = "NAME")]
    pub(super) forge_owner: Option<Owner>,
    /// File that holds the bot's token, and nothing else
    #[arg(long, env = "CCCI_FORGE_TOKEN_FILE", value_name = "FILE")]
    pub(super) forge_token_file: Option<PathBuf>,
}

/// A forge that was named wholly.
pub(super) struct Named {
    pub(super) forge: Gitea,
    pub(super) url: Url,
    pub(super) owner: Owner,
    pub(super) token_file: PathBuf,
}

impl ForgeArgs {
    /// The forge, with its token read.
    ///
    /// # Errors
    /// When a part is not named, or the file holds no token.
    pub(super) fn named(&self) -> Result<Named, Failure> {
        let (Some(url), Some(owner), Some(file)) = (&self.forge_url, &self.forge_owner, &self.forge_token_file) else {
            return Err(Failure::new(
                Kind::CheckBroken,
                "no forge is named",
                "--forge-url, --forge-owner and --forge-token-file (CCCI_FORGE_URL, CCCI_FORGE_OWNER, CCCI_FORGE_TOKEN_FILE)",
            ));
        };
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::new(
                Kind::CheckBroken,
                "the forge's address is no http(s) address without a user",
                "--forge-url (CCCI_FORGE_URL); the token belongs into a file",
            ));
        }
        let wrong = |what: String| Failure::new(Kind::CheckBroken, what, "--forge-token-file (CCCI_FORGE_TOKEN_FILE)");
        let token = token::read(file).map_err(|error| wrong(error.to_string()))?;
        let token_file = std::path::absolute(file).map_err(|error| wrong(error.to_string()))?;
        let http = Http::new(&HttpConfig::default())?;
        let forge = Gitea::new(http, url.clone(), owner.clone(), token);
        Ok(Named { forge, url: url.clone(), owner: owner.clone(), token_file })
    }
}
