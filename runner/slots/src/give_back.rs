//! Gives back a slot or a place in the queue.

use base::failure::Failure;
use base::names::RunId;
use swarm::Swap;
use tokio::time::Instant;

use super::Slots;
use super::board::Board;
use super::state::{LedgerEntry, SlotRequest};

impl<B: Board> Slots<B> {
    /// Removes a run's ticket and entries, and notifies those that are admitted now.
    ///
    /// # Errors
    /// The swarm does not answer. What is left then expires.
    pub(super) async fn give_back(
        &self,
        which: impl Fn(&LedgerEntry) -> bool,
        run: &RunId,
        long: bool,
    ) -> Result<(), Failure> {
        // In parallel, since others wait. If the process is killed between the two, a dead run or an orphaned ticket is
        // left, and both are found.
        let (left, struck) = tokio::join!(self.board.leave(run), self.strike(which));
        left.and(struck)?;
        self.tell_next(long).await
    }

    /// Removes the entry of a run whose apps are gone, and notifies those that are admitted now.
    pub async fn forget(&self, number: u64) -> Result<(), Failure> {
        self.strike(|held| held.number == number).await?;
        self.tell_next(false).await
    }

    /// Removes all records of a run that never got its slot, or whose apps (kept ones included) are gone.
    pub async fn forget_run(&self, run: &RunId) -> Result<(), Failure> {
        self.give_back(|held| held.ask.run == *run, run, false).await
    }

    /// Records the room of a kept app, if it is not recorded yet.
    pub async fn note_kept(&self, ask: SlotRequest) -> Result<(), Failure> {
        while let Some(ledger) = self.board.ledger().await?.filter(|ledger| ledger.of(&ask.run).is_none()) {
            // No ticket has the number of a change of the ledger.
            let held = LedgerEntry { ask: ask.clone(), number: ledger.version, since: ledger.updated, kept: true };
            if self.board.write(&ledger.with(held)).await? != Swap::Stale {
                break;
            }
        }
        Ok(())
    }

    /// Removes entries from the ledger.
    pub(super) async fn strike(&self, which: impl Fn(&LedgerEntry) -> bool) -> Result<(), Failure> {
        while let Some(ledger) = self.board.ledger().await? {
            let Some(number) = ledger.held.iter().find(|held| which(held)).map(|held| held.number) else { break };
            // A lost race means that another write succeeded, so there is progress overall.
            self.board.write(&ledger.without(number)).await?;
        }
        Ok(())
    }

    /// Requests that a run stops: it is notified at once, waiting or holding. False if there is no such run.
    pub async fn cancel(&self, run: &RunId, by: &str) -> Result<bool, Failure> {
        while let Some(ticket) = self.board.ticket(run).await? {
            let mut marked = ticket.as_ref().clone();
            marked.cancel = Some(by.to_owned());
            match self.board.change(&marked).await? {
                Swap::Done => return Ok(true),
                Swap::Gone => return Ok(false),
                Swap::Stale => {}
            }
        }
        Ok(false)
    }

    /// Gives back, with retries while the swarm does not answer.
    pub(super) async fn give_back_patiently(&self, held: &LedgerEntry, long: bool) -> Result<(), Failure> {
        let until = Instant::now() + self.timing.patience;
        let mut pause = std::time::Duration::from_millis(100);
        loop {
            match self.give_back(|other| other.number == held.number, &held.ask.run, long).await {
                Err(failure) if Instant::now() >= until => return Err(failure),
                Ok(()) => return Ok(()),
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(std::time::Duration::from_secs(2));
        }
    }
}
