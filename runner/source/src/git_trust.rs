//! git with a forge whose certificate authority the system does not know: git trusts it for that forge only, and the
//! system's authorities for all addresses. Pure except [`Environment::of_process`].

use std::ffi::OsString;
use std::path::Path;

use url::Url;

/// The number of settings in git's environment.
const COUNT: &str = "GIT_CONFIG_COUNT";
/// The authorities for every address. In the environment it overrides settings for one address.
pub const FOR_ALL: &str = "GIT_SSL_CAINFO";

/// The initial environment of git.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Number of settings in it.
    pub count: u32,
    /// The file of authorities for every address, if set.
    pub for_all: Option<OsString>,
}

impl Environment {
    /// This process's environment.
    pub fn of_process() -> Self {
        let count = std::env::var(COUNT).ok().and_then(|count| count.trim().parse().ok()).unwrap_or(0);
        Self { count, for_all: std::env::var_os(FOR_ALL) }
    }
}

/// git's settings: the forge's authority in this file, followed by the authorities for every address.
pub fn settings(forge: &Url, ca_file: &Path, before: &Environment) -> Vec<(String, OsString)> {
    let name = format!("http.{}.sslCAInfo", forge.origin().ascii_serialization());
    let for_all = before.for_all.clone().map(|file| ("http.sslCAInfo".to_owned(), file));
    [(name, ca_file.into())].into_iter().chain(for_all).collect()
}

/// The same as variables for every git below a process; none has to be removed there.
pub fn variables(forge: &Url, ca_file: &Path, before: &Environment) -> Vec<(String, Option<OsString>)> {
    let mut place = before.count;
    let mut variables = vec![(FOR_ALL.to_owned(), None)];
    for (name, value) in settings(forge, ca_file, before) {
        variables.push((format!("GIT_CONFIG_KEY_{place}"), Some(name.into())));
        variables.push((format!("GIT_CONFIG_VALUE_{place}"), Some(value)));
        place = place.saturating_add(1);
    }
    variables.push((COUNT.to_owned(), Some(place.to_string().into())));
    variables
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn git_hears_it_for_the_forge_alone_beside_what_it_was_told_before() {
        let forge: Url = "https://git.example.org:3000/".parse().unwrap();
        let asked = |url: &str, for_all: Option<&str>| {
            let mut git = Command::new("git");
            git.args(["config", "--get-urlmatch", "http.sslCAInfo", url]);
            git.envs([("GIT_CONFIG_KEY_0", "a.b"), ("GIT_CONFIG_VALUE_0", "c")]).env(FOR_ALL, "/etc/other.pem");
            git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
            let before = Environment { count: 1, for_all: for_all.map(Into::into) };
            for (name, value) in variables(&forge, Path::new("/etc/ca.pem"), &before) {
                match value {
                    Some(value) => git.env(name, value),
                    None => git.env_remove(name),
                };
            }
            assert!(git.get_envs().any(|(name, value)| name == FOR_ALL && value.is_none()));
            String::from_utf8(git.output().unwrap().stdout).unwrap()
        };
        let (ours, all) = ("https://git.example.org:3000/coop/custom-html.git", Some("/etc/all.pem"));
        assert_eq!((asked(ours, None), asked(ours, all)), ("/etc/ca.pem\n".to_owned(), "/etc/ca.pem\n".to_owned()));
        for other in ["https://git.example.org/coop/custom-html.git", "https://example.org:3000/x"] {
            assert_eq!((asked(other, None), asked(other, all)), (String::new(), "/etc/all.pem\n".to_owned()));
        }
    }
}
