//! Secrets in a build's environment, apart from the settings. Pure.

/// Whether a variable of the build holds a secret that no run needs: above all git's login, which Drone sets in each
/// step of a private repository (`DRONE_NETRC_…`, read in runner-go's `environ`), and Woodpecker in steps that clone
/// (`CI_NETRC_…`).
pub fn holds_secret(variable: &str) -> bool {
    let name = variable.to_ascii_uppercase();
    let is_of_build = name.starts_with("DRONE_") || name.starts_with("CI_");
    is_of_build && ["NETRC", "TOKEN", "PASSWORD", "SECRET"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_secrets_and_facts_are_none() {
        for name in ["DRONE_NETRC_PASSWORD", "DRONE_NETRC_FILE", "CI_NETRC_USERNAME", "drone_token", "CI_X_SECRET"] {
            assert!(holds_secret(name), "{name}");
        }
        for name in ["DRONE_COMMIT_SHA", "CI_REPO", "DRONE_CARD_PATH", "PLUGIN_REPORT_TOKEN_FILE", "TOKEN"] {
            assert!(!holds_secret(name), "{name}");
        }
    }
}
