use serde::{Deserialize, Serialize};

use super::{Exchange, SHOWN_TOGETHER};

/// Number of exchanges kept at each end. The first show how it began, the last where it failed.
const EACH_END: usize = 10;

/// Removes known secrets from texts.
pub trait Clean {
    /// Cleans a whole text.
    fn whole(&self, text: &str) -> String;
    /// Cleans the start of a longer text, which may end with the start of a secret.
    fn start(&self, text: &str) -> String;
}

/// A check's requests and responses: the first and the last, with the number of those in between.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanges {
    first: Vec<Exchange>,
    left_out: u64,
    last: Vec<Exchange>,
}

impl Exchanges {
    /// Adds an exchange. One that only repeats the previous one is counted with it.
    pub fn push(&mut self, exchange: Exchange) {
        let before = self.last.last_mut().or_else(|| self.first.last_mut());
        if let Some(before) = before.filter(|before| exchange.repeats(before)) {
            before.times = before.times.saturating_add(1);
            before.took_ms = exchange.took_ms;
        } else if self.first.len() < EACH_END {
            self.first.push(exchange);
        } else {
            if self.last.len() >= EACH_END {
                let gone = self.last.remove(0);
                self.left_out = self.left_out.saturating_add(gone.times);
            }
            self.last.push(exchange);
        }
    }

    /// Removes secrets without cutting, for a caller who knows secrets that later code does not.
    pub fn cleaned(self, clean: &dyn Clean) -> Self {
        let each = |list: Vec<Exchange>| list.into_iter().map(|one| one.cleaned(clean)).collect();
        Self { first: each(self.first), left_out: self.left_out, last: each(self.last) }
    }

    /// The part for a report, cleaned and bounded, and how many were omitted after the first ten of twenty.
    pub fn shown(self, clean: &dyn Clean) -> (Vec<Exchange>, u64) {
        let cleaned = self.cleaned(clean);
        let all: Vec<Exchange> = cleaned.first.into_iter().chain(cleaned.last).take(2 * EACH_END).collect();
        let bodies = all.iter().flat_map(|one| [&one.request, &one.answer]).filter(|side| !side.text.is_empty());
        let each = SHOWN_TOGETHER / bodies.count().max(1);
        (all.into_iter().map(|one| one.cut(each)).collect(), cleaned.left_out)
    }
}

/// Appends another list.
impl Extend<Exchanges> for Exchanges {
    fn extend<T: IntoIterator<Item = Exchanges>>(&mut self, lists: T) {
        for list in lists {
            list.first.into_iter().for_each(|one| self.push(one));
            self.left_out = self.left_out.saturating_add(list.left_out);
            list.last.into_iter().for_each(|one| self.push(one));
        }
    }
}
