//! The sender: follows a run's journal and sends it to a `cc-ci serve`. It never delays the run, and its result changes
//! no verdict.

use host::note;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::names::RunId;
use forge::watch::Backoff;
use http_client::{Http, Method};
use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::follow::{Batch, Follower};
use super::wire::{BODY, PictureName, RelayReply, path, picture_path};
use journal::event::{Event, Record};

use journal::plain_file;
use journal::run_dir::RunDir;
use report::html::PNG;

/// Maximum delay between an event and its request.
const SOON: Duration = Duration::from_millis(500);
/// A request is sent at least this often, since the response may have a message for the run.
const QUIET: Duration = Duration::from_secs(10);
/// Timeout of a request.
const LIMIT: Duration = Duration::from_secs(20);
/// Number of attempts for a picture, while the records after it wait.
const TRIES: u32 = 3;
/// Backoff while the receiver is down.
const PACE: Backoff = Backoff { interval: SOON, longest: Duration::from_secs(30) };
/// How long the rest may take after the run is over, while the receiver accepts it.
const LAST: Duration = Duration::from_secs(60);
/// How long to wait after the run for a receiver that is down: the step of a build occupies its runner meanwhile, and
/// its exit code and log have the verdict too.
const ABSENT: Duration = Duration::from_secs(5);

/// Where a run reports to.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The address of the `cc-ci serve`.
    pub url: Url,
    pub token: SecretString,
    pub http: Http,
    /// Whether to send the pictures that its records name.
    pub pictures: bool,
}

/// A run that is being reported.
#[derive(Debug)]
pub struct Reporter {
    task: JoinHandle<Result<(), String>>,
    over: CancellationToken,
    trouble: Arc<Mutex<Option<String>>>,
    to: String,
}

/// Why a batch did not arrive.
enum Trouble {
    /// A retry may succeed.
    Away(String),
    /// Retries will fail until the cause is fixed.
    Refused(String),
}

impl Reporter {
    /// Starts with the first line of the run's journal.
    pub fn start(to: Destination, run: &RunId, dir: RunDir) -> Self {
        let (over, trouble) = (CancellationToken::new(), Arc::default());
        let url = below(&to.url, &path(run));
        let sender: String = rand::random::<[u8; 8]>().iter().map(|byte| format!("{byte:02x}")).collect();
        let place = to.url.to_string();
        let journal = Follower::new(dir.journal());
        let sending = Sending {
            run: run.clone(),
            to,
            url,
            sender,
            dir,
            journal,
            over: over.clone(),
            trouble: Arc::clone(&trouble),
            hold_s: None,
            pictures: BTreeSet::new(),
            tries: 0,
        };
        Self { task: tokio::spawn(sending.go()), over, trouble, to: place }
    }

    /// Sends the rest after the run, for a minute at most, and prints what could not be sent on standard error.
    pub async fn finish(self) {
        let Self { mut task, over, trouble, to } = self;
        over.cancel();
        let why = match timeout(LAST, &mut task).await {
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(why))) => why,
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                task.abort();
                let known = trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
                known.unwrap_or_else(|| format!("it takes longer than {} s", LAST.as_secs()))
            }
        };
        note!("cc-ci: not all of this run was reported to {to}: {why}; the verdict is as it is");
    }
}

struct Sending {
    run: RunId,
    to: Destination,
    url: Url,
    sender: String,
    dir: RunDir,
    journal: Follower,
    over: CancellationToken,
    trouble: Arc<Mutex<Option<String>>>,
    hold_s: Option<u64>,
    /// Pictures that were sent or skipped.
    pictures: BTreeSet<PictureName>,
    /// Failed attempts since the last picture that was sent.
    tries: u32,
}

impl Sending {
    async fn go(mut self) -> Result<(), String> {
        let (mut failures, mut last) = (0_u32, Instant::now());
        // When the receiver was first found down after the run.
        let mut absent: Option<Instant> = None;
        loop {
            // Checked before the journal is read: everything written by then is sent.
            let is_over = self.over.is_cancelled();
            let mut batch = self.journal.next(BODY).map_err(|error| error.to_string())?;
            let has_begun = batch.first > 0;
            if self.to.pictures && !has_begun {
                // The first line creates its folder there, for pictures that other lines name.
                batch.cut_to(1);
            }
            if batch.is_empty() && !(failures == 0 && has_begun && !is_over && last.elapsed() >= QUIET) {
                if is_over {
                    return Ok(());
                }
                self.pause(SOON).await;
                continue;
            }
            last = Instant::now();
            let brought = match self.bring_pictures(&batch).await {
                Ok(()) => self.bring(&batch).await,
                Err(trouble) => Err(trouble),
            };
            match brought {
                Ok(RelayReply { here: true, .. }) => return Ok(()),
                Ok(answer) => {
                    (failures, absent) = (0, None);
                    self.heard(&batch, &answer)?;
                }
                Err(Trouble::Refused(why)) if is_over => return Err(why),
                Err(Trouble::Away(why)) if is_over && absent.get_or_insert(last).elapsed() >= ABSENT => {
                    return Err(why);
                }
                Err(Trouble::Refused(why) | Trouble::Away(why)) => {
                    if failures == 0 {
                        note!("cc-ci: this run cannot be reported to {} now ({why}); the run continues", self.to.url);
                    }
                    failures = failures.saturating_add(1);
                    *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                    let pause = PACE.after(failures, rand::random());
                    // Little time is left, so the pause must be a fraction of it.
                    if is_over { sleep(pause.min(ABSENT / 5)).await } else { self.pause(pause).await }
                }
            }
        }
    }

    /// Timeout of one request: a receiver that is silent after the run counts as down.
    fn limit(&self) -> Duration {
        if self.over.is_cancelled() { ABSENT } else { LIMIT }
    }

    /// Waits, at most until the run is over.
    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            () = self.over.cancelled() => {}
        }
    }

    /// Sends the pictures that a batch names. A picture that cannot be sent is skipped after some attempts, and later
    /// ones at once until one succeeds: their records are more important.
    async fn bring_pictures(&mut self, batch: &Batch) -> Result<(), Trouble> {
        for name in if self.to.pictures { named(batch) } else { BTreeSet::new() } {
            if self.pictures.contains(&name) {
                continue;
            }
            match self.bring_picture(&name).await {
                Ok(()) => self.tries = 0,
                Err(Trouble::Away(_)) if self.tries < TRIES && !self.over.is_cancelled() => {
                    self.tries += 1;
                    return Err(Trouble::Away(format!("the picture {} does not get there", name.as_str())));
                }
                Err(Trouble::Away(why) | Trouble::Refused(why)) => {
                    tracing::warn!("the picture {} is not reported: {why}", name.as_str());
                }
            }
            self.pictures.insert(name);
        }
        Ok(())
    }

    async fn bring_picture(&self, name: &PictureName) -> Result<(), Trouble> {
        let file = plain_file::read(&self.dir.artifacts().join(name.as_str()), BODY as u64);
        let picture = file.ok().flatten().filter(|bytes| bytes.starts_with(PNG));
        let picture = picture.ok_or_else(|| Trouble::Refused("it is no PNG of at most 1 MiB".to_owned()))?;
        let mut url = below(&self.to.url, &picture_path(&self.run, name));
        url.set_query(Some(&format!("sender={}", self.sender)));
        let ask = self.to.http.ask(Method::POST, &url).bearer(&self.to.token).within(self.limit());
        let sent = ask.body("image/png", picture).send().await;
        match sent.map_err(|error| Trouble::Away(error.to_string()))?.status {
            200 => Ok(()),
            status @ (408 | 429 | 500..) => Err(Trouble::Away(format!("it answers {status}"))),
            status => Err(Trouble::Refused(format!("it answers {status}"))),
        }
    }

    async fn bring(&self, batch: &Batch) -> Result<RelayReply, Trouble> {
        let mut url = self.url.clone();
        url.set_query(Some(&format!("first={}&sender={}", batch.first, self.sender)));
        let ask = self.to.http.ask(Method::POST, &url).bearer(&self.to.token).within(self.limit());
        let sent = ask.body("application/x-ndjson", batch.bytes.clone()).send().await;
        let answer = sent.map_err(|error| Trouble::Away(error.to_string()))?;
        match answer.status {
            200 | 409 => match answer.json::<RelayReply>() {
                Err(why) => Err(Trouble::Refused(format!("it is no cc-ci serve: {why}"))),
                Ok(answer) if answer.next == Some(batch.first) && !batch.is_empty() => {
                    Err(Trouble::Away("it accepted nothing".to_owned()))
                }
                Ok(answer) => Ok(answer),
            },
            status @ (408 | 429 | 500..) => Err(Trouble::Away(format!("it answers {status}"))),
            status => {
                let why = answer.json::<RelayReply>().ok().and_then(|answer| answer.why).unwrap_or_default();
                let line: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
                Err(Trouble::Refused(format!("it answers {status} {line}").trim_end().to_owned()))
            }
        }
    }

    fn heard(&mut self, batch: &Batch, answer: &RelayReply) -> Result<(), String> {
        let Some(next) = answer.next else { return Err("its response has no next line".to_owned()) };
        if next < batch.first {
            // The receiver has lost its copy, pictures included.
            self.pictures.clear();
        }
        let mut behind = self.journal.clone();
        behind.pass(batch);
        self.journal = behind;
        self.journal.go_to(next).map_err(|error| error.to_string())?;
        if let Some(hold) = answer.hold_s.filter(|_| answer.hold_s != self.hold_s) {
            match self.dir.hold(Duration::from_secs(hold)) {
                Ok(()) => self.hold_s = Some(hold),
                Err(error) => tracing::warn!("the app cannot be kept: {error}"),
            }
        }
        Ok(())
    }
}

/// The pictures that the records of a batch name.
fn named(batch: &Batch) -> BTreeSet<PictureName> {
    let files = |record: Record| match record.event {
        Event::CheckEnded { check, .. } => {
            let of_fault = check.fault.map(|fault| fault.failure.files).unwrap_or_default();
            [check.shown.files, of_fault].concat()
        }
        _ => Vec::new(),
    };
    let records = batch.lines().filter_map(|line| journal::record_of(line).ok().flatten());
    let prefix = format!("{}/", RunDir::ARTIFACTS);
    records.flat_map(files).filter_map(|file| PictureName::new(file.strip_prefix(&prefix)?)).collect()
}

/// A path of the server, which may itself have a base path.
fn below(server: &Url, path: &str) -> Url {
    let mut url = server.clone();
    url.set_path(&format!("{}{path}", server.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests;
