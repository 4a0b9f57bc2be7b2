//! The exit of events from the engine: numbers, times and redacts each once, and passes it to every sink.

use std::io;
use std::sync::Mutex;
use std::time::Instant;

use base::redact::Redactor;
use jiff::Timestamp;

use crate::event::{Event, Record};

/// A receiver of events while they happen.
pub trait Sink: Send {
    /// Handles one record.
    ///
    /// # Errors
    /// It could not be stored, for example because the journal's disk is full.
    fn record(&mut self, record: &Record) -> io::Result<()>;

    /// Whether a run is worthless without this sink. A closed screen changes no verdict.
    fn is_needed(&self) -> bool {
        true
    }
}

/// Numbers, times and redacts events. Every event passes through here.
pub struct Emitter {
    start: Instant,
    state: Mutex<EmitterState>,
}

struct EmitterState {
    next: u64,
    sinks: Vec<Box<dyn Sink>>,
    redactor: Redactor,
    trouble: Option<String>,
    records: Vec<Record>,
}

impl Emitter {
    /// Starts the run's clock.
    pub fn new(sinks: Vec<Box<dyn Sink>>, redactor: Redactor) -> Self {
        let state = EmitterState { next: 0, sinks, redactor, trouble: None, records: Vec::new() };
        Self { start: Instant::now(), state: Mutex::new(state) }
    }

    /// Redacts a value in everything that is emitted from now on.
    pub fn hide(&self, secret: &str) {
        self.lock().redactor.add(secret);
    }

    /// A redacted text, as in an event.
    pub fn clean(&self, text: &str) -> String {
        self.lock().redactor.text(text).into_owned()
    }

    /// The redactor, to use on texts before they are cut. It includes values that are hidden later.
    pub fn redactor(&self) -> Redactor {
        self.lock().redactor.clone()
    }

    /// Sends an event to every sink. A failed sink is remembered, see [`Emitter::trouble`]; the others still receive
    /// it.
    pub fn emit(&self, event: Event) {
        let ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut state = self.lock();
        let record = Record { seq: state.next, at: Timestamp::now(), ms, event };
        state.next += 1;
        let record = redacted(&record, &state.redactor);
        let EmitterState { sinks, trouble, records, .. } = &mut *state;
        for sink in sinks {
            if let Err(error) = sink.record(&record)
                && sink.is_needed()
            {
                trouble.get_or_insert_with(|| error.to_string());
            }
        }
        if !matches!(record.event, Event::Progress { .. }) {
            records.push(record);
        }
    }

    /// The first error of a sink.
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    /// The records so far, without progress.
    pub fn records(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    /// Milliseconds since the run began.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, EmitterState> {
        // A sink that panicked must not silence the teardown that follows.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Members whose values are names of cc-ci. A tested app could have one of them as a secret, and a red event must not
/// be lost by that.
const OWN_WORDS: [&str; 8] = ["event", "stage", "outcome", "origin", "cause", "kind", "word", "failed"];

/// Redacts every text of an event, except names of members, which are constant.
fn clean(json: &mut serde_json::Value, redactor: &Redactor) {
    match json {
        serde_json::Value::Object(members) => {
            let free = members.iter_mut().filter(|(name, _)| !OWN_WORDS.contains(&name.as_str()));
            free.for_each(|(_, value)| clean(value, redactor));
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| clean(value, redactor)),
        text => redactor.json(text),
    }
}

/// The record with every known secret replaced. Every record can be converted to JSON and back; if one could not,
/// dropping it would be safer than showing it.
fn redacted(record: &Record, redactor: &Redactor) -> Record {
    let through = || -> Option<Record> {
        let mut json = serde_json::to_value(record).ok()?;
        clean(&mut json, redactor);
        serde_json::from_value(json).ok()
    };
    through().unwrap_or_else(|| Record {
        event: Event::Noted {
            stage: crate::event::Stage::Prepare,
            text: "an event was dropped, because it could not be redacted".to_owned(),
        },
        ..record.clone()
    })
}

#[cfg(test)]
mod tests {
    use base::exchange::{Exchange, Side};

    use super::*;
    use crate::event::{CheckResult, CheckTrace, Origin, Outcome, Stage};
    use crate::fixtures;

    #[test]
    fn a_secret_that_is_told_late_is_in_no_exchange() {
        use base64::Engine as _;
        let secret = "correct-horse";
        let coded = base64::engine::general_purpose::STANDARD.encode(format!("eve:{secret}"));
        let text = format!("{secret} {coded}");
        let side = || Side::taken([("location", text.as_str()), ("www-authenticate", &text)], text.as_bytes(), 0);
        let exchange = Exchange::taken("GET", &format!("https://a.ci/{text}"), side(), std::time::Duration::ZERO);
        let shown = CheckTrace {
            exchanges: vec![exchange.answered(200, side())],
            output: text.clone(),
            ..CheckTrace::default()
        };
        let check = CheckResult {
            name: "functional/a.hurl".to_owned(),
            origin: Origin::Overlay,
            outcome: Outcome::Passed,
            text: String::new(),
            fault: None,
            took_ms: 1,
            shown,
        };
        let emitter = Emitter::new(Vec::new(), Redactor::default());
        emitter.hide(secret);
        emitter.emit(Event::CheckEnded { stage: Stage::Functional, check });
        let told = serde_json::to_string(&emitter.records()).unwrap();
        assert!(!told.contains(secret) && !told.contains(&coded), "{told}");
        assert_eq!(told.matches("[redacted]").count(), 16, "{told}");
    }

    #[test]
    fn no_word_that_an_app_calls_a_secret_loses_an_event() {
        let redactor = Redactor::default();
        for word in ["failed", "passed", "blocked", "recipe", "stage-ended", "outcome", "upgrade", "rolled-back"] {
            redactor.add(word);
        }
        for record in fixtures::failed_upgrade() {
            let clean = redacted(&record, &redactor);
            assert_eq!(std::mem::discriminant(&clean.event), std::mem::discriminant(&record.event));
        }
    }
}
