//! The forge that `cc-ci serve` answers on: its settings.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::failure::{Failure, Kind};
use harness::http::{Http, HttpConfig};
use trigger::forge::Gitea;
use trigger::hook::HookSecret;
use trigger::names::Owner;
use trigger::token;
use url::Url;

use crate::settings::how_long;

/// What `cc-ci serve` has to know to answer comments. Without a forge it answers none.
#[derive(Debug, Clone, clap::Args)]
pub struct ForgeSettings {
    /// Address of the Gitea whose pull requests are answered [default: none are]
    #[arg(long, env = "CCCI_FORGE_URL", value_name = "URL", requires_all = ["forge_owner", "forge_token_file"])]
    pub forge_url: Option<Url>,

    /// Organisation whose repositories are the recipes
    #[arg(long, env = "CCCI_FORGE_OWNER", value_name = "NAME", requires = "forge_url")]
    pub forge_owner: Option<Owner>,

    /// File with the bot's token
    #[arg(long, env = "CCCI_FORGE_TOKEN_FILE", value_name = "FILE", requires = "forge_url")]
    pub forge_token_file: Option<PathBuf>,

    /// Time between two looks at the forge
    #[arg(long, env = "CCCI_POLL", value_name = "TIME", default_value = "30s", value_parser = how_long)]
    pub poll: Duration,

    /// File with the secret of the forge's webhook, which makes answers quicker [default: no webhook is listened for]
    #[arg(long, env = "CCCI_WEBHOOK_SECRET_FILE", value_name = "FILE", requires = "forge_url")]
    pub webhook_secret_file: Option<PathBuf>,

    /// Address to listen for the webhook at, path /hook; only with its secret
    #[arg(long, env = "CCCI_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8300")]
    pub listen: SocketAddr,

    /// Where the folder `runs` of the state folder is to be read, for links to reports [default: no links]
    #[arg(long, env = "CCCI_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
}

impl ForgeSettings {
    /// The forge, and what names it beside its owner; none where none is set.
    ///
    /// # Errors
    /// When the token cannot be read, or the address is none of a forge.
    pub(super) fn forge(&self) -> Result<Option<(Gitea, String)>, Failure> {
        let (Some(url), Some(owner), Some(file)) = (&self.forge_url, &self.forge_owner, &self.forge_token_file) else {
            return Ok(None);
        };
        let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain {
            let what = "the address of the forge is not http:// or https:// with a host and no password";
            return Err(wrong(what.to_owned(), "--forge-url (CCCI_FORGE_URL)"));
        }
        let token = token::read(file).map_err(|error| wrong(error.to_string(), "--forge-token-file"))?;
        let http = Http::new(&HttpConfig::default())?;
        Ok(Some((Gitea::new(http, url.clone(), owner.clone(), token), format!("{url} {owner}"))))
    }

    /// The webhook's secret; none where none is set.
    ///
    /// # Errors
    /// When it cannot be read, or is too short.
    pub(super) fn secret(&self) -> Result<Option<HookSecret>, Failure> {
        let read = |file: &Path| {
            let secret = token::read(file).map_err(|error| wrong(error.to_string(), "--webhook-secret-file"))?;
            HookSecret::new(&secret).map_err(|error| wrong(error.to_string(), "--webhook-secret-file"))
        };
        self.webhook_secret_file.as_deref().map(read).transpose()
    }
}

/// A setting that is wrong.
pub(super) fn wrong(what: String, look_at: &str) -> Failure {
    Failure::new(Kind::CheckBroken, what, look_at)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        forge: ForgeSettings,
    }

    fn parsed(words: &[&str]) -> Result<ForgeSettings, clap::Error> {
        Cli::try_parse_from([&["serve"], words].concat()).map(|cli| cli.forge)
    }

    #[test]
    fn a_forge_needs_an_owner_and_a_token() {
        assert!(parsed(&[]).unwrap().forge().unwrap().is_none());
        assert!(parsed(&["--forge-url", "https://git.example.org"]).is_err());
        assert!(parsed(&["--forge-owner", "coop"]).is_err());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let with = |url: &str| {
            let words = ["--forge-url", url, "--forge-owner", "coop", "--forge-token-file", file.to_str().unwrap()];
            parsed(&words).unwrap().forge().map(|forge| forge.map(|(_, about)| about))
        };
        assert!(with("https://git.example.org").unwrap_err().what.contains("cannot be read"));
        std::fs::write(&file, "hunter2\n").unwrap();
        assert_eq!(with("https://git.example.org").unwrap().unwrap(), "https://git.example.org/ coop");
        for odd in ["file:///etc", "https://ada:hunter2@git.example.org", "https://git.example.org?x=1"] {
            assert!(!with(odd).unwrap_err().what.contains("hunter2"), "{odd}");
        }
    }
}
