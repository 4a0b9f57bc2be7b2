//! On which port of the loopback a process listens, by the kernel's own lists. chromedriver names port 0 where the
//! machine has no IPv6, as in most containers, though it does listen.

use std::collections::HashSet;

/// The port that a process listens on; none where it does not listen yet.
pub(super) fn port_of_process(pid: u32) -> Option<u16> {
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let inode = |target: &std::path::Path| -> Option<u64> {
        target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    let own: HashSet<u64> = fds.flatten().filter_map(|fd| inode(&std::fs::read_link(fd.path()).ok()?)).collect();
    listening(&std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).ok()?, &own)
}

/// The port of the first of these sockets that listens on 127.0.0.1, by `/proc/net/tcp`. Pure.
fn listening(table: &str, own: &HashSet<u64>) -> Option<u16> {
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let (&local, &state, inode) = (columns.get(1)?, columns.get(3)?, columns.get(9)?.parse().ok()?);
        let (address, port) = local.split_once(':')?;
        let is_loopback = address == "0100007F" || address == "7F000001";
        // 0A: it listens.
        if !is_loopback || state != "0A" || !own.contains(&inode) {
            return None;
        }
        u16::from_str_radix(port, 16).ok().filter(|port| *port != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_socket_that_listens_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
        let line = table.lines().find(|line| line.contains(&format!("0100007F:{port:04X}"))).unwrap();
        let inode = line.split_ascii_whitespace().nth(9).unwrap().parse().unwrap();
        assert_eq!(listening(&table, &HashSet::from([inode])), Some(port));
        assert_eq!(listening(&table, &HashSet::new()), None, "another process's");
    }

    #[test]
    fn odd_tables_have_no_port() {
        let own = HashSet::from([7]);
        for line in
            ["", "0: 0100007F:1F90 0:0 01 0 0 0 0 0 7", "0: 0:1F90 0:0 0A 0 0 0 0 0 7", "0: 0100007F 0 0A 0 0 0 0 0 7"]
        {
            assert_eq!(listening(&format!("head\n{line}\n"), &own), None, "{line:?}");
        }
        assert_eq!(listening("head\n0: 0100007F:1F90 0:0 0A 0 0 0 0 0 7\n", &own), Some(8080));
    }
}
