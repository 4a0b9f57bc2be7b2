//! Parsers for addresses of the command line and the environment, with readable errors.

use std::net::{IpAddr, SocketAddr};

use url::Url;

/// A web address, or one of a folder there.
///
/// # Errors
/// The expected form.
pub fn url(text: &str) -> Result<Url, String> {
    let found = text.parse().ok().filter(|url: &Url| url.has_host());
    found.ok_or_else(|| "write an address such as https://git.example.org".to_owned())
}

/// An IP address.
///
/// # Errors
/// The expected form.
pub fn ip(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "write an IP address such as 192.0.2.7".to_owned())
}

/// An address to listen on.
///
/// # Errors
/// The expected form.
pub fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port such as 127.0.0.1:8300".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused_with_one_that_is() {
        for text in ["", "git.example.org", "https://", "mailto:a@example.org", "/a/folder"] {
            assert!(url(text).unwrap_err().contains("such as https://"), "{text}");
        }
        assert_eq!(url("https://git.example.org/coop").unwrap().path(), "/coop");
        assert!(ip("localhost").is_err() && ip("::1").is_ok());
        assert!(listen("127.0.0.1").is_err() && listen("[::1]:8300").is_ok());
    }
}
