//! A run that stands still between two of its events.

use std::os::fd::OwnedFd;
use std::process::{Child, Command};

use journal::event::{Event, Record};
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, tee};

/// One page, the least that a pipe can hold, and the most that one write puts there at once.
const PAGE: usize = 4096;

/// A run whose events go through a pipe that holds one of them. While that is not taken, the run goes on to where it tells
/// the next one, and no further.
pub(crate) struct Held {
    pub(crate) child: Child,
    events: OwnedFd,
    /// The beginning of an event that is longer than a page.
    line: Vec<u8>,
    pub(crate) records: Vec<Record>,
}

impl Held {
    pub(crate) fn start(mut command: Command) -> Self {
        // Each write stays by itself, in a page of its own.
        let (events, theirs) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::DIRECT).unwrap();
        fcntl_setpipe_size(&events, PAGE).unwrap();
        let child = command.stdout(theirs).spawn().unwrap();
        // It has the other end; with this one open the events would never end.
        drop(command);
        Self { child, events, line: Vec::new(), records: Vec::new() }
    }

    /// Takes events until the wanted one is the next.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Event) -> bool) {
        while let Some(next) = self.peek() {
            if wanted(&next.event) {
                return;
            }
            self.take();
        }
        panic!("the run ended before that: {:?}", self.records.last());
    }

    /// The next event, which stays in the pipe; none when all were told.
    pub(crate) fn peek(&mut self) -> Option<Record> {
        loop {
            let (copy, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
            if tee(&self.events, &into, PAGE, SpliceFlags::empty()).unwrap() == 0 {
                return None;
            }
            let line = [&*self.line, &packet(&copy)].concat();
            if line.ends_with(b"\n") {
                return Some(serde_json::from_slice(&line).unwrap());
            }
            self.take();
        }
    }

    /// Takes what is in the pipe: an event, or the first part of one.
    pub(crate) fn take(&mut self) {
        self.line.extend(packet(&self.events));
        if self.line.ends_with(b"\n") {
            self.records.push(serde_json::from_slice(&std::mem::take(&mut self.line)).unwrap());
        }
    }
}

fn packet(from: &OwnedFd) -> Vec<u8> {
    let mut bytes = vec![0; PAGE];
    let length = rustix::io::read(from, &mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}
