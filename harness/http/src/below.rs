//! Names that have an address whatever the DNS says, so that a world works offline.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Gives every name at or below some domains the domain's address, and leaves the rest to the system.
pub(super) struct Below(pub(super) Vec<(String, IpAddr)>);

impl Below {
    /// The address of a name; none where no domain has it.
    pub(super) fn address(&self, name: &str) -> Option<IpAddr> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let covers = |base: &str| name.strip_suffix(base).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        self.0.iter().find(|(base, _)| covers(base)).map(|(_, address)| *address)
    }
}

impl Resolve for Below {
    fn resolve(&self, name: Name) -> Resolving {
        if let Some(address) = self.address(name.as_str()) {
            // Port 0 stands for the address's own.
            let found: Addrs = Box::new(std::iter::once(SocketAddr::new(address, 0)));
            return Box::pin(std::future::ready(Ok(found)));
        }
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
