//! Lists, which Gitea gives in parts.

use serde::de::DeserializeOwned;

use super::call::{Answered, ONE};
use super::{ForgeError, Gitea, Listed};

/// How many things are asked for at once; Gitea gives no more unless it is told to.
const PART: usize = 50;
/// What is read of one part. One that is longer is asked for in single things.
const BYTES: usize = 8 * 1024 * 1024;
/// Nobody has so many parts; what goes on without an end is no list.
const PARTS: usize = 2000;

impl Gitea {
    /// Everything of a list, with the answers that it came in. A single thing of more than 32 MiB is left
    /// out: who writes so much wants to be in the way.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(Vec<Answered>, Listed<T>), ForgeError> {
        let (mut answers, mut items) = (Vec::new(), Vec::new());
        for part in 1..=PARTS {
            let answer = self.part(path, query, part, PART, BYTES).await?;
            let mut last = false;
            if answer.is_cut() {
                for single in (part - 1) * PART + 1..=part * PART {
                    let one = self.part(path, query, single, 1, ONE).await?;
                    if one.is_cut() {
                        tracing::warn!("entry {single} of {path} is larger than {ONE} bytes and left out");
                        continue;
                    }
                    let found: Vec<T> = one.read()?;
                    last = found.is_empty();
                    items.extend(found);
                    if last {
                        break;
                    }
                }
            } else {
                let found: Vec<T> = answer.read()?;
                // The forge may have a lower limit of its own for the length of a part.
                let total = answer.header("x-total-count").and_then(|total| total.parse().ok());
                last = found.is_empty() || total.map_or(found.len() < PART, |total| items.len() + found.len() >= total);
                items.extend(found);
            }
            answers.push(answer);
            if last {
                let at_once = answers.len() == 1 && !answers.iter().any(Answered::is_cut);
                return Ok((answers, Listed { items, at_once }));
            }
        }
        Err(ForgeError::Wrong { asked: path.to_owned(), why: format!("the list has more than {PARTS} parts") })
    }

    async fn part(
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
