//! A check's actions in a collapsed section: its requests and responses, output, pictures.

use base::exchange::{Exchange, Side};

use super::picture::{Picture, pictures};
use super::{Pictures, class};
use journal::event::{CheckResult, Outcome};
use journal::text::{Bounds, block, count, one_line, seconds};
use journal::tone::Tone;

/// Maximum size in bytes that all checks of a kind add to a page; red ones have their own limit.
const TEXTS: usize = 240 * 1024;
/// Maximum size in bytes that the pictures of green checks add to a page.
const PICTURES: usize = 300 * 1024;
/// Upper bound of the markup around an exchange, in bytes.
const AROUND: usize = 900;
const BODY: Bounds = Bounds { lines: 60, columns: 600 };
const OUTPUT: Bounds = Bounds { lines: 24, columns: 400 };

/// The remaining size of a page.
pub(super) struct Room {
    green: usize,
    red: usize,
    pictures: usize,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { green: TEXTS, red: TEXTS, pictures: PICTURES }
    }

    /// Takes this much for a check, if available.
    fn take(&mut self, red: bool, bytes: usize) -> bool {
        let room = if red { &mut self.red } else { &mut self.green };
        room.checked_sub(bytes).map(|left| *room = left).is_some()
    }
}

/// A check's actions.
pub(super) struct Did {
    pub(super) summary: String,
    pub(super) exchanges: Vec<ExchangePart>,
    /// A line between the first and last ones, or instead of all.
    pub(super) left_out: String,
    pub(super) output: String,
    pub(super) pictures: Vec<Picture>,
}

impl Did {
    /// Whether nothing is left to show around the omission.
    pub(super) fn is_short(&self) -> bool {
        !self.left_out.is_empty() && !self.exchanges.iter().any(|one| one.after_gap)
    }
}

pub(super) struct ExchangePart {
    /// Whether the line about omitted ones precedes it.
    pub(super) after_gap: bool,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) status: String,
    pub(super) tone: &'static str,
    pub(super) took: String,
    pub(super) size: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) asked: String,
    pub(super) answered: String,
}

/// A check's actions, if there is something to show.
pub(super) fn did(check: &CheckResult, from: Pictures<'_>, room: &mut Room) -> Option<Did> {
    let shown = &check.shown;
    let red = check.outcome != Outcome::Passed;
    let mut exchanges: Vec<ExchangePart> = shown.exchanges.iter().map(ExchangePart::of).collect();
    let mut output = block(&shown.output, OUTPUT);
    let mut left_out = match shown.exchanges_left_out {
        0 => String::new(),
        more => format!("… and {more} more"),
    };
    if let Some(first) = exchanges.get_mut(shown.exchanges.len() / 2).filter(|_| !left_out.is_empty()) {
        first.after_gap = true;
    }
    let size = |exchanges: &[ExchangePart]| exchanges.iter().map(ExchangePart::size).sum::<usize>();
    if !room.take(red, size(&exchanges) + escaped(&output)) {
        // Bodies are omitted first, then the rest.
        for exchange in &mut exchanges {
            (exchange.asked, exchange.answered) = (String::new(), String::new());
            exchange.after_gap = false;
        }
        output = String::new();
        left_out = "their content is in the journal: this page has reached its size limit".to_owned();
        if !room.take(red, size(&exchanges)) {
            exchanges.clear();
        }
    }
    let mut pictures = if red { Vec::new() } else { pictures(&shown.files, from) };
    pictures.retain(|picture| room.pictures.checked_sub(picture.src.len()).map(|left| room.pictures = left).is_some());

    let asked: u64 = shown.exchanges.iter().map(|exchange| exchange.times).sum();
    let asked = usize::try_from(asked.saturating_add(shown.exchanges_left_out)).unwrap_or(usize::MAX);
    let parts = [
        (asked > 0).then(|| count(asked, "request")),
        (!output.is_empty()).then(|| "output".to_owned()),
        (!pictures.is_empty()).then(|| count(pictures.len(), "picture")),
    ];
    let summary = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    (!summary.is_empty()).then_some(Did { summary, exchanges, left_out, output, pictures })
}

impl ExchangePart {
    fn of(exchange: &Exchange) -> Self {
        let (status, tone) = status(exchange);
        let answer = &exchange.answer;
        let times = if exchange.times > 1 { format!("{} times, ", exchange.times) } else { String::new() };
        let headers = [("location", &answer.location), ("www-authenticate", &answer.challenge)];
        Self {
            after_gap: false,
            method: one_line(&exchange.method, 20),
            url: one_line(&exchange.url, 320),
            status,
            tone: class(tone),
            took: format!("{times}{}", seconds(exchange.took_ms)),
            size: size(answer),
            headers: headers
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name, one_line(value, 320)))
                .collect(),
            asked: body(&exchange.request),
            answered: body(answer),
        }
    }

    /// The size that it adds to a page, in bytes.
    fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(_, value)| escaped(value)).sum::<usize>();
        AROUND + escaped(&self.url) + escaped(&self.status) + headers + escaped(&self.asked) + escaped(&self.answered)
    }
}

/// The status as text, and its tone. The test defines the expected status, so only server errors are red.
fn status(exchange: &Exchange) -> (String, Tone) {
    match exchange.status {
        Some(status) => {
            let tone = match status {
                200..300 => Tone::Passed,
                400..500 => Tone::Blocked,
                500.. => Tone::Failed,
                _ => Tone::Skipped,
            };
            (status.to_string(), tone)
        }
        None if exchange.error.is_empty() => ("no status".to_owned(), Tone::Skipped),
        None => (format!("no answer: {}", one_line(&exchange.error, 220)), Tone::Failed),
    }
}

fn size(side: &Side) -> String {
    let media = one_line(&side.media, 100);
    let bytes = match side.bytes {
        0 => String::new(),
        bytes @ ..1_000 => format!("{bytes} B"),
        bytes @ ..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        bytes => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    };
    [bytes, media].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn body(side: &Side) -> String {
    let text = block(&side.text, BODY);
    if side.cut && !text.is_empty() { format!("{text}…") } else { text }
}

/// The length of a text in HTML.
fn escaped(text: &str) -> usize {
    text.len() + 4 * text.bytes().filter(|byte| matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'')).count()
}
