//! Server-sent events: that something has changed, never what. A page asks for itself again, so it cannot drift from
//! what the server shows, and a reader who was away needs no replay.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use base::names::{RecipeName, RunId};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;

use super::asked::Asked;
use super::site::Site;
use history::HistoryChange;

/// Changes within this time are told together.
const TOGETHER: Duration = Duration::from_millis(250);
/// In place of a run: whatever is shown may be another.
const ALL: &str = "all";
/// A sign of life, for whatever stands between.
const ALIVE: Duration = Duration::from_secs(20);

/// What somebody wants to hear of; everything where nothing is named.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct About {
    run: Option<RunId>,
    recipe: Option<RecipeName>,
}

impl About {
    fn is_met(&self, change: &HistoryChange) -> bool {
        match change {
            HistoryChange::SetAside(_) => true,
            HistoryChange::Run(change) => {
                self.run.as_ref().is_none_or(|run| *run == change.run)
                    && self.recipe.as_ref().is_none_or(|recipe| *recipe == change.recipe)
            }
        }
    }
}

pub(super) async fn events(
    State(site): State<Site>,
    Asked(about): Asked<About>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stream = unfold((site.changes(), about, true), |(mut changes, about, first)| async move {
        // What happened between the page and this stream, or while it was away, is not known: the first event asks
        // for the page again.
        let told = if first { BTreeSet::new() } else { next(&mut changes, &about).await? };
        let runs: Vec<&str> = told.iter().map(String::as_str).collect();
        // Browsers do not tell of an event without data.
        let data = if runs.is_empty() { ALL.to_owned() } else { runs.join(" ") };
        let event = Event::default().event("change").data(data);
        Some((Ok(event), (changes, about, false)))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE))
}

/// Waits for a change that matters, and takes those that come right behind it. None when the server ends.
async fn next(changes: &mut Receiver<HistoryChange>, about: &About) -> Option<BTreeSet<String>> {
    let mut told = BTreeSet::new();
    loop {
        match changes.recv().await {
            Ok(change) if about.is_met(&change) => {
                told.insert(name(&change));
                break;
            }
            Ok(_) => {}
            // Too slow: something was missed, so something has changed.
            Err(RecvError::Lagged(_)) => break,
            Err(RecvError::Closed) => return None,
        }
    }
    let rest = async {
        while let Ok(change) = changes.recv().await {
            if about.is_met(&change) {
                told.insert(name(&change));
            }
        }
    };
    tokio::select! {
        () = rest => {}
        () = sleep(TOGETHER) => {}
    }
    Some(told)
}

fn name(change: &HistoryChange) -> String {
    match change {
        HistoryChange::Run(change) => change.run.to_string(),
        HistoryChange::SetAside(_) => ALL.to_owned(),
    }
}
