//! Getting a slot: a ticket in the queue, and then, by compare-and-swap, an entry in the ledger.
//!
//! One that waits is told when it is its turn, by an event of its own ticket, so that nobody else wakes.
//! Besides it looks around now and then, for the case that whoever should have told it is dead.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use harness::failure::{Failure, Kind};
use harness::swarm::Swap;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Slots;
use super::admit::{Answer, For, fits};
use super::board::{Board, Changes};
use super::chores::{Chore, answer, chores, goes};
use super::reap::Janitor;
use super::sight::Sight;
use super::state::{Ask, Caps, Held, Ledger, Ticket, View};

/// A slot that was just taken. It has to become a [`Lease`](super::Lease) at once, or it expires.
#[derive(Debug, Clone)]
pub struct Granted {
    /// What is held.
    pub held: Held,
    /// A moment before the slot was taken, from which on its silence counts.
    pub at: Instant,
    /// Whether it came through a long queue.
    pub(super) long: bool,
}

/// Why there is no slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoSlot {
    /// This run was asked to stop: by its own process, or by the one named.
    Cancelled(Option<String>),
    /// It fits never: what is too much.
    TooMuch(String),
    /// The swarm does not answer.
    Failed(Failure),
}

/// Where one that waits stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its ticket's number.
    pub number: u64,
    /// Its place in the queue, from 1.
    pub place: usize,
    /// How many wait, this one included.
    pub length: usize,
    /// What it waits for.
    pub why: For,
}

/// A pause before an engine that failed is asked again; it doubles up to the second one.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What one that waits tells its caller.
pub(super) type Told<'a> = &'a mut (dyn FnMut(&View, &Waiting) + Send);

/// What one that waits remembers.
struct Queue<'a, B: Board> {
    ask: &'a Ask,
    caps: Caps,
    /// Whether the ledger has had this run's caps.
    caps_told: bool,
    sight: Sight,
    changes: Option<B::Changes>,
    /// It has had a ticket.
    entered: bool,
    /// It has just got its ticket.
    new: bool,
    /// The newest turn that it has acted on.
    turn: u64,
    /// When it looks around next.
    pulse: Instant,
    /// The beginning of its last look: not later than any slot that it took after it.
    at: Instant,
}

enum Step {
    Granted(Granted),
    Again,
    Wait(Option<Held>),
}

impl<B: Board> Slots<B> {
    /// Waits for a slot. While it waits it minds the queue: it tells those that were forgotten, buries the
    /// dead, and has `janitor` remove what they left. `told` hears the place in the queue when it may
    /// have changed.
    ///
    /// # Errors
    /// There is no slot to be had; nothing of the run is left on record then, as far as the swarm answers.
    pub async fn acquire<J: Janitor>(
        &self,
        ask: &Ask,
        caps: Caps,
        janitor: &J,
        cancel: &CancellationToken,
        told: Told<'_>,
    ) -> Result<Granted, NoSlot> {
        let got = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(NoSlot::Cancelled(None)),
            got = self.wait(ask, caps, janitor, told) => got,
        };
        if got.is_err() {
            // What stays where the swarm does not answer is found by the others.
            let _ = self.give_back(|held| held.ask.run == ask.run, &ask.run, false).await;
        }
        got
    }

    async fn wait<J: Janitor>(&self, ask: &Ask, caps: Caps, janitor: &J, told: Told<'_>) -> Result<Granted, NoSlot> {
        let now = Instant::now();
        let mut queue = Queue {
            ask,
            caps,
            caps_told: false,
            sight: Sight::default(),
            changes: None,
            entered: false,
            new: false,
            turn: 0,
            pulse: now,
            at: now,
        };
        let mut finishing: Option<Pin<Box<dyn Future<Output = (u64, bool)> + Send + '_>>> = None;
        let (mut trouble, mut pause) = (None, PAUSE.0);
        loop {
            match self.step(&mut queue, told).await? {
                Ok(Step::Granted(granted)) => return Ok(granted),
                Ok(Step::Again) => continue,
                Ok(Step::Wait(orphan)) => {
                    if let (Some(held), None) = (orphan, &finishing) {
                        finishing = Some(Box::pin(async move { (held.number, janitor.finish(&held).await) }));
                    }
                    (trouble, pause) = (None, PAUSE.0);
                }
                Err(failure) => {
                    if trouble.get_or_insert_with(Instant::now).elapsed() >= self.timing.patience {
                        return Err(NoSlot::Failed(failure));
                    }
                    // An engine that is down sends no event.
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                    continue;
                }
            }
            match self.until_news(&mut queue, &mut finishing).await? {
                Ok(Some(granted)) => return Ok(granted),
                Ok(None) => {}
                Err(_) => sleep(pause).await,
            }
        }
    }

    /// One look, and what follows from it.
    async fn step(&self, queue: &mut Queue<'_, B>, told: Told<'_>) -> Result<Result<Step, Failure>, NoSlot> {
        match self.try_step(queue, told).await {
            Ok(step) => Ok(Ok(step)),
            Err(NoSlot::Failed(failure)) => Ok(Err(failure)),
            Err(end) => Err(end),
        }
    }

    async fn try_step(&self, queue: &mut Queue<'_, B>, told: Told<'_>) -> Result<Step, NoSlot> {
        let at = Instant::now();
        if !queue.entered {
            self.enter(queue).await?;
            queue.entered = true;
        }
        if std::mem::take(&mut queue.new) && self.is_far_back(queue).await? {
            return Ok(Step::Wait(None));
        }
        let Some(view) = self.board.look().await? else {
            self.board.open(queue.caps).await?;
            queue.caps_told = true;
            return Ok(Step::Again);
        };
        if !queue.caps_told && view.ledger.caps != queue.caps {
            let swap = self.board.write(&Ledger { caps: queue.caps, ..view.ledger.as_ref().clone() }).await?;
            queue.caps_told = swap == Swap::Done;
            return Ok(Step::Again);
        }
        queue.caps_told = true;
        let Some(me) = view.ticket(&queue.ask.run) else {
            if view.ledger.of(&queue.ask.run).is_some() {
                // A slot that was taken after the ticket was removed is nobody's.
                self.strike(|held| held.ask.run == queue.ask.run).await?;
            }
            self.enter(queue).await?;
            return Ok(Step::Again);
        };
        if queue.changes.is_none() {
            // From the moment after what this look saw, so that nothing falls between the two.
            queue.changes = Some(self.board.changes(&queue.ask.run, just_after(me.updated)));
        }
        if me.cancel.is_some() {
            return Err(NoSlot::Cancelled(me.cancel.clone()));
        }
        if let Some(held) = view.ledger.held.iter().find(|held| held.number == me.number) {
            // The answer to an earlier try was lost on its way. Others may have watched the slot since.
            if queue.at.elapsed() >= self.timing.fence {
                self.strike(|held| held.number == me.number).await?;
                return Ok(Step::Again);
            }
            return Ok(Step::Granted(Granted { held: held.clone(), at: queue.at, long: me.front }));
        }
        queue.at = at;
        queue.turn = me.turn;
        let now = Instant::now();
        queue.sight.note(&view, now, &self.timing);
        let mut silent = queue.sight.silent(&view, now, &self.timing);
        silent.remove(&me.number);
        let answers = (self.rules.admit)(&view, &silent);
        let why = match answer(&answers, me.number) {
            Some(Answer::Go) => return self.take(queue, &view.ledger, me, &view).await,
            Some(Answer::Never(what)) => return Err(NoSlot::TooMuch(what.clone())),
            Some(Answer::Wait(why)) => why.clone(),
            None => For::Room,
        };
        let mut orphan = None;
        let death = (now, &self.timing, self.rules.dead);
        for chore in chores((&view, &answers), me.number, (&mut queue.sight, &silent), death) {
            match chore {
                Chore::Tell(ticket) => self.tell(ticket, view.ledger.version).await?,
                Chore::Bury(ticket) => {
                    self.board.bury(&ticket).await?;
                    return Ok(Step::Again);
                }
                Chore::Finish(held) => orphan = orphan.or(Some(held)),
            }
        }
        let place = answers.partition_point(|(number, _)| *number < me.number);
        if view.lengthens_at(place) {
            self.mark_first(&view).await?;
        }
        told(&view, &Waiting { number: me.number, place: place + 1, length: answers.len(), why });
        self.pulse(queue, me, (place, answers.len())).await?;
        Ok(Step::Wait(orphan))
    }

    /// Goes to the end of the queue: at the start, and when others took this run for dead.
    async fn enter(&self, queue: &mut Queue<'_, B>) -> Result<(), NoSlot> {
        queue.changes = None;
        queue.at = Instant::now();
        let (first, promise) = self.timing.first_pulse(queue.ask.run.as_str());
        queue.pulse = queue.at + first;
        self.board.join(queue.ask, millis(promise)).await?;
        queue.new = true;
        Ok(())
    }

    /// Whether one that has just come waits behind the first of a long queue, which tells that it has to
    /// wait without a look at all of it.
    async fn is_far_back(&self, queue: &mut Queue<'_, B>) -> Result<bool, NoSlot> {
        let (front, me) = tokio::join!(self.board.front(), self.board.ticket(&queue.ask.run));
        let (Some(mut front), Some(me)) = (front?, me?) else { return Ok(false) };
        let is_short = front.waiting().next().is_none();
        if is_short || (!queue.caps_told && front.ledger.caps != queue.caps) {
            return Ok(false);
        }
        front.tickets.retain(|ticket| ticket.number != me.number);
        front.tickets.push(Arc::clone(&me));
        queue.changes = Some(self.board.changes(&queue.ask.run, just_after(me.updated)));
        queue.turn = me.turn;
        Ok(!goes(&(self.rules.admit)(&front, &BTreeSet::new()), me.number))
    }

    /// Takes the slot, unless the ledger has changed since it was read.
    async fn take(&self, queue: &Queue<'_, B>, ledger: &Ledger, me: &Ticket, view: &View) -> Result<Step, NoSlot> {
        let held = Held { ask: queue.ask.clone(), number: me.number, since: view.now(), kept: false };
        Ok(match self.board.write(&ledger.with(held.clone())).await? {
            Swap::Done => Step::Granted(Granted { held, at: queue.at, long: me.front }),
            Swap::Stale | Swap::Gone => Step::Again,
        })
    }

    /// Gives the sign of life, when it is due.
    async fn pulse(
        &self,
        queue: &mut Queue<'_, B>,
        me: &Ticket,
        (place, length): (usize, usize),
    ) -> Result<(), NoSlot> {
        let now = Instant::now();
        let next = self.timing.pulse(place, length, me.number);
        if now < queue.pulse {
            queue.pulse = queue.pulse.min(now + next);
            return Ok(());
        }
        let alive = Ticket { beat: me.beat + 1, within_ms: millis(next), ..me.clone() };
        // Whoever was quicker told this run something: the event says so, and the next pulse is soon.
        let swap = self.board.change(&alive).await?;
        queue.pulse = now + if swap == Swap::Done { next } else { PAUSE.0 };
        Ok(())
    }

    /// Waits until it is time to look around, or takes the slot when told to.
    async fn until_news(
        &self,
        queue: &mut Queue<'_, B>,
        finishing: &mut Option<Pin<Box<dyn Future<Output = (u64, bool)> + Send + '_>>>,
    ) -> Result<Result<Option<Granted>, Failure>, NoSlot> {
        loop {
            let Some(changes) = &mut queue.changes else { return Ok(Ok(None)) };
            tokio::select! {
                biased;
                (number, finished) = or_never(finishing) => {
                    *finishing = None;
                    if finished && let Err(failure) = self.forget(number).await {
                        return Ok(Err(failure));
                    }
                    return Ok(Ok(None));
                }
                news = changes.next() => {
                    if news.is_none() {
                        queue.changes = None;
                        return Ok(Err(lost_events()));
                    }
                    match self.when_told(queue).await {
                        Ok(Step::Granted(granted)) => return Ok(Ok(Some(granted))),
                        Ok(Step::Again) => return Ok(Ok(None)),
                        Ok(Step::Wait(_)) => {}
                        Err(NoSlot::Failed(failure)) => return Ok(Err(failure)),
                        Err(end) => return Err(end),
                    }
                }
                () = sleep_until(queue.pulse) => return Ok(Ok(None)),
            }
        }
    }

    /// The ticket changed. Whoever was told its turn for this very ledger needs not look at the others.
    async fn when_told(&self, queue: &mut Queue<'_, B>) -> Result<Step, NoSlot> {
        let at = Instant::now();
        let (ticket, ledger) = tokio::join!(self.board.ticket(&queue.ask.run), self.board.ledger());
        let (Some(me), Some(ledger)) = (ticket?, ledger?) else { return Ok(Step::Again) };
        if me.cancel.is_some() {
            return Err(NoSlot::Cancelled(me.cancel.clone()));
        }
        if me.turn == queue.turn {
            return Ok(Step::Wait(None));
        }
        (queue.turn, queue.at) = (me.turn, at);
        if me.turn == ledger.version && fits(&ledger, queue.ask) {
            let view = View { ledger, tickets: vec![Arc::clone(&me)] };
            let step = self.take(queue, &view.ledger, &me, &view).await?;
            if matches!(step, Step::Granted(_)) {
                return Ok(step);
            }
        }
        if me.front { self.among_first(queue).await } else { Ok(Step::Again) }
    }

    /// Somebody was quicker. One of the first of a long queue looks at these alone: whom they keep waiting,
    /// all together keep waiting too.
    async fn among_first(&self, queue: &mut Queue<'_, B>) -> Result<Step, NoSlot> {
        loop {
            let at = Instant::now();
            let Some(view) = self.board.front().await? else { return Ok(Step::Again) };
            let Some(me) = view.ticket(&queue.ask.run).filter(|me| !view.ledger.has(me.number)) else {
                return Ok(Step::Again);
            };
            (queue.turn, queue.at) = (me.turn, at);
            let answers = (self.rules.admit)(&view, &BTreeSet::new());
            if !goes(&answers, me.number) {
                return Ok(Step::Wait(None));
            }
            let step = self.take(queue, &view.ledger, me, &view).await?;
            if matches!(step, Step::Granted(_)) {
                return Ok(step);
            }
        }
    }

    /// Tells one that it is its turn, as of this version of the ledger. Once is enough.
    pub(super) async fn tell(&self, mut ticket: Ticket, version: u64) -> Result<(), Failure> {
        let until = Instant::now() + self.timing.answer;
        loop {
            ticket.turn = version;
            let Ok(swap) = timeout_at(until, self.board.change(&ticket)).await else { return Ok(()) };
            if swap? != Swap::Stale {
                return Ok(());
            }
            // Its owner gave a sign of life at this moment, or somebody else told it.
            match self.board.ticket(&ticket.ask.run).await? {
                Some(now) if now.turn < version => ticket = now.as_ref().clone(),
                _ => return Ok(()),
            }
        }
    }
}

impl From<Failure> for NoSlot {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

async fn or_never<T>(future: &mut Option<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> T {
    match future {
        Some(future) => future.as_mut().await,
        None => std::future::pending().await,
    }
}

fn lost_events() -> Failure {
    Failure::new(Kind::EngineUnreachable, "the engine's events ended", "was docker restarted?")
}

fn just_after(moment: jiff::Timestamp) -> jiff::Timestamp {
    moment.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(moment)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
