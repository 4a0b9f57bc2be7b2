//! One runner process: acquires a slot, deploys, works, tears down, gives the slot back. It can die at any call or
//! time, and be stopped and woken.

use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use std::sync::Arc;

use rand::Rng;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::model::Model;
use crate::Slots;
use crate::acquire::NoSlot;
use crate::beat::Pulse;
use crate::reap::Janitor;
use crate::state::{Caps, LedgerEntry, SlotRequest};

/// What happens to a process.
#[derive(Debug, Default)]
pub(super) struct Fate {
    dead: AtomicBool,
    calls: AtomicU32,
    /// The call at which it dies.
    dies_at: Option<u32>,
    paused: Mutex<Option<(Instant, Instant)>>,
    /// When it was last woken.
    woken: Mutex<Option<Instant>>,
}

impl Fate {
    pub(super) fn dying_at(call: Option<u32>) -> Self {
        Self { dies_at: call, ..Self::default() }
    }

    pub(super) fn dies_at_this_call(&self) -> bool {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        self.dies_at == Some(call)
    }

    pub(super) fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    /// Stops it between two moments.
    pub(super) fn pause(&self, from: Instant, until: Instant) {
        *self.paused.lock().unwrap() = Some((from, until));
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    pub(super) fn answers(&self) -> bool {
        !self.is_dead() && self.sleeps().is_none()
    }

    fn sleeps(&self) -> Option<Instant> {
        let (from, until) = (*self.paused.lock().unwrap())?;
        (from..until).contains(&Instant::now()).then_some(until)
    }

    fn wakes(&self) -> Option<Instant> {
        *self.woken.lock().unwrap()
    }
}

/// A process: not polled while it is stopped, and over when it is dead.
pub(super) struct Process<F> {
    pub(super) fate: Arc<Fate>,
    pub(super) inner: Pin<Box<F>>,
    pub(super) alarm: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Future for Process<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.fate.dead.load(Ordering::Relaxed) {
            return Poll::Ready(None);
        }
        if let Some(until) = self.fate.sleeps() {
            let mut alarm = Box::pin(sleep_until(until));
            let _ = alarm.as_mut().poll(cx);
            self.alarm = Some(alarm);
            *self.fate.woken.lock().unwrap() = Some(until);
            return Poll::Pending;
        }
        let polled = self.inner.as_mut().poll(cx).map(Some);
        if polled.is_pending() && self.fate.dead.load(Ordering::Relaxed) {
            return Poll::Ready(None);
        }
        polled
    }
}

/// What a process does, and how correctly.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) ask: SlotRequest,
    pub(super) works: Duration,
    pub(super) caps: Caps,
    /// A planted bug: it continues when it should stop.
    pub(super) deaf: bool,
}

/// The whole life of a process without incidents.
pub(super) async fn live(slots: Slots<Client>, model: Model, fate: Arc<Fate>, job: Job) {
    let janitor = Sweeper(model.clone());
    let mut told = |_: &_, _: &_| {};
    let granted = match slots.acquire(&job.ask, job.caps, &janitor, &CancellationToken::new(), &mut told).await {
        Ok(granted) => granted,
        Err(end) => return model.world().judge.gave_up(&job.ask.run, matches!(end, NoSlot::Cancelled(_))),
    };
    let held = granted.held.clone();
    model.world().judge.granted(&held);
    let pulse = Pulse::default();
    let body = async {
        let mut left = job.works;
        while left > Duration::ZERO && (job.deaf || !pulse.stop.is_cancelled()) {
            act(&model, &held, &fate);
            let step = Duration::from_millis(model.world().rng.random_range(200..3_000)).min(left);
            left -= step;
            tokio::select! {
                biased;
                () = pulse.stop.cancelled(), if !job.deaf => {}
                () = sleep(step) => {}
            }
        }
        // Teardown takes a while; it removes only the run's own apps.
        sleep(Duration::from_millis(700)).await;
        model.world().judge.torn_down(held.number);
        pulse.done.cancel();
    };
    futures_util::future::join(slots.beat(&granted, &pulse), body).await;
    model.world().judge.lost(pulse.why.get());
    let done = slots.give_back_patiently(&held, granted.long).await;
    model.world().judge.ended(&held, done.is_ok());
}

/// Deploys apps or uses them.
fn act(model: &Model, held: &LedgerEntry, fate: &Fate) {
    let mut world = model.world();
    let caps = world.ledger.as_ref().map(|ledger| (ledger.caps, ledger.has(held.number)));
    if let Some((caps, entered)) = caps {
        world.judge.acted(held, caps, entered, fate.wakes());
    }
}

/// Removes what a dead run deployed.
pub(super) struct Sweeper(pub(super) Model);

impl Janitor for Sweeper {
    async fn finish(&self, held: &LedgerEntry) -> bool {
        let takes = self.0.world().rng.random_range(500..4_000);
        sleep(Duration::from_millis(takes)).await;
        self.0.world().judge.torn_down(held.number);
        true
    }
}
