//! The settings of the forge, shared by all commands that use one.

pub mod standing;

use std::path::PathBuf;

use base::failure::Failure;
use forge::api::Gitea;
use forge::names::Owner;
use forge::token;
use http_client::{Http, HttpConfig};
use url::Url;

use host::settings::{plain, wrong};
use source::git_access::GitAccess;

/// The settings of a forge: all of them, or none.
#[derive(Debug, Clone, clap::Args)]
pub struct ForgeArgs {
    /// Address of the Gitea
    #[arg(long, env = "CCCI_FORGE_URL", value_name = "URL", value_parser = host::address::url, requires_all = ["forge_owner", "forge_token_file"])]
    pub forge_url: Option<Url>,

    /// Organisation there whose repositories are the recipes
    #[arg(long, env = "CCCI_FORGE_OWNER", value_name = "NAME", requires = "forge_url")]
    pub forge_owner: Option<Owner>,

    /// File that contains only the bot's token
    #[arg(long, env = "CCCI_FORGE_TOKEN_FILE", value_name = "FILE", requires = "forge_url")]
    pub forge_token_file: Option<PathBuf>,

    /// File with the certificate authority of the forge, in PEM, if the system does not know it [default: the system's]
    #[arg(long, env = "CCCI_FORGE_CA_FILE", value_name = "FILE", requires = "forge_url")]
    pub forge_ca_file: Option<PathBuf>,
}

/// A configured forge, with its token read.
#[derive(Debug, Clone)]
pub struct NamedForge {
    pub forge: Gitea,
    pub url: Url,
    pub owner: Owner,
    /// Absolute path of the file.
    pub token_file: PathBuf,
    /// Absolute path of its certificate authority; absent if the system knows it.
    pub ca_file: Option<PathBuf>,
}

impl NamedForge {
    /// git's access to this forge only.
    pub fn git_access(&self) -> GitAccess {
        GitAccess { forge: self.url.clone(), token_file: self.token_file.clone(), ca_file: self.ca_file.clone() }
    }
}

impl ForgeArgs {
    /// The configured forge, if any.
    ///
    /// # Errors
    /// The token cannot be read, or the address is not one of a forge.
    pub fn named(&self) -> Result<Option<NamedForge>, Failure> {
        let (Some(url), Some(owner), Some(file)) = (&self.forge_url, &self.forge_owner, &self.forge_token_file) else {
            return Ok(None);
        };
        plain(url, "the forge", "--forge-url (CCCI_FORGE_URL)")?;
        let unread = |what: String| wrong(what, "--forge-token-file (CCCI_FORGE_TOKEN_FILE)");
        let token = token::read(file).map_err(|error| unread(error.to_string()))?;
        let token_file = std::path::absolute(file).map_err(|error| unread(error.to_string()))?;
        let (http, ca_file) = self.http()?;
        let forge = Gitea::new(http, url.clone(), owner.clone(), token);
        Ok(Some(NamedForge { forge, url: url.clone(), owner: owner.clone(), token_file, ca_file }))
    }

    /// A client that trusts the forge's certificate authority.
    fn http(&self) -> Result<(Http, Option<PathBuf>), Failure> {
        let Some(file) = &self.forge_ca_file else { return Ok((Http::new(&HttpConfig::default())?, None)) };
        let unusable = |why: String| {
            wrong(
                format!("{} is no certificate authority: {why}", file.display()),
                "--forge-ca-file (CCCI_FORGE_CA_FILE)",
            )
        };
        let path = std::path::absolute(file).map_err(|error| unusable(error.to_string()))?;
        let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
        let config = HttpConfig { ca_pem: Some(pem), ..HttpConfig::default() };
        Ok((Http::new(&config).map_err(|failure| unusable(failure.what))?, Some(path)))
    }

    /// The configured forge, for a command that requires one.
    ///
    /// # Errors
    /// As [`Self::named`], and if none is configured.
    pub fn wanted(&self) -> Result<NamedForge, Failure> {
        self.named()?.ok_or_else(|| {
            let all = "--forge-url, --forge-owner and --forge-token-file (CCCI_FORGE_URL, CCCI_FORGE_OWNER, CCCI_FORGE_TOKEN_FILE)";
            wrong("no forge is named".to_owned(), all)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        forge: ForgeArgs,
    }

    fn parsed(words: &[&str]) -> Result<ForgeArgs, clap::Error> {
        Cli::try_parse_from([&["cc-ci"], words].concat()).map(|cli| cli.forge)
    }

    #[test]
    fn a_forge_needs_an_owner_and_a_token() {
        assert!(parsed(&[]).unwrap().named().unwrap().is_none());
        assert!(parsed(&[]).unwrap().wanted().unwrap_err().what.contains("no forge is named"));
        assert!(parsed(&["--forge-url", "https://git.example.org"]).is_err());
        assert!(parsed(&["--forge-owner", "coop"]).is_err());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let with = |url: &str| {
            let words = ["--forge-url", url, "--forge-owner", "coop", "--forge-token-file", file.to_str().unwrap()];
            parsed(&words).unwrap().wanted().map(|named| format!("{} {}", named.url, named.owner))
        };
        assert!(with("https://git.example.org").unwrap_err().what.contains("cannot be read"));
        std::fs::write(&file, "hunter2\n").unwrap();
        assert_eq!(with("https://git.example.org").unwrap(), "https://git.example.org/ coop");
        let with_ca = |pem: &str| {
            let ca = dir.path().join("ca.pem");
            std::fs::write(&ca, pem).unwrap();
            let words = ["--forge-url", "https://git.example.org", "--forge-owner", "coop", "--forge-token-file"];
            let words = [&words[..], &[file.to_str().unwrap(), "--forge-ca-file", ca.to_str().unwrap()]].concat();
            parsed(&words).unwrap().wanted().map(|named| named.ca_file)
        };
        for odd in ["", "no certificate"] {
            let failure = with_ca(odd).unwrap_err();
            assert!(failure.what.contains("ca.pem is no certificate authority"), "{}", failure.what);
            assert!(failure.look_at.contains("CCCI_FORGE_CA_FILE"));
        }
        let names = ["git.example.org".to_owned()];
        let pem = host::certificate::issue("x", &names, std::time::Duration::from_secs(60)).unwrap().authority;
        assert_eq!(with_ca(&pem).unwrap(), Some(dir.path().join("ca.pem")));
        let folder = ["--forge-url", "file:///etc", "--forge-owner", "coop", "--forge-token-file", "x"];
        assert!(parsed(&folder).unwrap_err().to_string().contains("write an address such as"));
        for odd in ["ftp://git.example.org", "https://ada:hunter2@git.example.org", "https://git.example.org?x=1"] {
            assert!(!with(odd).unwrap_err().what.contains("hunter2"), "{odd}");
        }
    }
}
