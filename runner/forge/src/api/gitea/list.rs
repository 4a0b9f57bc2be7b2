//! Paginated lists.

use serde::de::DeserializeOwned;

use super::call::{Answered, ONE};
use super::{ForgeError, Gitea, Listed};

/// Page size: Gitea's default maximum.
const PART: usize = 50;
/// Maximum size of one page. A larger one is requested again as single items.
pub(super) const BYTES: usize = 8 * 1024 * 1024;
/// Maximum number of pages: a list without an end is invalid.
const PARTS: usize = 2000;
/// Number of consecutive empty pages that end a list with gaps.
const GAP: usize = 3;

impl Gitea {
    /// All items of a list, with their responses. A single item of more than 32 MiB is skipped, since it can only be an
    /// attack.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(Vec<Answered>, Listed<T>), ForgeError> {
        let (mut answers, mut items) = (Vec::new(), Vec::new());
        for part in 1..=PARTS {
            let (answer, found, is_last) = self.whole_part::<T>(path, query, part, false).await?;
            // The forge may have a lower page size limit.
            let total = answer.header("x-total-count").and_then(|total| total.parse().ok());
            let is_short = total.map_or(found.len() < PART, |total| items.len() + found.len() >= total);
            let last = is_last || (is_short && !answer.is_cut());
            items.extend(found);
            answers.push(answer);
            if last {
                let at_once = answers.len() == 1 && !answers.iter().any(Answered::is_cut);
                return Ok((answers, Listed { items, at_once }));
            }
        }
        Err(endless(path))
    }

    /// All items of a list whose pages may be short or empty before the end: the forge filters hidden items after it
    /// has split the list into pages, and counts only the rest.
    pub(super) async fn list_with_gaps<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, ForgeError> {
        let (mut items, mut empty) = (Vec::new(), 0);
        for part in 1..=PARTS {
            let (_, found, _) = self.whole_part::<T>(path, query, part, true).await?;
            empty = if found.is_empty() { empty + 1 } else { 0 };
            items.extend(found);
            if empty == GAP {
                return Ok(items);
            }
        }
        Err(endless(path))
    }

    /// One page, its items, and whether it is certainly the last. If it is too long, it is read as single items, none
    /// of which may be hidden if the list has no gaps.
    async fn whole_part<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        part: usize,
        has_gaps: bool,
    ) -> Result<(Answered, Vec<T>, bool), ForgeError> {
        let answer = self.part(path, query, part, PART, BYTES).await?;
        if !answer.is_cut() {
            let found = items_of::<T>(&answer)?;
            let is_empty = found.is_empty();
            return Ok((answer, found, is_empty));
        }
        let mut items = Vec::new();
        for single in (part - 1) * PART + 1..=part * PART {
            let one = self.part(path, query, single, 1, ONE).await?;
            if one.is_cut() {
                tracing::warn!("entry {single} of {path} is larger than {ONE} bytes and left out");
                continue;
            }
            let found = items_of::<T>(&one)?;
            if found.is_empty() && !has_gaps {
                return Ok((answer, items, true));
            }
            items.extend(found);
        }
        Ok((answer, items, false))
    }

    pub(super) async fn part(
        &self,
        path: &str,
        query: &[(&str, &str)],
        page: usize,
        limit: usize,
        bytes: usize,
    ) -> Result<Answered, ForgeError> {
        let (page, limit) = (page.to_string(), limit.to_string());
        let query = [query, &[("page", page.as_str()), ("limit", limit.as_str())]].concat();
        self.call.get_up_to(path, &query, bytes).await
    }
}

fn endless(path: &str) -> ForgeError {
    ForgeError::Wrong { asked: path.to_owned(), why: format!("the list has more than {PARTS} parts") }
}

/// The items of a page. Some of Gitea's empty lists are null.
fn items_of<T: DeserializeOwned>(answer: &Answered) -> Result<Vec<T>, ForgeError> {
    answer.read::<Option<Vec<T>>>().map(Option::unwrap_or_default)
}
