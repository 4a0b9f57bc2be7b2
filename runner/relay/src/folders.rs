//! The folders of reporting runs, where their lines are appended.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::names::RunId;

use super::follow::Batch;
use super::wire::PictureName;
use journal::event::{Event, Record};

use journal::run_dir::RunDir;
use report::html::PNG;
use report::write_all;

/// Maximum size of a journal; cc-ci never writes a longer one.
const JOURNAL_BYTES: u64 = 64 * 1024 * 1024;
/// Maximum number of pictures of a run.
const PICTURES: usize = 200;
/// Maximum number of runs with open files; others are reopened at the next batch.
const OPEN: usize = 100;

/// The folders of reporting runs in one state folder.
#[derive(Debug)]
pub struct Folders {
    state: PathBuf,
    open: Mutex<BTreeMap<RunId, Open>>,
}

/// An accepted batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The next expected line.
    pub next: u64,
    /// How long the run's app is to be kept, if a user requested that.
    pub hold: Option<Duration>,
}

/// Why a batch is refused.
#[derive(Debug, thiserror::Error)]
pub enum BatchRefusal {
    /// Lines before it are missing.
    #[error("line {next} is expected next")]
    Gap {
        /// The next expected line.
        next: u64,
    },
    /// The run belongs to this state folder.
    #[error("the run's folder is this machine's own")]
    Here,
    /// Another process reports under the same id.
    #[error("another process reports as this run")]
    Other,
    /// The journal or the number of pictures exceeds its limit.
    #[error("the run has sent more than {} MiB, or than {PICTURES} pictures", JOURNAL_BYTES / 1024 / 1024)]
    Full,
    /// It does not start like a picture.
    #[error("it is no PNG")]
    NoPicture,
    /// A line does not belong to this run's journal.
    #[error("line {line} is none of this run's journal: {why}")]
    Rubbish {
        /// Its number, from 0.
        line: u64,
        why: String,
    },
    /// The disk refuses.
    #[error("the run's folder cannot be used: {0}")]
    Disk(#[from] io::Error),
}

#[derive(Debug)]
struct Open {
    file: File,
    sender: String,
    next: u64,
    bytes: u64,
}

impl Folders {
    pub fn below(state: PathBuf) -> Self {
        Self { state, open: Mutex::default() }
    }

    /// Appends the new lines of a batch and skips known ones. `sender` is the only process that may report as this run.
    ///
    /// # Errors
    /// See [`BatchRefusal`]; then nothing was appended.
    pub fn take(&self, run: &RunId, sender: &str, batch: &Batch) -> Result<Taken, BatchRefusal> {
        let records = checked(run, batch)?;
        let dir = RunDir::of(&self.state, run);
        // One at a time: the work is a write of some kilobytes.
        let mut all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(run) {
            let Some(open) = Open::of(&dir, sender, batch)? else { return Ok(Taken { next: 0, hold: None }) };
            if all.len() >= OPEN {
                all.clear();
            }
            all.insert(run.clone(), open);
        }
        let Some(open) = all.get_mut(run) else { return Err(BatchRefusal::Other) };
        if open.sender != sender {
            return Err(BatchRefusal::Other);
        }
        let is_over = records.iter().flatten().any(|record| matches!(record.event, Event::RunEnded { .. }));
        let taken = open.append(batch).and_then(|()| if is_over { Ok(open.file.sync_all()?) } else { Ok(()) });
        let next = open.next;
        // A failed write may have left a partial line, so the folder is reopened.
        if is_over || matches!(taken, Err(BatchRefusal::Disk(_))) {
            all.remove(run);
        }
        drop(all);
        taken?;
        if is_over && let Ok(journal) = journal::read(&dir.journal()) {
            for written in write_all(&dir, &journal.records).iter().filter_map(|written| written.error.as_ref()) {
                tracing::warn!("a report of run {run} cannot be written: {written}");
            }
        }
        Ok(Taken { next, hold: dir.asked_to_hold() })
    }
}

impl Folders {
    /// Adds a picture to the files of a run that has begun to report. An existing file is unchanged.
    ///
    /// # Errors
    /// See [`BatchRefusal`].
    pub fn take_picture(
        &self,
        run: &RunId,
        sender: &str,
        name: &PictureName,
        bytes: &[u8],
    ) -> Result<(), BatchRefusal> {
        if !bytes.starts_with(PNG) {
            return Err(BatchRefusal::NoPicture);
        }
        let dir = RunDir::of(&self.state, run);
        match std::fs::read_to_string(dir.reported()) {
            Ok(known) if known == sender => {}
            Ok(_) => return Err(BatchRefusal::Other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(BatchRefusal::Gap { next: 0 }),
            Err(error) => return Err(error.into()),
        }
        let folder = dir.artifacts();
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
        if std::fs::read_dir(&folder)?.count() >= PICTURES {
            return Err(BatchRefusal::Full);
        }
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&folder)?;
        file.write_all(bytes)?;
        match file.persist_noclobber(folder.join(name.as_str())) {
            Err(failed) if failed.error.kind() != io::ErrorKind::AlreadyExists => Err(failed.error.into()),
            _ => Ok(()),
        }
    }
}

/// The records of a batch; `None` for an event of a later version. Checked so that every reader can parse the journal.
fn checked(run: &RunId, batch: &Batch) -> Result<Vec<Option<Record>>, BatchRefusal> {
    let one = |(at, line): (usize, &[u8])| {
        let number = batch.first.saturating_add(at as u64);
        let rubbish = |why: String| BatchRefusal::Rubbish { line: number, why };
        let record = journal::record_of(line).map_err(|error| rubbish(error.to_string()))?;
        match record.as_ref().map(|record| &record.event) {
            Some(Event::RunStarted(started)) if number == 0 && started.run == *run => Ok(record),
            Some(Event::RunStarted(_)) => Err(rubbish("it is the beginning of another run".to_owned())),
            _ if number == 0 => Err(rubbish("it is not the beginning of a run".to_owned())),
            _ => Ok(record),
        }
    };
    if !batch.is_empty() && !batch.bytes.ends_with(b"\n") {
        return Err(BatchRefusal::Rubbish { line: batch.first, why: "the last line is cut short".to_owned() });
    }
    batch.lines().enumerate().map(one).collect()
}

impl Open {
    /// Opens a run's folder, or creates it for its first lines; `None` if it does not exist and the batch is empty.
    fn of(dir: &RunDir, sender: &str, batch: &Batch) -> Result<Option<Self>, BatchRefusal> {
        match std::fs::read_to_string(dir.reported()) {
            Ok(known) if known == sender => {}
            Ok(_) => return Err(BatchRefusal::Other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if std::fs::read_dir(dir.path()).is_ok_and(|mut found| found.next().is_some()) {
                    return Err(BatchRefusal::Here);
                }
                if batch.first > 0 {
                    return Err(BatchRefusal::Gap { next: 0 });
                }
                if batch.is_empty() {
                    return Ok(None);
                }
                // Only one can be the first; the folder of a local run exists before.
                dir.create_reported(sender)?;
            }
            Err(error) => return Err(error.into()),
        }
        let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(dir.journal())?;
        let mut known = Vec::new();
        file.read_to_end(&mut known)?;
        // A death during a write leaves a partial line.
        let whole = known.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        let next = known[..whole].iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(Some(Self { file, sender: sender.to_owned(), next, bytes: whole as u64 }))
    }

    fn append(&mut self, batch: &Batch) -> Result<(), BatchRefusal> {
        let Some(known) = self.next.checked_sub(batch.first) else { return Err(BatchRefusal::Gap { next: self.next }) };
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let new: Vec<u8> = batch.bytes.split_inclusive(|byte| *byte == b'\n').skip(known).flatten().copied().collect();
        if self.bytes + new.len() as u64 > JOURNAL_BYTES {
            return Err(BatchRefusal::Full);
        }
        if let Err(error) = self.file.write_all(&new) {
            let _ = self.file.set_len(self.bytes);
            return Err(error.into());
        }
        self.bytes += new.len() as u64;
        self.next += batch.lines().skip(known).count() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
