//! Values of generated secrets: by length and charset, or words where no length is asked.

use rand::Rng;
use rand::seq::IndexedRandom;

use coopcloud::envfile::SecretSpec;

/// Characters that need no escaping anywhere. The sets' members are remembered (medium certainty).
const DEFAULT: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const SPECIAL: &str = "!@#$%^&*_-+=";
const SAFE_SPECIAL: &str = "!@#%^&*_-+=";
const HEX: &str = "0123456789abcdef";

/// Syllables of pass phrases: 256 of them, so that each carries eight bits.
const ONSETS: &[&str] = &["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z"];
const RHYMES: &[&str] = &["a", "an", "ar", "e", "el", "en", "i", "il", "in", "o", "ol", "on", "u", "ul", "un", "ur"];

/// A new value.
pub(crate) fn generate(spec: &SecretSpec) -> String {
    let mut rng = rand::rng();
    match spec.length {
        Some(length) => {
            let letters: Vec<char> = letters(spec.charset.as_deref()).chars().collect();
            (0..length).filter_map(|_| letters.choose(&mut rng).copied()).collect()
        }
        None => (0..6).map(|_| word(&mut rng)).collect::<Vec<_>>().join("-"),
    }
}

fn letters(charset: Option<&str>) -> String {
    let sets = charset.unwrap_or("default").split(['+', '/', ',']);
    let known: String = sets
        .map(|set| match set {
            "special" => SPECIAL,
            "safespecial" => SAFE_SPECIAL,
            "hex" => HEX,
            "default" => DEFAULT,
            _ => "",
        })
        .collect();
    if known.is_empty() { DEFAULT.to_owned() } else { known }
}

/// Three syllables.
fn word(rng: &mut impl Rng) -> String {
    (0..3)
        .map(|_| {
            let onset = ONSETS.choose(rng).copied().unwrap_or_default();
            let rhyme = RHYMES.choose(rng).copied().unwrap_or_default();
            format!("{onset}{rhyme}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(length: Option<usize>, charset: Option<&str>) -> SecretSpec {
        SecretSpec {
            name: "x".into(),
            version: "v1".into(),
            length,
            charset: charset.map(str::to_owned),
            generate: true,
        }
    }

    #[test]
    fn a_list_of_charsets_is_all_of_them() {
        for list in ["default,special", "default+special"] {
            let all = letters(Some(list));
            assert!(all.contains('A') && all.contains('!'), "{list}");
        }
    }

    #[test]
    fn length_and_charset_are_kept() {
        let hex = generate(&spec(Some(64), Some("hex")));
        assert!(hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{hex}");
        assert_eq!(generate(&spec(Some(128), None)).len(), 128);
        assert!(generate(&spec(Some(0), None)).is_empty());
    }

    #[test]
    fn no_length_makes_words_and_no_two_are_alike() {
        let (a, b) = (generate(&spec(None, None)), generate(&spec(None, None)));
        assert!(a != b && a.split('-').count() == 6, "{a}");
    }
}
