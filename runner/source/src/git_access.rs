//! A forge's token for git, without secrets in an argument list. git's credential helper receives the token through a
//! pipe from its file, for the forge's own address only, and no other program receives the file's path.

use std::ffi::OsString;
use std::path::PathBuf;

use url::Url;

use super::git_trust::{self, Environment};

/// git calls the helper with `get` for a login; `store` is ignored. A token works with any user name.
const HELPER: &str = "!f() { test \"$1\" = get && printf 'username=cc-ci\\npassword=' && tr -d '[:space:]' <\"$CCCI_TOKEN\" && echo; }; f";

/// The token's file, and the address that may receive the token.
#[derive(Debug, Clone)]
pub struct GitAccess {
    pub forge: Url,
    pub token_file: PathBuf,
    /// The forge's certificate authority, if the system does not know it.
    pub ca_file: Option<PathBuf>,
}

impl GitAccess {
    /// The options of a git with access. For other addresses the machine's own helpers stay in effect.
    pub fn options(&self) -> Vec<OsString> {
        let forge = self.forge.origin().ascii_serialization();
        let helper = |value: &str| (format!("credential.{forge}.helper"), value.into());
        // An empty one resets the helpers of the machine's settings for this address.
        let ours = [helper(""), helper(HELPER)];
        let trust =
            self.ca_file.iter().flat_map(|file| git_trust::settings(&self.forge, file, &Environment::of_process()));
        ours.into_iter()
            .chain(trust)
            .flat_map(|(name, value)| {
                let mut setting = OsString::from(name + "=");
                setting.push(value);
                ["-c".into(), setting]
            })
            .collect()
    }

    /// The environment that [`Self::options`] need.
    pub fn environment(&self, git: duct::Expression) -> duct::Expression {
        let git = git
            .env("CCCI_TOKEN", &self.token_file)
            // Either would write the token to standard error.
            .env_remove("GIT_TRACE_CURL")
            .env_remove("GIT_CURL_VERBOSE");
        if self.ca_file.is_some() { git.env_remove(git_trust::FOR_ALL) } else { git }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forge_gets_the_token_and_no_other_address_does() {
        let dir = tempfile::tempdir().unwrap();
        let token_file = dir.path().join("token");
        std::fs::write(&token_file, "hunter2\n").unwrap();
        let access = GitAccess {
            forge: "https://git.example.org/forge".parse().unwrap(),
            token_file: token_file.clone(),
            ca_file: None,
        };
        let asked = |url: &str| {
            let words = access.options().into_iter().chain(["credential".into(), "fill".into()]);
            let git = duct::cmd("git", words.collect::<Vec<OsString>>()).stdin_bytes(format!("url={url}\n\n"));
            let git = git
                .env("GIT_TERMINAL_PROMPT", "0")
                .env("GIT_CONFIG_NOSYSTEM", "1")
                .env("GIT_CONFIG_GLOBAL", "/dev/null");
            access.environment(git).dir(dir.path()).stdout_capture().stderr_capture().unchecked().run().unwrap()
        };
        let text = |url| String::from_utf8(asked(url).stdout).unwrap();
        assert!(text("https://git.example.org/coop/a.git").contains("password=hunter2\n"));
        let others = [
            "http://git.example.org/a",
            "https://git.example.org:8443/a",
            "https://git.example.org.evil.test/a",
            "https://evil.test/git.example.org",
        ];
        for other in others {
            let answer = asked(other);
            assert!(
                !answer.status.success() && !String::from_utf8_lossy(&answer.stdout).contains("hunter2"),
                "{other}"
            );
        }
        assert!(access.options().iter().all(|word| !word.to_string_lossy().contains("hunter2")));
    }
}
