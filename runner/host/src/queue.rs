//! The requests for slots: their settings, the swarm's caps, and a waiting run's position as text.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::failure::Failure;
use base::names::RecipeName;
use jiff::Timestamp;
use slots::{CapSettings, Caps, SlotRequest, Slots, SlotsView, SwarmBoard, Waiting, forecast::forecast};
use swarm::Swarm;

use crate::settings::Settings;
use journal::expect;
use journal::text::seconds;

/// Assumed duration of a recipe that never ran here.
const UNKNOWN: Duration = Duration::from_secs(180);

/// The origin of requests for slots.
#[derive(Debug, Clone)]
pub struct Runner {
    pub settings: Settings,
    /// The state folder.
    pub state: PathBuf,
    /// This machine's name.
    pub host: String,
    /// Whether its runs yield to all others.
    pub yields: bool,
}

/// The slots of these settings.
pub fn slots_of(swarm: &Swarm, settings: &Settings) -> Slots<SwarmBoard> {
    Slots::new(SwarmBoard::of_set(swarm, &settings.slots))
}

/// The current time in Unix seconds, by the swarm's clock: every recorded deadline uses it, since runners on several
/// hosts read it.
pub async fn now(swarm: &Swarm, settings: &Settings) -> Result<i64, Failure> {
    Ok(slots_of(swarm, settings).now().await?.unwrap_or_else(Timestamp::now).as_second())
}

/// The caps of a swarm that has none yet: the settings, else defaults for this node: a run per processor, two apps per
/// run, four fifths of the memory.
pub async fn caps(swarm: &Swarm, settings: &Settings) -> Result<CapSettings, Failure> {
    let facts = swarm.facts().await?;
    let tests = u32::try_from(facts.cpus.max(1)).unwrap_or(u32::MAX);
    let usual = Caps { tests, apps: tests.saturating_mul(2), mib: facts.memory / (1024 * 1024) / 5 * 4 };
    let tests = settings.max_tests.map(NonZeroU32::get);
    Ok(CapSettings {
        tests,
        apps: settings.max_apps.map(NonZeroU32::get),
        mib: settings.max_memory.map(NonZeroU64::get),
        usual,
    })
}

/// Usual durations of each recipe's runs, from history. They are read in the background: until then every recipe is
/// unknown.
#[derive(Debug, Clone, Default)]
pub struct UsualTimes(Arc<OnceLock<BTreeMap<RecipeName, Duration>>>);

impl UsualTimes {
    /// Starts to read the journals below a state folder.
    pub fn begin(state: PathBuf) -> Self {
        let times = Self::default();
        let read = Arc::clone(&times.0);
        tokio::task::spawn_blocking(move || read.get_or_init(|| expect::whole(&state)).len());
        times
    }

    /// The same, blocking.
    pub fn read(state: &Path) -> Self {
        Self(Arc::new(expect::whole(state).into()))
    }

    /// The duration of such a run.
    pub fn takes(&self, ask: &SlotRequest) -> Duration {
        self.0.get().and_then(|times| times.get(&ask.recipe)).copied().unwrap_or(UNKNOWN)
    }
}

/// A waiter's position as text.
pub fn place(view: &SlotsView, waiting: &Waiting, times: &UsualTimes) -> String {
    let expected = forecast(view, |ask| times.takes(ask));
    let about = expected.get(&waiting.number).map_or_else(String::new, |time| {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        format!(", expected to begin in {}", seconds(ms))
    });
    format!("place {} of {} in the queue, waits {}{about}", waiting.place, waiting.length, waiting.why)
}
