//! The shared records on a real swarm.

use std::sync::Arc;

use base::failure::{Failure, Kind};
use base::name_type;
use base::names::{NameError, RunId};
use jiff::Timestamp;
use swarm::{RecordChanges, SharedRecord, Swap, Swarm};

use super::board::Board;
use super::labels;
use super::state::{Caps, Ledger, SlotRequest, SlotsView, Ticket};

name_type! {
    /// The name of a set of slots: 1 to 27 lower-case letters, digits and hyphens. With a run's id appended it is the
    /// name of a swarm config, which has at most 64 bytes.
    SetName, check
}

fn check(text: &str) -> Result<(), NameError> {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_one = (1..=27).contains(&text.len()) && text.bytes().all(fine) && !text.starts_with('-');
    let why = "1 to 27 lower-case letters, digits and hyphens, with no hyphen in front";
    if is_one { Ok(()) } else { Err(NameError::new("the name of a set of slots", text, why)) }
}

/// The records `<set>-slots` (the ledger) and `<set>-run-<run>` (the tickets).
#[derive(Debug, Clone)]
pub struct SwarmBoard {
    swarm: Swarm,
    set: SetName,
}

impl SwarmBoard {
    /// The records of one set, independent of other sets.
    pub fn of_set(swarm: &Swarm, set: &SetName) -> Self {
        Self { swarm: swarm.clone(), set: set.clone() }
    }

    fn ledger_name(&self) -> String {
        format!("{}-slots", self.set)
    }

    fn ticket_name(&self, run: &RunId) -> String {
        format!("{}-run-{run}", self.set)
    }

    /// Removes the ledger: holders lose their slots. Only for the removal of a world.
    pub async fn close(&self) -> Result<(), Failure> {
        self.swarm.drop_shared_record(&self.ledger_name()).await
    }

    async fn view(&self, label: &str) -> Result<Option<SlotsView>, Failure> {
        let records = self.swarm.shared_records(&format!("{label}={}", self.set)).await?;
        let Some(ledger) = records.iter().find(|record| record.name == self.ledger_name()) else { return Ok(None) };
        let ledger = self.read_ledger(ledger)?;
        let mut tickets: Vec<Arc<Ticket>> = records.iter().filter_map(labels::ticket).map(Arc::new).collect();
        tickets.sort_by_key(|ticket| ticket.number);
        Ok(Some(SlotsView { ledger, tickets }))
    }

    fn read_ledger(&self, record: &SharedRecord) -> Result<Arc<Ledger>, Failure> {
        labels::ledger(record).ok_or_else(|| {
            Failure::new(
                Kind::NoSlot,
                format!("the swarm config {} cannot be parsed as the ledger of slots", self.ledger_name()),
                "does another version of cc-ci use this swarm? If nothing runs: `docker config rm` it",
            )
        })
    }
}

impl Board for SwarmBoard {
    type Changes = RecordChanges;

    async fn look(&self) -> Result<Option<SlotsView>, Failure> {
        self.view(labels::SET).await
    }

    async fn front(&self) -> Result<Option<SlotsView>, Failure> {
        self.view(labels::FRONT).await
    }

    async fn ledger(&self) -> Result<Option<Arc<Ledger>>, Failure> {
        let record = self.swarm.shared_record(&self.ledger_name()).await?;
        record.map(|record| self.read_ledger(&record)).transpose()
    }

    async fn ticket(&self, run: &RunId) -> Result<Option<Arc<Ticket>>, Failure> {
        let record = self.swarm.shared_record(&self.ticket_name(run)).await?;
        Ok(record.as_ref().and_then(labels::ticket).map(Arc::new))
    }

    async fn open(&self, caps: Caps) -> Result<(), Failure> {
        let empty = Ledger { version: 0, caps, held: Vec::new(), updated: Timestamp::UNIX_EPOCH };
        self.swarm.make_shared_record(&self.ledger_name(), labels::of_ledger(self.set.as_str(), &empty)).await.map(drop)
    }

    async fn write(&self, ledger: &Ledger) -> Result<Swap, Failure> {
        let labels = labels::of_ledger(self.set.as_str(), ledger);
        self.swarm.swap_shared_record(&self.ledger_name(), ledger.version, labels).await
    }

    async fn join(&self, ask: &SlotRequest, within_ms: u64) -> Result<(), Failure> {
        let labels = labels::of_ask(self.set.as_str(), ask, within_ms);
        self.swarm.make_shared_record(&self.ticket_name(&ask.run), labels).await.map(drop)
    }

    async fn change(&self, ticket: &Ticket) -> Result<Swap, Failure> {
        let (name, labels) = (self.ticket_name(&ticket.ask.run), labels::of_ticket(self.set.as_str(), ticket));
        self.swarm.swap_shared_record(&name, ticket.version, labels).await
    }

    async fn leave(&self, run: &RunId) -> Result<(), Failure> {
        self.swarm.drop_shared_record(&self.ticket_name(run)).await
    }

    async fn expire(&self, ticket: &Ticket) -> Result<(), Failure> {
        self.swarm.drop_shared_record(&ticket.id).await
    }

    fn changes(&self, run: &RunId, since: Timestamp) -> RecordChanges {
        self.swarm.shared_record_changes(&self.ticket_name(run), since)
    }
}
