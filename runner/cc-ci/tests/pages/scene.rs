//! A state folder with runs, and the pages of it served on a free port.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base::names::RunId;
use clap::Parser as _;
use history::{Follower, History};
use host::queue::Runner;
use host::settings::Settings;
use jiff::{SignedDuration, Timestamp};
use journal::event::{Event, Record, RunStarted};
use journal::line;
use journal::run_dir::{Alive, RunDir};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use web::{PageSettings, Site, router};

/// The token of actions.
pub(crate) const TOKEN: &str = "a-token-of-these-tests-alone";

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    settings: Settings,
}

/// A state folder.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) history: History,
}

/// A server of its pages, with threads of its own: with it every connection ends, as with a process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    threads: Option<Runtime>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// What a server shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shows {
    pub(crate) pictures: bool,
    pub(crate) acts: bool,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path()).unwrap();
        Self { folder, history }
    }

    pub(crate) fn state(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn dir(&self, run: &RunId) -> RunDir {
        RunDir::of(self.state(), run)
    }

    /// Puts a run that is over into the history.
    pub(crate) fn over(&self, records: &[Record]) -> RunId {
        let (run, alive) = self.begin(records);
        drop(alive);
        self.history.import(&self.dir(&run)).unwrap();
        run
    }

    /// Begins a run that lives for as long as its lock.
    pub(crate) fn begin(&self, records: &[Record]) -> (RunId, Alive) {
        let Some(Event::RunStarted(started)) = records.first().map(|record| &record.event) else {
            panic!("a journal begins with its start")
        };
        let alive = self.dir(&started.run).create().unwrap();
        self.tell(&started.run, records);
        (started.run.clone(), alive)
    }

    /// Adds to a run's journal.
    pub(crate) fn tell(&self, run: &RunId, records: &[Record]) {
        let lines: Vec<u8> = records.iter().flat_map(|record| line(record).unwrap()).collect();
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.dir(run).journal()).unwrap();
        file.write_all(&lines).unwrap();
    }

    pub(crate) fn runner(&self) -> Runner {
        let settings = Flags::try_parse_from(["pages", "--recipes", recipes().to_str().unwrap()]).unwrap().settings;
        Runner { settings, state: self.state().to_owned(), host: "ci-1".to_owned(), yields: false }
    }

    pub(crate) fn site(&self, shows: Shows) -> Site {
        let token = self.state().join("token");
        std::fs::write(&token, TOKEN).unwrap();
        let home = Some("https://ci.example.org/".parse().unwrap());
        let shown = PageSettings { token_file: shows.acts.then_some(token.as_path()), home, pictures: shows.pictures };
        Site::new(&self.history, &self.runner(), &shown).unwrap()
    }

    /// Serves the pages, and follows runs that live.
    pub(crate) fn serve(&self, shows: Shows) -> Server {
        self.serve_at(shows, "127.0.0.1:0".parse().unwrap())
    }

    /// The same at an address.
    pub(crate) fn serve_at(&self, shows: Shows, address: SocketAddr) -> Server {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (site, history) = (self.site(shows), self.history.clone());
        let (told, heard) = std::sync::mpsc::channel();
        threads.spawn(async move {
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            let follower = Follower::new(&history).unwrap();
            tokio::spawn(async move { follower.follow(&CancellationToken::new()).await.unwrap() });
            told.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router(site)).await.unwrap();
        });
        let address = heard.recv().expect("the server starts");
        Server { address, threads: Some(threads) }
    }
}

/// The recipes of this repository, for the coverage.
fn recipes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes")
}

/// The same run under another id, begun that long ago, with another start.
pub(crate) fn another(
    records: &[Record],
    id: &str,
    ago: SignedDuration,
    change: impl Fn(&mut RunStarted),
) -> Vec<Record> {
    let mut records = records.to_vec();
    let Some(first) = records.first().map(|record| record.at) else { return records };
    let start = Timestamp::now() - ago;
    for record in &mut records {
        record.at = start + record.at.duration_since(first);
        if let Event::RunStarted(started) = &mut record.event {
            started.run = id.parse().unwrap();
            change(started);
        }
    }
    records
}
