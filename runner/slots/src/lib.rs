//! Slots: the right to hold live apps on a swarm, shared by all runners on all hosts without a further server.
//! [`state`] has the records, [`admit`](mod@admit) the admission rule, [`liveness`] the detection of dead owners,
//! [`claim`] the claims of stacks' names. The crate knows runs, hosts and stacks, and nothing about what a run does.
//!
//! ```text
//! let slots = Slots::new(SwarmBoard::of_set(&swarm, &set));
//! let granted = slots.acquire(&ask, caps, &janitor, &cancel, &mut |view, waiting| …).await?;
//! let lease = Lease::start(&slots, granted);
//! /* work until done, or until lease.stop() is cancelled; then tear down */
//! lease.release().await?;
//! ```

pub mod acquire;
pub mod admit;
mod beat;
pub mod board;
mod chores;
pub mod claim;
pub mod elsewhere;
mod enter;
pub mod forecast;
mod give_back;
mod labels;
pub mod lease;
pub mod lease_times;
pub mod liveness;
mod queue;
pub mod realm_lease;
pub mod reap;
mod rules;
mod set_caps;
#[cfg(test)]
mod simulation;
pub mod state;
pub mod status;
mod swarm_board;
mod tell;
#[cfg(test)]
mod testing;

use std::sync::Arc;

pub use acquire::{Granted, NoSlot, Waiting};
pub use board::{Board, Changes};
pub use claim::{Claim, ClaimOutcome, Claims};
pub use elsewhere::{LeftElsewhere, Leftovers};
pub use labels::SET as SET_LABEL;
pub use lease::{Lease, Lost};
pub use lease_times::LeaseTimes;
pub use realm_lease::RealmLeases;
pub use reap::{Janitor, ReapedRun, Scan};
pub use state::{CapSettings, Caps, Ledger, LedgerEntry, SlotRequest, SlotsView, Ticket};
pub use swarm_board::{SetName, SwarmBoard};

use rules::Rules;

/// The slots of one swarm. Cheap to clone.
#[derive(Debug)]
pub struct Slots<B> {
    board: Arc<B>,
    timing: LeaseTimes,
    rules: Rules,
}

impl<B> Clone for Slots<B> {
    fn clone(&self) -> Self {
        Self { board: Arc::clone(&self.board), timing: self.timing, rules: self.rules }
    }
}

impl<B: Board> Slots<B> {
    /// The slots in this board's records.
    pub fn new(board: B) -> Self {
        Self::with_timing(board, LeaseTimes::default())
    }

    /// The same with other times, for tests. All runners must use the same.
    pub fn with_timing(board: B, timing: LeaseTimes) -> Self {
        Self { board: Arc::new(board), timing, rules: Rules::default() }
    }

    pub fn board(&self) -> &B {
        &self.board
    }
}
