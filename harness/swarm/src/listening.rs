//! The ports on which a container accepts connections, from its kernel.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::{Duration, Instant};

use super::engine::Swarm;

/// Timeout of a query.
const LOOK: Duration = Duration::from_secs(3);

/// docker's own name server listens here, in every container.
const DOCKERS_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));

/// A TCP port in the state LISTEN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listening {
    pub port: u16,
    /// May be the address of every interface.
    pub address: IpAddr,
}

impl Listening {
    /// Whether only the container itself can connect.
    pub fn is_local(&self) -> bool {
        match self.address {
            IpAddr::V4(address) => address.is_loopback(),
            IpAddr::V6(address) => {
                address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
            }
        }
    }
}

impl Swarm {
    /// The listening ports of a container on this node; `None` if unknown: the container is gone, or has no program
    /// that can print the kernel's list.
    pub async fn listening(&self, container: &str) -> Option<BTreeSet<Listening>> {
        if let Some(text) = self.kernels_list(container).await {
            return Some(parse(&text));
        }
        let argv = ["cat", "/proc/net/tcp", "/proc/net/tcp6"].map(str::to_owned);
        let told = self.exec(container, &argv, &[], Instant::now() + LOOK).await.ok()?;
        // A kernel without IPv6 has no second list.
        told.output.contains("local_address").then(|| parse(&told.output))
    }

    /// Reads the list without a command in the container, if this process sees the container's processes.
    async fn kernels_list(&self, container: &str) -> Option<String> {
        let seen = self.docker().inspect_container(container, None).await.ok()?;
        let pid = seen.state?.pid.filter(|pid| *pid > 0)?;
        let of = Path::new("/proc").join(pid.to_string());
        // A process id of another machine may be a different process here.
        let group = std::fs::read_to_string(of.join("cgroup")).ok()?;
        if !group.contains(container) {
            return None;
        }
        let four = std::fs::read_to_string(of.join("net/tcp")).ok()?;
        let six = std::fs::read_to_string(of.join("net/tcp6")).unwrap_or_default();
        Some(format!("{four}{six}"))
    }
}

/// Parses the kernel's lists: `sl local_address rem_address st …`, numbers in hexadecimal, addresses in words of four
/// bytes with the last byte first; 0A is the state LISTEN. Source: proc(5).
fn parse(text: &str) -> BTreeSet<Listening> {
    text.lines().filter_map(line).filter(|found| found.address != DOCKERS_DNS).collect()
}

fn line(line: &str) -> Option<Listening> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, state) = (fields.next()?, fields.nth(1)?);
    if state != "0A" {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    let words = address.len() / 8;
    let mut bytes = Vec::new();
    for at in 0..words {
        let word = u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok()?;
        bytes.extend(word.to_le_bytes());
    }
    let address = match bytes.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        _ => return None,
    };
    Some(Listening { port: u16::from_str_radix(port, 16).ok()?, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_is_read() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0B00007F:8F31 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n\
             1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n\
             2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n\
             3: 0200000A:0050 0300000A:9000 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n\
             0: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 0 0 0\n\
             0: 00000000000000000000000001000000:0BB9 00000000000000000000000000000000:0000 0A 0 0 0\n";
        let found: Vec<(u16, bool)> = parse(text).iter().map(|one| (one.port, one.is_local())).collect();
        assert_eq!(found, [(80, false), (3000, false), (3001, true), (8080, true)]);
        assert!(parse("cat: can't open '/proc/net/tcp6'\nx y z\n").is_empty());
    }
}
