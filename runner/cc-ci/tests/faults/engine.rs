//! Docker engines of the suite's own, which can be restarted and lost while nobody else notices.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use inotify::{Inotify, WatchMask};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A machine with an engine, in namespaces. It goes when this process does, however it ends.
pub(crate) struct Engine {
    number: u8,
    folder: PathBuf,
    keeper: Child,
    answers: BufReader<ChildStdout>,
}

impl Engine {
    /// A machine that is off. It keeps its engine's data below a folder.
    pub(crate) fn new(below: &Path, number: u8) -> Self {
        let folder = below.join(format!("engine-{number}"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/engine.sh");
        let mut keeper = Command::new(script)
            .arg(&folder)
            .arg(number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(keeper.stdout.take().unwrap());
        Self { number, folder, keeper, answers }
    }

    pub(crate) fn keeper(&self) -> u32 {
        self.keeper.id()
    }

    fn order(&mut self, word: &str) {
        writeln!(self.keeper.stdin.as_ref().unwrap(), "{word}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), word, "engines of their own need root: {}", self.log());
    }

    /// Switches it on and waits until its engine answers.
    pub(crate) fn on(&mut self) {
        self.order("on");
        self.until_it_answers();
    }

    /// All of its processes are gone at once, as if the power went.
    pub(crate) fn off(&mut self) {
        self.order("off");
    }

    /// Sends a signal to the engine alone. What ends it starts it again.
    pub(crate) fn signal(&self, name: &str) {
        let init = std::fs::read_to_string(self.folder.join("init")).unwrap();
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", init.trim())).unwrap();
        let is_engine = |pid: &&str| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == "dockerd")
        };
        let engine = children.split(' ').find(is_engine).unwrap_or_else(|| panic!("no engine among {children}"));
        assert!(Command::new("kill").args(["-s", name, engine]).status().unwrap().success());
    }

    /// Asks it, and again each time that it says something in its log or makes its socket anew.
    pub(crate) fn until_it_answers(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        // Looked at before it is asked, so that nothing is missed in between.
        let mut changes = Inotify::init().unwrap();
        changes.watches().add(&self.folder, WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::MODIFY).unwrap();
        while !self.docker(&["version"]).status.success() {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap();
            let mut waiting = [PollFd::new(&changes, PollFlags::IN)];
            let changed = poll(&mut waiting, Some(&left)).unwrap();
            assert!(changed > 0, "engine {} does not answer: {}", self.number, self.log());
            // All that happened until now is one reason to ask.
            changes.read_events(&mut [0; 4096]).unwrap().for_each(drop);
        }
    }

    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("docker.sock")
    }

    /// The address for `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub(crate) fn name(&self) -> String {
        format!("engine-{}", self.number)
    }

    /// The machine's own address, as this one sees it.
    pub(crate) fn address(&self) -> IpAddr {
        IpAddr::from([192, 168, 231, 10 + self.number])
    }

    /// The docker command line there.
    pub(crate) fn docker(&self, words: &[&str]) -> Output {
        Command::new("docker").args(["-H", &self.host()]).args(words).output().unwrap()
    }

    /// The lines that the docker command line prints there.
    pub(crate) fn lines(&self, words: &[&str]) -> Vec<String> {
        let output = self.docker(words);
        assert!(output.status.success(), "docker {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Brings images of this machine's engine there.
    pub(crate) fn load(&self, images: &[&str]) {
        let mut save = Command::new("docker").arg("save").args(images).stdout(Stdio::piped()).spawn().unwrap();
        let load = Command::new("docker")
            .args(["-H", &self.host(), "load", "--quiet"])
            .stdin(save.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(save.wait().unwrap().success() && load.status.success(), "{}", String::from_utf8_lossy(&load.stderr));
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
