//! A forge's token for git: an argument list without secrets. The token reaches git's credential helper through a pipe from
//! the file that holds it, for the forge's own address alone, and no other program is told where that file is.

use std::ffi::OsString;
use std::path::PathBuf;

use url::Url;

use super::git_trust::{self, Environment};

/// A helper asks with `get`; it says nothing to `store`. Any name goes with a token.
const HELPER: &str = "!f() { test \"$1\" = get && printf 'username=cc-ci\\npassword=' && tr -d '[:space:]' <\"$CCCI_TOKEN\" && echo; }; f";

/// Where a token is, and which address may have it.
#[derive(Debug, Clone)]
pub struct GitAccess {
    /// The forge.
    pub forge: Url,
    /// The file.
    pub token_file: PathBuf,
    /// The forge's certificate authority, where the system does not know it.
    pub ca_file: Option<PathBuf>,
}

impl GitAccess {
    /// The options of a git that may use it. For other addresses the machine's own helpers are left as they are.
    pub fn options(&self) -> Vec<OsString> {
        let forge = self.forge.origin().ascii_serialization();
        let helper = |value: &str| (format!("credential.{forge}.helper"), value.into());
        // An empty one takes back what the machine's settings name for this address.
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
            // Either would write the token to the error output.
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
