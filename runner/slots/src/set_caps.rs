//! The caps, changed by an operator. Runs only set those of a swarm that has none yet.

use base::failure::Failure;
use swarm::Swap;

use super::Slots;
use super::board::Board;
use super::state::{CapSettings, Caps, Ledger};

impl<B: Board> Slots<B> {
    /// Sets the caps, and tells those that may go now. Who holds a slot keeps it, also where the caps are lower then.
    pub async fn set_caps(&self, wish: CapSettings) -> Result<Caps, Failure> {
        loop {
            let Some(ledger) = self.board.ledger().await? else {
                self.board.open(wish.over(None)).await?;
                continue;
            };
            let caps = wish.over(Some(ledger.caps));
            if caps == ledger.caps {
                return Ok(caps);
            }
            if self.board.write(&Ledger { caps, ..ledger.as_ref().clone() }).await? == Swap::Done {
                self.tell_next(false).await?;
                return Ok(caps);
            }
        }
    }
}
