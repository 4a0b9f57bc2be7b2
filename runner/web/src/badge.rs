//! Badges: small pictures for a README with the newest verdict. Pure.

use askama::Template;

use journal::tone::Tone;

#[derive(Template)]
#[template(path = "pages/badge.svg", escape = "xml")]
pub(super) struct Badge {
    label: String,
    word: String,
    fill: &'static str,
    label_width: usize,
    word_width: usize,
}

/// Colours for white text, all with a contrast of at least 4.5.
const GREEN: &str = "#17683a";
const RED: &str = "#b0231b";
const AMBER: &str = "#855600";
const VIOLET: &str = "#6638a0";
const GREY: &str = "#5c5850";

impl Badge {
    /// For a verdict, or a stage of one.
    pub(super) fn tone(label: &str, tone: Tone) -> Self {
        let fill = match tone {
            Tone::Passed => GREEN,
            Tone::Failed => RED,
            Tone::Blocked => AMBER,
            Tone::Cancelled | Tone::NoEnd => VIOLET,
            Tone::Skipped | Tone::NotReached => GREY,
        };
        Self::new(label, tone.word(), fill)
    }

    /// For an unknown result.
    pub(super) fn unknown(label: &str) -> Self {
        Self::new(label, "unknown", GREY)
    }

    /// For a recipe's standing.
    pub(super) fn standing(label: &str, word: &str) -> Self {
        let fill = match word {
            "stable" => GREEN,
            "testing" => AMBER,
            "unstable" => RED,
            _ => GREY,
        };
        Self::new(label, word, fill)
    }

    fn new(label: &str, word: &str, fill: &'static str) -> Self {
        let (label, word) = (journal::text::one_line(label, 60), journal::text::one_line(word, 40));
        // Characters of 11 px are seldom wider than this, and the text is scaled to fit.
        let width = |text: &str| text.chars().count() * 7 + 12;
        Self { label_width: width(&label), word_width: width(&word), label, word, fill }
    }

    fn width(&self) -> usize {
        self.label_width + self.word_width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_says_label_and_word() {
        insta::assert_snapshot!(Badge::tone("n8n", Tone::Passed).render().unwrap());
    }

    #[test]
    fn a_hostile_label_stays_text() {
        let badge = Badge::standing("<script>\u{1b}[31m&\"", "st<b>").render().unwrap();
        assert!(!badge.contains("<script") && !badge.contains("<b>") && !badge.contains('\u{1b}'), "{badge}");
    }
}
