//! `cc-ci serve`, and what it says.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// It begins when what dead runs left is gone.
const SAYS: Duration = Duration::from_secs(180);

/// A server, killed at the end.
pub(crate) struct Server {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    heard: Vec<String>,
}

impl Server {
    /// Starts one.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, lines) = mpsc::unbounded_channel();
        forward(child.stdout.take().unwrap(), send.clone());
        forward(child.stderr.take().unwrap(), send);
        Self { child, lines, heard: Vec::new() }
    }

    /// Waits until it says these words; the whole line.
    pub(crate) async fn says(&mut self, words: &str) -> String {
        let until = Instant::now() + SAYS;
        loop {
            let line = timeout_at(until, self.lines.recv()).await.ok().flatten();
            let line = line.unwrap_or_else(|| panic!("it never said {words:?}: {:#?}", self.heard));
            println!("    serve: {line}");
            self.heard.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Prints what it said since the last words that were waited for, for a step that is red.
    pub(crate) fn print_rest(&mut self) {
        while let Ok(line) = self.lines.try_recv() {
            println!("    serve: {line}");
            self.heard.push(line);
        }
    }

    /// A line that it said before.
    pub(crate) fn said(&self, words: &str) -> &str {
        self.heard.iter().find(|line| line.contains(words)).unwrap_or_else(|| panic!("it never said {words:?}"))
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Nothing of it goes on but its runs, which have lost their leash.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        let sent = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        tokio::task::spawn_blocking(move || self.child.wait().unwrap()).await.unwrap()
    }

    /// The most memory that it had at one time, in MB.
    pub(crate) fn most_memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib * 1024.0 / 1_000_000.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn forward(output: impl Read + Send + 'static, send: mpsc::UnboundedSender<String>) {
    std::thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
    });
}
