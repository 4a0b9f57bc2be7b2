//! Times as shown on pages. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The age in one unit: `just now`, `5 min ago`, `3 h ago`, `2 days ago`, `4 months ago`.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let passed = now.duration_since(at).max(SignedDuration::ZERO);
    let minutes = passed.as_mins();
    let days = passed.as_hours() / 24;
    match (minutes, days) {
        (..1, _) => "just now".to_owned(),
        (..60, _) => format!("{minutes} min ago"),
        (_, ..1) => format!("{} h ago", passed.as_hours()),
        (_, 1) => "yesterday".to_owned(),
        (_, ..60) => format!("{days} days ago"),
        (_, ..730) => format!("{} months ago", days / 30),
        _ => format!("{} years ago", days / 365),
    }
}

/// For `datetime` attributes and feeds.
pub(super) fn iso(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit() {
        let now: Timestamp = "2026-11-21T18:05:09Z".parse().unwrap();
        let said = |seconds: i64| ago(now - SignedDuration::from_secs(seconds), now);
        let wanted = [
            (-30, "just now"),
            (59, "just now"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (7_300, "2 h ago"),
            (86_400, "yesterday"),
            (10 * 86_400, "10 days ago"),
            (90 * 86_400, "3 months ago"),
            (1_000 * 86_400, "2 years ago"),
        ];
        for (seconds, words) in wanted {
            assert_eq!(said(seconds), words, "{seconds}");
        }
        assert_eq!(iso(now), "2026-11-21T18:05:09Z");
    }
}
