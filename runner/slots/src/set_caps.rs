//! Changes the caps for an operator. Runs only set the caps of a swarm that has none yet.

use base::failure::Failure;
use swarm::Swap;

use super::Slots;
use super::board::Board;
use super::state::{CapSettings, Caps, Ledger};

impl<B: Board> Slots<B> {
    /// Sets the caps and notifies those that are admitted now. Holders keep their slots, even above lower caps.
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
