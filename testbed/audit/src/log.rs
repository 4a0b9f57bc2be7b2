//! Which commits are fixes. Pure.

/// First words of a subject that say "a bug was mended".
const WORDS: [&str; 10] =
    ["fix", "fixes", "fixed", "mend", "mends", "correct", "corrects", "repair", "repairs", "bugfix"];

/// The format of `git log` that [`commits`] reads: id, date, subject, and the trailer that overrides.
pub(super) const FORMAT: &str = "--format=%H%x1f%cs%x1f%s%x1f%(trailers:key=Fixes-bug,valueonly,separator=%x2c)%x1e";

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) date: String,
    pub(super) subject: String,
    /// What the trailer `Fixes-bug` says, where there is one.
    pub(super) trailer: Option<bool>,
}

impl Commit {
    /// Whether it mends a bug: by its trailer, else by the first word of its subject.
    pub(super) fn is_fix(&self) -> bool {
        let word: String = self.subject.chars().take_while(|c| c.is_alphanumeric()).collect();
        self.trailer.unwrap_or_else(|| WORDS.contains(&word.to_ascii_lowercase().as_str()))
    }
}

/// Reads the output of `git log` with [`FORMAT`].
pub(super) fn commits(text: &str) -> Vec<Commit> {
    let of = |record: &str| {
        let mut parts = record.trim_start_matches('\n').split('\u{1f}');
        let (id, date, subject, trailer) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        // The last word counts, as with all trailers.
        let trailer = match trailer.rsplit(',').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        let (id, date, subject) = (id.to_owned(), date.to_owned(), subject.to_owned());
        (!id.is_empty()).then_some(Commit { id, date, subject, trailer })
    };
    text.split('\u{1e}').filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fix(subject: &str, trailer: &str) -> bool {
        let read = commits(&format!("abc\u{1f}2026-11-21\u{1f}{subject}\u{1f}{trailer}\u{1e}\n"));
        assert_eq!((read.len(), read[0].subject.as_str()), (1, subject));
        read[0].is_fix()
    }

    #[test]
    fn a_subject_says_fix_by_its_first_word_alone() {
        for subject in ["Fix it", "Mend what was seen", "fix(slots): take turns", "fix: x", "Correct the sum"] {
            assert!(is_fix(subject, ""), "{subject}");
        }
        for subject in ["Fixture for all", "Say what is mended", "Add a fix", "", "Refuse a full node"] {
            assert!(!is_fix(subject, ""), "{subject}");
        }
    }

    #[test]
    fn a_trailer_overrides_the_subject() {
        assert!(is_fix("Refuse a full node", "yes") && is_fix("Refuse a full node", "no,Yes"));
        assert!(!is_fix("Fix a typing error", "no"));
        assert!(is_fix("Fix it", "perhaps"), "a trailer that says neither is none");
    }
}
