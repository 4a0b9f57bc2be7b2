//! The systemd unit: `cc-ci docs unit` prints it.

/// For a server whose cc-ci is in `/usr/local/bin` and whose settings are in `/etc/cc-ci/env`.
pub const UNIT: &str = include_str!("cc-ci.service");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_is_told_what_the_service_tells_it() {
        for line in ["Type=notify", "WatchdogSec=", "Restart=always", "After=docker.service", "ExecStart="] {
            assert!(UNIT.lines().any(|one| one.starts_with(line)), "{line}");
        }
    }
}
