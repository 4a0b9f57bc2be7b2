//! An Atom feed of changed verdicts: from green to something else, and back. Pure.

use askama::Template;
use jiff::Timestamp;

use super::line::{about, href};
use super::when::iso;
use history::RunRow;
use journal::text::one_line;
use journal::tone::Tone;
use nightly::{Sweep, Turned};

/// Number of entries.
pub(super) const ENTRIES: usize = 50;

#[derive(Template)]
#[template(path = "pages/feed.atom", escape = "xml")]
pub(super) struct Feed {
    id: String,
    home: String,
    updated: String,
    entries: Vec<FeedEntry>,
}

struct FeedEntry {
    id: String,
    title: String,
    updated: String,
    link: String,
    text: String,
}

/// A verdict that differs from the previous one.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) run: RunRow,
    pub(super) before: Option<Tone>,
}

impl Feed {
    /// The turns, and those of the nightly sweeps, newest first. `home` is the address of the pages.
    pub(super) fn new(home: &str, turns: &[Turn], sweeps: &[Sweep]) -> Self {
        let base = home.trim_end_matches('/').to_owned();
        let by_runs = turns.iter().map(|turn| (turn.run.at, entry(&base, turn)));
        let by_night = sweeps.iter().flat_map(|sweep| {
            let base = &base;
            sweep.turned().map(move |turned| (turned.end.at, entry_of_night(base, sweep, turned)))
        });
        let mut all: Vec<(Timestamp, FeedEntry)> = by_runs.chain(by_night).collect();
        all.sort_by(|(a, one), (b, other)| (b, &other.id).cmp(&(a, &one.id)));
        all.truncate(ENTRIES);
        Self {
            id: format!("{base}/feed.atom"),
            updated: iso(all.first().map_or(Timestamp::UNIX_EPOCH, |(at, _)| *at)),
            entries: all.into_iter().map(|(_, entry)| entry).collect(),
            home: base,
        }
    }
}

fn entry_of_night(base: &str, sweep: &Sweep, turned: Turned<'_>) -> FeedEntry {
    let page = format!("{base}/nightly/{}", sweep.date);
    let tested = turned.run.tested.words();
    FeedEntry {
        title: format!("{}, {tested}: {}, was {}", turned.recipe, turned.now.word(), turned.was.word()),
        updated: iso(turned.end.at),
        link: turned.end.run.as_ref().map_or_else(|| page.clone(), |run| format!("{base}/runs/{run}")),
        text: format!("{}: {}", turned.words(), one_line(&turned.end.line, 400)),
        id: format!("{page}#{}-{}", turned.recipe, if turned.run.tested.main { "main" } else { "release" }),
    }
}

fn entry(base: &str, turn: &Turn) -> FeedEntry {
    let run = &turn.run;
    let word = run.tone.map_or("under way", Tone::word);
    let before = turn.before.map_or_else(|| "nothing".to_owned(), |tone| tone.word().to_owned());
    let link = format!("{base}/{}", href(run));
    FeedEntry {
        title: format!("{}: {word}, was {before}", run.recipe),
        updated: iso(run.at),
        text: format!("{}: {}", one_line(&about(run), 200), one_line(&run.line, 400)),
        id: link.clone(),
        link,
    }
}
