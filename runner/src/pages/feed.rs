//! An Atom feed of verdicts that changed: from green to something else, and back. Pure.

use askama::Template;
use jiff::Timestamp;

use super::line::{about, href};
use super::when::iso;
use crate::history::RunRow;
use crate::report::text::one_line;
use crate::report::tone::Tone;

/// The feed.
#[derive(Template)]
#[template(path = "pages/feed.atom", escape = "xml")]
pub(super) struct Feed {
    id: String,
    home: String,
    updated: String,
    entries: Vec<Entry>,
}

struct Entry {
    id: String,
    title: String,
    updated: String,
    link: String,
    text: String,
}

/// A verdict that is another than the one before it.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) run: RunRow,
    pub(super) before: Option<Tone>,
}

impl Feed {
    /// The turns, newest first. `home` is where the pages are.
    pub(super) fn new(home: &str, turns: &[Turn]) -> Self {
        let base = home.trim_end_matches('/').to_owned();
        let newest = turns.iter().map(|turn| turn.run.at).max().unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            id: format!("{base}/feed.atom"),
            updated: iso(newest),
            entries: turns.iter().map(|turn| entry(&base, turn)).collect(),
            home: base,
        }
    }
}

fn entry(base: &str, turn: &Turn) -> Entry {
    let run = &turn.run;
    let word = run.tone.map_or("under way", Tone::word);
    let before = turn.before.map_or_else(|| "nothing".to_owned(), |tone| tone.word().to_owned());
    let link = format!("{base}/{}", href(run));
    Entry {
        title: format!("{}: {word}, was {before}", run.recipe),
        updated: iso(run.at),
        text: format!("{}: {}", one_line(&about(run), 200), one_line(&run.line, 400)),
        id: link.clone(),
        link,
    }
}
