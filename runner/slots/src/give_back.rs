//! Giving a slot or a place in the queue back.

use base::failure::Failure;
use base::names::RunId;
use swarm::Swap;
use tokio::time::Instant;

use super::Slots;
use super::board::Board;
use super::state::{LedgerEntry, SlotRequest};

impl<B: Board> Slots<B> {
    /// Removes a run's ticket and its entries, and tells who may go now.
    ///
    /// # Errors
    /// The swarm does not answer. What is left then expires.
    pub(super) async fn give_back(
        &self,
        which: impl Fn(&LedgerEntry) -> bool,
        run: &RunId,
        long: bool,
    ) -> Result<(), Failure> {
        // At once, since somebody waits. Killed between the two, it leaves a dead run or a ticket that
        // nobody stands behind, and both are found.
        let (left, struck) = tokio::join!(self.board.leave(run), self.strike(which));
        left.and(struck)?;
        self.tell_next(long).await
    }

    /// Removes the entry of a run whose apps are gone, and tells who may go now.
    pub async fn forget(&self, number: u64) -> Result<(), Failure> {
        self.strike(|held| held.number == number).await?;
        self.tell_next(false).await
    }

    /// Removes all that is on record of a run: one that never got its slot, or one whose apps are gone, also
    /// such that were kept.
    pub async fn forget_run(&self, run: &RunId) -> Result<(), Failure> {
        self.give_back(|held| held.ask.run == *run, run, false).await
    }

    /// Puts the room of a kept app on record, where it is not yet.
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
            // Where the write was late, somebody else's was not: all together always come forward.
            self.board.write(&ledger.without(number)).await?;
        }
        Ok(())
    }

    /// Marks a run as one that shall stop: it hears so at once, waiting or holding. False where there is no
    /// such run.
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

    /// Gives back, and tries again while the swarm does not answer.
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
