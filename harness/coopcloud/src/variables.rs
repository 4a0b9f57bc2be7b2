//! Variables that belong to the machine, not to an app.
//!
//! A compose file takes its variables from the environment of the deploying process. That process needs some of its
//! environment itself, and a few names would change its behaviour: where it finds programs and libraries, which engine
//! it uses. So an app's value for these never becomes part of a process's environment, and an untrusted compose file
//! that uses one is refused.

/// Exact names.
const NAMES: [&str; 15] = [
    "PATH",
    "HOME",
    "BASH_ENV",
    "TERM",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "GODEBUG",
    "GOGC",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOTRACEBACK",
    "GOCOVERDIR",
    "GLIBC_TUNABLES",
    "RES_OPTIONS",
    "LOCPATH",
];

/// Prefixes.
const BEGINNINGS: [&str; 7] = ["DOCKER_", "ABRA_", "LD_", "XDG_", "SSL_CERT_", "BUILDKIT_", "MALLOC_"];

/// Case-insensitive, as in programs.
const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"];

/// The machine's variables that a deploying program needs: the search path, and the engine.
pub const HANDED_ON: [&str; 8] = [
    "PATH",
    "HOME",
    "ABRA_DIR",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "DOCKER_API_VERSION",
];

/// Variables that abra sets for an app; a recipe's own value for one would point at another app.
pub const OF_ABRA: [&str; 5] = ["STACK_NAME", "DOMAIN", "TYPE", "RECIPE", "COMPOSE_FILE"];

/// Whether a name is the machine's.
pub fn is_reserved(name: &str) -> bool {
    NAMES.contains(&name)
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || PROXIES.iter().any(|proxy| name.eq_ignore_ascii_case(proxy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_reserved_and_settings_of_apps_are_not() {
        assert!(HANDED_ON.iter().all(|name| is_reserved(name)));
        for name in ["LD_PRELOAD", "DOCKER_CONTEXT", "HTTPS_PROXY", "https_proxy", "BASH_ENV"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["DOMAIN", "TZ", "LANG", "LC_ALL", "SMTP_HOST", "PATHS", "HOMESERVER", "LDAP_HOST", "ENV"] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
