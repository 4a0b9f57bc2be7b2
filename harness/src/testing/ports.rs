use super::{Broken, Test};

/// A port that the app publishes on the host, and where it is reached from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The port, as the recipe publishes it.
    pub port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// A name or an address.
    pub host: String,
    /// The port there: another one where something stands in for the app.
    pub host_port: u16,
}

impl Test {
    /// The ports that the deployed app publishes on the host.
    pub fn published(&self) -> Result<Vec<Published>, Broken> {
        let list = self.text("CCCI_PORTS");
        let read = list.split_whitespace().map(|entry| {
            published(entry).ok_or_else(|| Broken::new(format!("wants port/protocol=host:port, got {entry:?}")))
        });
        read.collect()
    }
}

fn published(entry: &str) -> Option<Published> {
    let (own, place) = entry.split_once('=')?;
    let (port, protocol) = own.split_once('/')?;
    let (host, host_port) = place.rsplit_once(':')?;
    Some(Published {
        port: port.parse().ok()?,
        protocol: protocol.to_owned(),
        host: host.trim_matches(['[', ']']).to_owned(),
        host_port: host_port.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &str) -> Result<Vec<Published>, Broken> {
        Test::new("functional/10-x", [("CCCI_PORTS".to_owned(), list.to_owned())]).published()
    }

    #[test]
    fn each_port_has_its_place() {
        let found = of("64738/tcp=127.0.0.1:64738 64738/udp=[::1]:5000").unwrap();
        let short: Vec<_> = found.iter().map(|one| (one.port, &*one.protocol, &*one.host, one.host_port)).collect();
        assert_eq!(short, [(64738, "tcp", "127.0.0.1", 64738), (64738, "udp", "::1", 5000)]);
        assert_eq!(of("").unwrap(), []);
        assert!(of("64738/tcp").is_err() && of("x/tcp=a:1").is_err() && of("1/tcp=a:b").is_err());
    }
}
