use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::calm;
use super::home::Home;
use super::listens::port_of_process;

/// How long chromedriver may take until it listens.
const LISTENS: Duration = Duration::from_secs(20);
/// How long Chromium may take to go. Measured: under 0.1 s.
const GOES: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

/// chromedriver, the Chromium that it started, and their folder. Dropped, all three are gone.
///
/// Chromium is driven through a pipe, so it ends when chromedriver does, however that comes about. Both
/// stay in the process group of this process: who kills the group kills them.
#[derive(Debug)]
pub(super) struct Process {
    _driver: Driver,
    /// chromedriver would end by a signal if nobody held the other end of its output.
    _output: Lines<BufReader<ChildStdout>>,
    port: u16,
    _home: Home,
}

/// chromedriver. Dropped, also before it has said a word, it is gone with all that it started, so that its home can be
/// removed then.
#[derive(Debug)]
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

impl Process {
    /// Starts chromedriver and waits until it says on which port it listens.
    pub(super) async fn start(program: PathBuf, home: Home) -> Result<Self, String> {
        let mut command = Command::new(program);
        command
            .arg("--port=0")
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for name in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "DISPLAY"] {
            command.env_remove(name);
        }
        let mut driver = Driver(calm::spawn(command).map_err(|error| format!("chromedriver: {error}"))?);
        let output = driver.0.stdout.take().ok_or("chromedriver has no output")?;
        let mut lines = BufReader::new(output).lines();
        let mut last = String::new();
        let port = tokio::time::timeout(LISTENS, async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(port) = port_of(&line) {
                    return Some(port);
                }
                last = line;
            }
            None
        })
        .await;
        match port {
            Ok(Some(0)) => match driver.0.id().and_then(port_of_process) {
                Some(port) => Ok(Self { _driver: driver, _output: lines, port, _home: home }),
                None => Err("chromedriver listens on no port of 127.0.0.1".to_owned()),
            },
            Ok(Some(port)) => Ok(Self { _driver: driver, _output: lines, port, _home: home }),
            Ok(None) => Err(format!("chromedriver ended at once: {last}")),
            Err(_) => Err(format!("chromedriver named no port within {} s: {last}", LISTENS.as_secs())),
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Kills a process with all that it started and waits until they are gone: a folder is not removed while somebody
/// still writes there.
pub(super) fn end(child: &mut Child) {
    let Some(pid) = child.id() else { return };
    let mut all = Vec::new();
    stop(pid, &mut all);
    for process in &all {
        // An error says that it has ended already.
        let _ = pidfd_send_signal(process, Signal::KILL);
    }
    let _ = child.start_kill();
    for process in &all {
        let _ = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&GOES));
    }
    let _ = child.try_wait();
}

/// Stops a process and its descendants: one that is stopped starts no other, so that none is missed.
fn stop(pid: u32, all: &mut Vec<OwnedFd>) {
    let Some(process) = handle(pid) else { return };
    let _ = pidfd_send_signal(&process, Signal::STOP);
    all.push(process);
    children(pid).into_iter().for_each(|child| stop(child, all));
}

/// A handle that tells when a process has ended.
fn handle(pid: u32) -> Option<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// A process's children; none where the kernel does not list them.
fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

/// "ChromeDriver was started successfully on port 1234."
fn port_of(line: &str) -> Option<u16> {
    let (before, port) = line.trim_end_matches('.').rsplit_once("on port ")?;
    before.contains("started successfully").then(|| port.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_line_that_says_it_listens() {
        assert_eq!(port_of("ChromeDriver was started successfully on port 34417."), Some(34417));
        assert_eq!(port_of("Starting ChromeDriver 156.0 (a-b@{#1704}) on port 0"), None);
        assert_eq!(port_of(""), None);
    }

    #[tokio::test]
    async fn a_program_that_says_nothing_and_ends_is_named() {
        let error = Process::start("/bin/true".into(), Home::new(None).unwrap()).await.unwrap_err();
        assert!(error.starts_with("chromedriver ended at once"), "{error}");
    }
}
