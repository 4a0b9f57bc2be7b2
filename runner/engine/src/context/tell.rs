//! What a stage tells: each check and how it ended, calls of abra, progress, remarks. Secrets are kept out here.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base::exchange::{Exchanges, Recorder};
use base::failure::{Cause, Failure};
use base::messages::Speaker;
use coopcloud::abra::{Call, explain_with};

use super::{StageRun, Step, Stopped};
use crate::context::Keep;
use journal::emit::Emitter;
use journal::event::{AbraCall, CheckResult, CheckTrace, Event, Fault, Origin, Outcome, Stage};

impl StageRun {
    /// Runs one check and records how it ended. The future gives the line that says what was shown.
    ///
    /// # Errors
    /// [`Stopped`] when the check is red; the caller decides whether the stage goes on.
    pub async fn check<T>(
        &mut self,
        name: &str,
        check: impl AsyncFnOnce(&mut Self) -> Result<(String, T), Failure>,
    ) -> Step<T> {
        let (start, recorder) = (Instant::now(), Recorder::default());
        let recorded = self.http.recorded_by(&recorder);
        let unrecorded = std::mem::replace(&mut self.http, recorded);
        let ended = check(self).await;
        self.http = unrecorded;
        let shown = self.shown(recorder.take());
        match ended {
            Ok((text, value)) => {
                self.record_shown(name, Origin::Generic, Outcome::Passed, text, None, start.elapsed(), shown);
                Ok(value)
            }
            Err(failure) => {
                self.fail_shown(name, Origin::Generic, failure, start.elapsed(), shown);
                Err(Stopped)
            }
        }
    }

    /// What a check asked and was answered, clean and bounded.
    pub fn shown(&self, exchanges: Exchanges) -> CheckTrace {
        let (exchanges, exchanges_left_out) = exchanges.shown(&self.run.emitter.redactor());
        CheckTrace { exchanges, exchanges_left_out, ..CheckTrace::default() }
    }

    /// Records a red or blocked check and its fault.
    pub fn fail(&mut self, name: &str, origin: Origin, failure: Failure, took: Duration) {
        self.fail_shown(name, origin, failure, took, CheckTrace::default());
    }

    /// The same, with what the check did.
    pub fn fail_shown(&mut self, name: &str, origin: Origin, failure: Failure, took: Duration, shown: CheckTrace) {
        let fault = self.fault(failure);
        let outcome = if fault.cause == Cause::Infrastructure { Outcome::Blocked } else { Outcome::Failed };
        let (text, told) = (fault.failure.what.clone(), Some(fault.clone()));
        self.record_shown(name, origin, outcome, text, told, took, shown);
        self.faults.push(fault);
    }

    /// Records a check that does not run, with the reason.
    pub fn skip(&self, name: &str, reason: impl Into<String>) {
        self.record(name, Origin::Generic, Outcome::Skipped, reason.into(), None, Duration::ZERO);
    }

    /// Records how a check ended.
    pub fn record(
        &self,
        name: &str,
        origin: Origin,
        outcome: Outcome,
        text: String,
        fault: Option<Fault>,
        took: Duration,
    ) {
        self.record_shown(name, origin, outcome, text, fault, took, CheckTrace::default());
    }

    /// The same, with what the check did.
    #[expect(clippy::too_many_arguments, reason = "the parts of one check")]
    pub fn record_shown(
        &self,
        name: &str,
        origin: Origin,
        outcome: Outcome,
        text: String,
        fault: Option<Fault>,
        took: Duration,
        shown: CheckTrace,
    ) {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let check = CheckResult { name: name.to_owned(), origin, outcome, text, fault, took_ms, shown };
        self.run.emitter.emit(Event::CheckEnded { stage: self.stage, check });
    }

    /// Who has to act on a failure here: what goes wrong while the base release is deployed is not
    /// the tested change's fault.
    pub fn fault(&self, failure: Failure) -> Fault {
        let usual = failure.kind.usual_cause();
        if self.app.is_dependency && matches!(usual, Cause::Recipe | Cause::Test) {
            return Fault { cause: Cause::Dependency, failure };
        }
        let cause = if self.is_on_base() && usual == Cause::Recipe { Cause::BaseRelease } else { usual };
        Fault { cause, failure }
    }

    /// Whether the base release is deployed, and not the tested change.
    pub fn is_on_base(&self) -> bool {
        match self.stage {
            Stage::Install => self.app.spec.base.is_some(),
            Stage::Variants => self.app.variant.as_ref().is_some_and(|variant| variant.is_base),
            _ => false,
        }
    }

    /// Says what the run is busy with.
    pub fn progress(&self, text: impl Into<String>) {
        self.speaker()(&text.into());
    }

    /// A function that says what the run is busy with, for those who cannot borrow the stage.
    pub fn speaker(&self) -> impl FnMut(&str) + Send + use<> {
        let (emitter, busy, stage) = (Arc::clone(&self.run.emitter), Arc::clone(&self.run.busy), self.stage);
        let whose = if self.app.is_dependency { format!("{}: ", self.app.spec.recipe) } else { String::new() };
        move |text: &str| say(&emitter, &busy, stage, format!("{whose}{text}"))
    }

    /// Keeps a value out of everything that is told from now on.
    ///
    /// # Errors
    /// When the value cannot be kept for those who look at a kept app later.
    pub fn hide(&self, secret: &str) -> Result<(), Failure> {
        self.run.emitter.hide(secret);
        if self.run.keep == Keep::No {
            return Ok(());
        }
        let path = &self.run.kept_secrets;
        let known = std::fs::read_to_string(path).unwrap_or_default();
        let line = format!("{}\n", serde_json::Value::from(secret));
        if known.contains(&line) {
            return Ok(());
        }
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(|error| Failure::disk("write", path, &error))
    }

    /// Tells something that changes no outcome.
    pub fn note(&self, text: impl Into<String>) {
        self.run.emitter.emit(Event::Noted { stage: self.stage, text: text.into() });
    }

    /// Records a call of abra, and turns one that failed into its failure.
    ///
    /// # Errors
    /// What abra said, as a failure with a kind.
    pub fn took(&self, call: Result<Call, Failure>, doing: &str) -> Result<Call, Failure> {
        self.took_from(call, doing, Speaker::Abra)
    }

    /// The same of a call in which abra hands on what another says.
    ///
    /// # Errors
    /// As of [`StageRun::took`].
    pub fn took_from(&self, call: Result<Call, Failure>, doing: &str, speaker: Speaker) -> Result<Call, Failure> {
        let call = call?;
        self.run.emitter.emit(Event::AbraCalled {
            stage: self.stage,
            call: AbraCall {
                args: call.args.clone(),
                exit: call.exit,
                output: call.shown().to_owned(),
                took_ms: u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX),
            },
        });
        match explain_with(&call, doing, speaker) {
            Some(failure) => Err(failure),
            None => Ok(call),
        }
    }
}

fn say(emitter: &Emitter, busy: &Mutex<String>, stage: Stage, text: String) {
    if let Ok(mut last) = busy.lock() {
        last.clone_from(&text);
    }
    emitter.emit(Event::Progress { stage, text });
}
