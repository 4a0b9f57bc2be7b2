use serde::{Deserialize, Serialize};

use super::{Exchange, SHOWN_TOGETHER};

/// How many are kept at either end. The first say how it began, the last where it went wrong.
const EACH_END: usize = 10;

/// Takes known secrets out of texts.
pub trait Clean {
    /// A whole text without them.
    fn whole(&self, text: &str) -> String;
    /// The start of a longer text without them: at its end may stand the start of one.
    fn start(&self, text: &str) -> String;
}

/// What a check asked and was answered: the first and the last, with the number of those between them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanges {
    first: Vec<Exchange>,
    left_out: u64,
    last: Vec<Exchange>,
}

impl Exchanges {
    /// Takes the next one. One that only repeats the one before it is counted with it.
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

    /// All of these without secrets, and not cut: for who knows secrets that nobody after it does.
    pub fn cleaned(self, clean: &dyn Clean) -> Self {
        let each = |list: Vec<Exchange>| list.into_iter().map(|one| one.cleaned(clean)).collect();
        Self { first: each(self.first), left_out: self.left_out, last: each(self.last) }
    }

    /// What a report shows, without secrets and within its bounds; and how many were left out, after the first
    /// ten of twenty.
    pub fn shown(self, clean: &dyn Clean) -> (Vec<Exchange>, u64) {
        let cleaned = self.cleaned(clean);
        let all: Vec<Exchange> = cleaned.first.into_iter().chain(cleaned.last).take(2 * EACH_END).collect();
        let bodies = all.iter().flat_map(|one| [&one.request, &one.answer]).filter(|side| !side.text.is_empty());
        let each = SHOWN_TOGETHER / bodies.count().max(1);
        (all.into_iter().map(|one| one.cut(each)).collect(), cleaned.left_out)
    }
}

/// Those of one after those of another.
impl Extend<Exchanges> for Exchanges {
    fn extend<T: IntoIterator<Item = Exchanges>>(&mut self, lists: T) {
        for list in lists {
            list.first.into_iter().for_each(|one| self.push(one));
            self.left_out = self.left_out.saturating_add(list.left_out);
            list.last.into_iter().for_each(|one| self.push(one));
        }
    }
}
