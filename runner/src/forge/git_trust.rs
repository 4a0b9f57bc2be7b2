//! git and a forge whose certificate authority the system does not know: git believes it for that forge alone, beside
//! the system's authorities for everybody else. Pure.

use std::ffi::OsString;
use std::path::Path;

use url::Url;

/// Where git counts the settings that its environment brings.
const COUNT: &str = "GIT_CONFIG_COUNT";

/// The name of git's setting for a forge's certificate authority. Its value is the file.
#[must_use]
pub fn setting(forge: &Url) -> String {
    format!("http.{}.sslCAInfo", forge.origin().ascii_serialization())
}

/// The variables that bring the setting to every git below a process, behind those settings that `count`, the
/// value of `GIT_CONFIG_COUNT`, says are there already.
#[must_use]
pub fn variables(forge: &Url, ca_file: &Path, count: Option<&str>) -> Vec<(String, OsString)> {
    let place: u32 = count.and_then(|count| count.trim().parse().ok()).unwrap_or(0);
    vec![
        (COUNT.to_owned(), place.saturating_add(1).to_string().into()),
        (format!("GIT_CONFIG_KEY_{place}"), setting(forge).into()),
        (format!("GIT_CONFIG_VALUE_{place}"), ca_file.into()),
    ]
}

/// The same, behind what this process was started with.
#[must_use]
pub fn of_process(forge: &Url, ca_file: &Path) -> Vec<(String, OsString)> {
    variables(forge, ca_file, std::env::var(COUNT).ok().as_deref())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn git_hears_it_for_the_forge_alone_beside_what_it_was_told_before() {
        let forge: Url = "https://git.example.org:3000/".parse().unwrap();
        let asked = |url: &str| {
            let mut git = Command::new("git");
            git.args(["config", "--get-urlmatch", "http.sslCAInfo", url]);
            git.envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "a.b"), ("GIT_CONFIG_VALUE_0", "c")]);
            git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
            git.envs(variables(&forge, Path::new("/etc/ca.pem"), Some("1")));
            String::from_utf8(git.output().unwrap().stdout).unwrap()
        };
        assert_eq!(asked("https://git.example.org:3000/coop/custom-html.git"), "/etc/ca.pem\n");
        for other in ["https://git.example.org/coop/custom-html.git", "https://example.org:3000/x"] {
            assert_eq!(asked(other), "");
        }
        assert_eq!(variables(&forge, Path::new("/etc/ca.pem"), None)[0], ("GIT_CONFIG_COUNT".to_owned(), "1".into()));
    }
}
