//! A run of the program that is under way.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command};

use base::names::{RunId, StackName};
use journal::event::{Event, Record, Stage};

use super::support::Said;

/// A run that is under way.
pub(crate) struct Live {
    pub(crate) child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    pub(crate) records: Vec<Record>,
}

impl Live {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, records: Vec::new() }
    }

    /// Reads so many events more. Whether there were so many.
    pub(crate) fn after(&mut self, count: usize) -> bool {
        let before = self.records.len();
        let records = self.lines.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        self.records.extend(records.take(count));
        self.records.len() == before + count
    }

    /// Reads until an event is there.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Event) -> bool) {
        for line in self.lines.by_ref() {
            let record: Record = serde_json::from_str(&line.unwrap()).unwrap();
            let found = wanted(&record.event);
            self.records.push(record);
            if found {
                return;
            }
        }
        panic!("the run ended before that: {:?}", self.records.last());
    }

    pub(crate) fn until_slot(&mut self) {
        self.until(|event| matches!(event, Event::StageEnded { stage: Stage::Slot, .. }));
    }

    pub(crate) fn until_waits(&mut self) {
        self.until(|event| matches!(event, Event::Progress { stage: Stage::Slot, .. }));
    }

    pub(crate) fn started(&self) -> (RunId, StackName) {
        let Event::RunStarted(started) = &self.records[0].event else { panic!("{:?}", self.records[0]) };
        (started.run.clone(), started.stack.clone())
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn end(mut self) -> Said {
        let rest = self.lines.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        self.records.extend(rest);
        let output = self.child.wait_with_output().unwrap();
        let mut said = Said::of(output);
        said.records = self.records;
        said
    }
}
