//! Server-sent events: that something has changed, not what. The page reloads its content, so it always equals what the
//! server renders, and a reader who was disconnected needs no replay.

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

/// Changes within this time are one event.
const TOGETHER: Duration = Duration::from_millis(250);
/// In place of a run: any content may have changed.
const ALL: &str = "all";
/// Keep-alive interval, for proxies.
const ALIVE: Duration = Duration::from_secs(20);

/// The subscription; everything if nothing is specified.
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
        // Changes between the page and this stream, or while it was disconnected, are unknown: the first event reloads
        // the page.
        let told = if first { BTreeSet::new() } else { next(&mut changes, &about).await? };
        let runs: Vec<&str> = told.iter().map(String::as_str).collect();
        // Browsers do not dispatch an event without data.
        let data = if runs.is_empty() { ALL.to_owned() } else { runs.join(" ") };
        let event = Event::default().event("change").data(data);
        Some((Ok(event), (changes, about, false)))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE))
}

/// Waits for a relevant change, and collects those that follow at once. `None` when the server ends.
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
