//! A browser that does not look at the machine's network interfaces.
//!
//! Chromium ends every request with `ERR_NETWORK_CHANGED` when an address appears on some interface, and
//! docker makes interfaces all the time: on a busy machine a page then fails to load now and then, for no
//! reason of the app's. Chromium learns of it by a netlink socket; where there is none, it takes the
//! machine for online and leaves its requests alone (Chromium's `net/base/address_tracker_linux.cc`,
//! `AbortAndForceOnline`).

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use tokio::process::{Child, Command};

/// Starts a program whose processes get no netlink socket.
pub(super) fn spawn(mut command: Command) -> Result<Child, String> {
    let program = filter().map_err(|error| format!("no filter for its sockets: {error}"))?;
    let runtime = tokio::runtime::Handle::current();
    // The filter holds for a thread and what it starts, and it cannot be taken off again: a thread of its own.
    let thread = std::thread::spawn(move || {
        let _runtime = runtime.enter();
        seccompiler::apply_filter(&program).map_err(|error| format!("its sockets cannot be filtered: {error}"))?;
        command.spawn().map_err(|error| format!("it cannot be started: {error}"))
    });
    thread.join().map_err(|_| "the thread that starts it has failed".to_owned())?
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let family = u64::try_from(libc::AF_NETLINK).unwrap_or_default();
    let is_netlink = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, family)?;
    let rules = BTreeMap::from([(libc::SYS_socket, vec![SeccompRule::new(vec![is_netlink])?])]);
    let refused = SeccompAction::Errno(u32::try_from(libc::EAFNOSUPPORT).unwrap_or_default());
    SeccompFilter::new(rules, SeccompAction::Allow, refused, std::env::consts::ARCH.try_into()?)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a child of the test process does, in the shell's own words.
    async fn says(script: &str) -> String {
        let mut command = Command::new("python3");
        command.args(["-c", script]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let output = spawn(command).unwrap().wait_with_output().await.unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    #[tokio::test]
    async fn netlink_sockets_are_refused_and_others_are_not() {
        let netlink = says("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)").await;
        assert!(netlink.contains("Address family not supported"), "{netlink}");
        let tcp = says("import socket; socket.create_server(('127.0.0.1', 0)); print('ok')").await;
        assert_eq!(tcp.trim(), "ok");
        // The thread that started them was another one.
        let script = "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)";
        assert!(std::process::Command::new("python3").args(["-c", script]).status().unwrap().success());
    }
}
