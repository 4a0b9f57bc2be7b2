use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use super::{Broken, Test, Wrong};
use crate::tls::{Server, Tls, Trust};
use crate::websocket::WebSocket;
use http_client::{Http, HttpConfig};

/// For an answer by websocket, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

impl Test {
    /// Requests to the app and to those beside it: their names are known, their certificates trusted. An
    /// [`Http::session`] is one visitor.
    pub fn http(&self) -> Result<Http, Broken> {
        let ca_pem = self.ca_pem()?;
        let resolve = self.resolve().iter().map(|entry| address(entry)).collect::<Result<_, _>>()?;
        let http = Http::new(&HttpConfig { ca_pem, resolve }).map_err(|failure| Broken::new(failure.what))?;
        Ok(http.recorded_by(&self.recorder))
    }

    /// A websocket of the app, at a path that begins with a slash.
    ///
    /// # Errors
    /// When there is none, or the test cannot run: see [`Test::http`].
    pub async fn websocket(&self, path: &str) -> Result<WebSocket, Wrong> {
        let no_name = || Broken::new("the app's address has no name and port");
        let url = Url::parse(&self.url(path)).map_err(|error| Broken::new(error.to_string()))?;
        let (name, port) = url.host_str().zip(url.port_or_known_default()).ok_or_else(no_name)?;
        let known = self.resolve().iter().map(|entry| address(entry)).collect::<Result<Vec<_>, _>>()?;
        let known = known.into_iter().find(|(own, _)| own == name);
        let host = known.map_or_else(|| name.to_owned(), |(_, address)| address.to_string());
        let pem = self.ca_pem()?.ok_or_else(|| Broken::new("the variable CCCI_CA is not set"))?;
        let tls = Tls::new(Trust::Authorities(&pem), None)?;
        Ok(WebSocket::connect(&tls, Server { host: &host, port, name }, path, PATIENCE).await?)
    }

    fn ca_pem(&self) -> Result<Option<Vec<u8>>, Broken> {
        let read = |path: &str| {
            std::fs::read(path).map_err(|error| Broken::new(format!("the CA in {path} cannot be read: {error}")))
        };
        Some(self.text("CCCI_CA")).filter(|path| !path.is_empty()).map(read).transpose()
    }

    /// Addresses for names that no DNS knows, each `host:port:address`.
    pub(super) fn resolve(&self) -> Vec<String> {
        let names = ["CCCI_RESOLVE", "CCCI_RESOLVE_DEPS"];
        names.iter().flat_map(|name| self.text(name).split_whitespace().map(str::to_owned)).collect()
    }
}

/// The name and the address of curl's `host:port:address`. The port plays no part.
fn address(entry: &str) -> Result<(String, IpAddr), Broken> {
    let mut parts = entry.splitn(3, ':');
    let parsed = match (parts.next(), parts.next(), parts.next()) {
        (Some(host), Some(_), Some(address)) if !host.is_empty() => {
            address.trim_matches(['[', ']']).parse().ok().map(|address| (host.to_ascii_lowercase(), address))
        }
        _ => None,
    };
    parsed.ok_or_else(|| Broken::new(format!("wants host:port:address, got {entry:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(resolve: &str, ca: &str) -> Test {
        let values = [("CCCI_RESOLVE", "a.ci:443:127.0.0.1"), ("CCCI_RESOLVE_DEPS", resolve), ("CCCI_CA", ca)];
        Test::new("functional/50-x", values.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn names_have_the_addresses_that_the_run_says() {
        assert_eq!(address("B.ci:443:::1").unwrap(), ("b.ci".to_owned(), "::1".parse().unwrap()));
        assert_eq!(address("b.ci:443:[::1]").unwrap().1, IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]));
        for wrong in ["", "a.ci", "a.ci:443", ":443:::1", "a.ci:443:nobody"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        assert_eq!(test("b.ci:443:::1 c.ci:443:::1", "").resolve().len(), 3);
    }

    #[test]
    fn a_test_that_cannot_ask_says_why() {
        assert!(test("b.ci:443:::1", "").http().is_ok());
        assert!(test("nonsense", "").http().unwrap_err().to_string().contains("\"nonsense\""));
        assert!(test("", "/nobody/ca.pem").http().unwrap_err().to_string().contains("/nobody/ca.pem"));
    }
}
