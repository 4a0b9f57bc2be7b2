//! How the apps of one run reach each other by their public names, over TLS that they trust. With public
//! DNS and a public CA they do so by themselves and nothing here has anything in it; a local world has
//! neither, so its containers are told where traefik is and which CA to trust.

use std::net::IpAddr;
use std::path::Path;

use base::failure::Failure;
use base::names::Domain;
use swarm::Swarm;

/// The CA's file in the checkout, beside cc-ci's compose file.
pub const CA_FILE: &str = "cc-ci-ca.pem";
/// The same in a container.
pub const CA_IN_CONTAINER: &str = "/cc-ci/ca.pem";
/// What programs read to find the CAs that they trust: OpenSSL and with it Go, Python and PHP; the
/// requests library; curl; Node.
pub const TRUST: [&str; 4] = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];

/// The machine's own CAs: an app still trusts those.
pub const SYSTEM_CAS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What the containers of an app are told about the other apps of its run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peers {
    /// Names and their address, where DNS does not know them.
    pub hosts: Vec<(Domain, IpAddr)>,
    /// Every CA to trust, in PEM, where the apps' certificates are from a local one.
    pub ca: Option<String>,
}

impl Peers {
    /// For a run with several apps.
    ///
    /// # Errors
    /// The engine does not answer, or the CA cannot be read.
    pub async fn of(
        swarm: &Swarm,
        domains: impl Iterator<Item = &Domain>,
        fixed_address: Option<IpAddr>,
        ca: Option<&Path>,
    ) -> Result<Self, Failure> {
        let hosts = match fixed_address {
            None => Vec::new(),
            // Loopback is the container itself there; traefik's ports are on its node's side of the bridge.
            Some(ip) if ip.is_loopback() => {
                let ip = swarm.gateway().await?;
                domains.map(|domain| (domain.clone(), ip)).collect()
            }
            Some(ip) => domains.map(|domain| (domain.clone(), ip)).collect(),
        };
        let ca = ca.map(trusted).transpose()?;
        Ok(Self { hosts, ca })
    }
}

fn trusted(local: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(local).map_err(|error| Failure::disk("read", local, &error))?;
    let public = std::fs::read_to_string(SYSTEM_CAS).unwrap_or_default();
    Ok(if public.is_empty() { text } else { format!("{}\n{text}", public.trim_end()) })
}
