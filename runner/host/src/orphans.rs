//! Processes that a killed run has left on this machine: an abra that still deploys, a test with its browser. They are
//! identified by the run's folder in their environment.

use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpgid, getpgrp, kill_process_group, pidfd_open};

use journal::run_dir::RunDir;

/// Timeout of the end of killed processes.
const GOES: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

/// Kills them with their process groups. The caller holds the run's lock, so the run is dead.
///
/// Waits until they are gone, since their open and locked files are removed next.
pub fn end(dir: &RunDir) {
    let own = getpgrp();
    let mut killed = Vec::new();
    for pid in of(dir.path()) {
        if let Ok(group) = getpgid(Some(pid))
            && group != own
        {
            killed.extend(pidfd_open(pid, PidfdFlags::empty()));
            // A process that has ended meanwhile is fine.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
    for process in &killed {
        let _ = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&GOES));
    }
}

/// The processes of a run. Those of other users cannot be read, and are not cc-ci's.
fn of(dir: &Path) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse::<i32>().ok().and_then(Pid::from_raw);
    let works_for = |pid: &Pid| {
        let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
        names(&environment, dir)
    };
    processes.flatten().filter_map(pid).filter(works_for).collect()
}

/// Whether an environment has a run's folder as abra's directory or scratch folder.
fn names(environment: &[u8], dir: &Path) -> bool {
    let wanted = [("ABRA_DIR", "abra"), ("CCCI_WORK", "work")]
        .map(|(name, folder)| [name.as_bytes(), b"=", dir.join(folder).as_os_str().as_encoded_bytes()].concat());
    environment.split(|byte| *byte == 0).any(|variable| wanted.iter().any(|wanted| variable == wanted))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};

    use super::*;

    #[test]
    fn what_works_for_the_run_ends_with_its_children_and_nothing_else_does() {
        let state = tempfile::tempdir().unwrap();
        let of_run = |run: &str| RunDir::of(state.path(), &run.parse().unwrap());
        let (dead, other) = (of_run("r1"), of_run("r10"));
        let start = |variable: &str, value: std::path::PathBuf| {
            let mut command = std::process::Command::new("sh");
            command.args(["-c", "sleep 600 & wait"]).env(variable, value).process_group(0);
            command.spawn().unwrap()
        };
        let mut killed = [start("ABRA_DIR", dead.abra()), start("CCCI_WORK", dead.work())];
        let mut lives = [start("ABRA_DIR", other.abra()), start("OTHER", dead.abra())];
        // A process has its environment a moment after its start.
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while of(dead.path()).len() < 2 && std::time::Instant::now() < until {
            std::thread::yield_now();
        }
        end(&dead);
        for child in &mut killed {
            assert_eq!(child.wait().unwrap().signal(), Some(9));
        }
        for child in &mut lives {
            assert!(child.try_wait().unwrap().is_none());
            let group = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
            kill_process_group(group, Signal::KILL).unwrap();
            child.wait().unwrap();
        }
    }
}
