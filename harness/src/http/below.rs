//! Names that have an address whatever the DNS says, so that a world works offline.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Gives every name at or below a base domain one address, and leaves the rest to the system.
pub(super) struct Below {
    pub(super) base: String,
    pub(super) address: IpAddr,
}

impl Below {
    pub(super) fn covers(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        name.strip_suffix(&self.base).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl Resolve for Below {
    fn resolve(&self, name: Name) -> Resolving {
        if self.covers(name.as_str()) {
            // Port 0 stands for the address's own.
            let found: Addrs = Box::new(std::iter::once(SocketAddr::new(self.address, 0)));
            return Box::pin(std::future::ready(Ok(found)));
        }
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
