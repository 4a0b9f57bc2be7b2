//! Entering the queue.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::Slots;
use super::acquire::NoSlot;
use super::board::Board;
use super::chores::goes;
use super::queue::{Queue, millis};
use super::state::Ticket;

impl<B: Board> Slots<B> {
    /// Enters at the end of the queue: at the start, and after other runners expired this run.
    pub(super) async fn enter(&self, queue: &mut Queue<'_, B>) -> Result<(), NoSlot> {
        queue.changes = None;
        queue.at = Instant::now();
        let (first, promise) = self.timing.first_pulse(queue.ask.run.as_str());
        queue.pulse = queue.at + first;
        self.board.join(queue.ask, millis(promise)).await?;
        queue.new = true;
        Ok(())
    }

    /// Whether a new waiter is behind the front of a long queue. Then it has to wait, and reading the whole queue is
    /// not needed.
    pub(super) async fn is_far_back(&self, queue: &mut Queue<'_, B>) -> Result<bool, NoSlot> {
        let Some(mut front) = self.board.front().await? else { return Ok(false) };
        let is_short = front.waiting().next().is_none();
        if is_short {
            return Ok(false);
        }
        // Younger than all others, whatever its number is.
        let me = Ticket {
            id: String::new(),
            ask: queue.ask.clone(),
            number: u64::MAX,
            version: 0,
            beat: 0,
            within_ms: 0,
            turn: 0,
            front: false,
            cancel: None,
            created: front.now(),
            updated: front.now(),
        };
        front.tickets.retain(|ticket| ticket.ask.run != queue.ask.run);
        // From this snapshot on; a repeated notification does no harm.
        queue.changes = Some(self.board.changes(&queue.ask.run, front.now()));
        front.tickets.push(Arc::new(me));
        Ok(!goes(&(self.rules.admit)(&front, &BTreeSet::new()), u64::MAX))
    }
}
