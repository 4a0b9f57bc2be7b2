//! A bounded fuzzer: splits and recombines a corpus of comments, from one seed. Nothing may panic or take long.
//! `CCCI_FUZZ_ROUNDS` sets more rounds than the default.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;

const CORPUS: [&str; 14] = [
    "!testme only=backup,functional/20-content.hurl from=1.2.0+3.4.5\n",
    "!testme failed\n!stop\n!status\n!hold 30m\n",
    "> !testme\n>> nested\nlazy\n",
    "```sh\n!testme\n```\n",
    "<!-- !testme\n-->\n<details>\n<summary>log</summary>\n\n!stop\n</details>\n",
    "| a | !testme |\n|---|---|\n| b | c |\n",
    "1. one\n   - two\n     !testme\n",
    "[a](b \"!testme\") ![c][d]\n\n[d]: https://example.org/!testme\n",
    "`` a ` !testme `` **b *c !testme* d**\n",
    "&#33;testme &excl;stop \\!hold\n",
    "!tesme onyl=x\n!testmexyz\n!hold 9999999999999999999999m\n",
    "[^1]: !testme\n\n    !testme\n\ntext[^1] ~~!stop~~ $!testme$\n",
    "Ω\u{202e}\u{0}\u{feff}!testme\u{a0}only=\u{301}\r\n",
    "***bold*** __!testme__ <b\n!testme>\n<https://example.org/!testme>\n",
];

#[test]
fn torn_comments() {
    let rounds = std::env::var("CCCI_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let mut rng = StdRng::seed_from_u64(7);
    let (mut longest, mut commands) = (Duration::ZERO, 0);
    for round in 0..rounds {
        let text = torn(&mut rng);
        let begun = Instant::now();
        let said = parse(&text);
        longest = longest.max(begun.elapsed());
        commands += said.iter().filter(|said| matches!(said, Parsed::Command(_))).count();
        for said in said {
            if let Parsed::Command(command) = said {
                assert_eq!(command.to_string().parse(), Ok(command), "round {round}: {text:?}");
            }
        }
    }
    assert!(longest < Duration::from_secs(2), "one comment took {longest:?}");
    // A corpus that never parses to a command would show nothing.
    assert!(commands > rounds / 20, "{commands} commands in {rounds} rounds");
}

/// Up to eight pieces of the corpus, each cut anywhere, with some characters changed and some pieces repeated many
/// times.
fn torn(rng: &mut StdRng) -> String {
    let mut text = String::new();
    for _ in 0..rng.random_range(1..8) {
        let from: Vec<char> = CORPUS[rng.random_range(0..CORPUS.len())].chars().collect();
        let start = if rng.random_bool(0.5) { 0 } else { rng.random_range(0..from.len()) };
        let end = rng.random_range(start..=from.len());
        let piece: String = from[start..end].iter().collect();
        let times = if rng.random_bool(0.02) { rng.random_range(1..400) } else { 1 };
        text.push_str(&piece.repeat(times));
        if rng.random_bool(0.3) {
            text.push(
                *['\n', '`', '>', '!', '<', '-', '\\', '*', '_', '|', '~', '[', ']', '\t', ' ', '\r', '\u{0}', '&']
                    .get(rng.random_range(0..18))
                    .unwrap(),
            );
        }
    }
    text
}
