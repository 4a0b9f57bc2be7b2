use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use overlay::Verdict;

use super::{EVIDENCE, Outcome, Test, panics};

/// How a test ended, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestEnd {
    /// How.
    pub verdict: Verdict,
    /// One line: what was shown, or what is wrong and which files show it.
    pub line: String,
    /// Everything there is to say, many lines. May be empty.
    pub detail: String,
}

/// The most characters of what is wrong that the line has, so that the files behind it are still read.
const WRONG: usize = 200;

/// Runs a test, at most for `limit`. A panic is red. Where it is not green, what its browsers show is
/// written to `CCCI_ARTIFACTS`. Its browsers have ended when this is done.
pub async fn run(test: Test, limit: Duration, body: impl AsyncFnOnce(&Test) -> Outcome) -> TestEnd {
    // The evidence is part of the time, as long as the test has enough.
    let time = limit.saturating_sub(EVIDENCE).max(limit / 2);
    let running = AssertUnwindSafe(body(&test)).catch_unwind();
    let (verdict, text) = match tokio::time::timeout(time, running).await {
        Ok(Ok(Ok(shown))) => (Verdict::Green, shown),
        Ok(Ok(Err(wrong))) if wrong.is_broken() => (Verdict::Broken, wrong.to_string()),
        Ok(Ok(Err(wrong))) => (Verdict::Red, wrong.to_string()),
        Ok(Err(panic)) => (Verdict::Red, panics::text(&*panic)),
        Err(_) => (Verdict::Red, format!("did not end within {:.0} s", time.as_secs_f32())),
    };
    test.leave_exchanges();
    let browsers = test.take_browsers();
    if verdict == Verdict::Green {
        if let (true, Some(browser), Some(folder)) = (test.shows_green_pictures(), browsers.last(), test.artifacts()) {
            // What was shown is shown without it.
            browser.picture(&folder, &test.name().replace('/', "-")).await;
        }
        return TestEnd { verdict, line: one_line(&text, usize::MAX), detail: String::new() };
    }
    let mut detail = format!("{}\n", text.trim_end());
    let mut files = Vec::new();
    for browser in &browsers {
        let Some(folder) = test.artifacts() else {
            detail += "no picture: the variable CCCI_ARTIFACTS is not set\n";
            continue;
        };
        let evidence = browser.evidence(&folder, &test.name().replace('/', "-"), test.shows_pictures()).await;
        detail += &evidence.text;
        files.extend(evidence.files);
    }
    let mut line = one_line(&text, WRONG);
    let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    if !names.is_empty() {
        line += &format!(" (see {})", names.join(", "));
    }
    TestEnd { verdict, line, detail }
}

/// The lines of a text as one, cut where it is longer than `limit` characters.
fn one_line(text: &str, limit: usize) -> String {
    let line = text.split('\n').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" | ");
    base::text::shortened(&line, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Broken, Wrong};

    const LONG: Duration = Duration::from_secs(60);

    fn test() -> Test {
        Test::new("browser/10-x", [("CCCI_URL".to_owned(), "https://a.example".to_owned())])
    }

    #[tokio::test]
    async fn a_test_is_green_red_or_broken() {
        let ended = run(test(), LONG, async |test: &Test| Ok(test.url("/x"))).await;
        assert_eq!((ended.verdict, ended.line.as_str()), (Verdict::Green, "https://a.example/x"));
        let ended = run(test(), LONG, async |_: &Test| Err(Wrong::red("no such page"))).await;
        assert_eq!(ended.verdict, Verdict::Red);
        assert!(ended.line.ends_with(": no such page"), "{}", ended.line);
        let ended = run(test(), LONG, async |test: &Test| Ok(test.value("room")?.to_owned())).await;
        assert_eq!(ended.verdict, Verdict::Broken);
        assert!(ended.line.ends_with("the variable room is not set"), "{}", ended.line);
        let ended = run(test(), LONG, async |_: &Test| Err(Broken::new("x"))?).await;
        assert_eq!(ended.verdict, Verdict::Broken);
    }

    #[tokio::test]
    async fn a_panic_is_red_with_its_words() {
        let ended = run(test(), LONG, async |_: &Test| {
            assert_eq!(1 + 1, 3, "sums");
            Ok(String::new())
        })
        .await;
        assert_eq!(ended.verdict, Verdict::Red);
        assert_eq!(ended.line, "assertion `left == right` failed: sums | left: 2 | right: 3");
        assert!(ended.detail.contains("\n  left: 2\n"), "{}", ended.detail);
    }

    #[tokio::test]
    async fn a_test_that_hangs_is_red_before_it_is_killed() {
        let ended = run(test(), Duration::from_millis(60), async |_: &Test| std::future::pending().await).await;
        assert_eq!((ended.verdict, ended.line.as_str()), (Verdict::Red, "did not end within 0 s"));
    }

    #[test]
    fn every_verdict_has_an_exit_code_of_its_own() {
        for verdict in [Verdict::Green, Verdict::Red, Verdict::Broken] {
            assert_eq!(Verdict::of_exit(verdict.exit_code().into()), Some(verdict));
        }
        assert_eq!(Verdict::of_exit(101), None);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(one_line(" a\n\n b ", 9), "a | b");
        assert_eq!(one_line("äöü", 2), "äö…");
    }
}
