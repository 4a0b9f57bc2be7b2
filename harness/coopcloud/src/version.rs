//! Versions of recipes: `X.Y.Z+upstream`. Young recipes write them loosely, so parsing is lenient.

use std::cmp::Ordering;

/// A recipe's version. The part before `+` is the maintainer's, the part after names the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// X, Y, Z.
    pub numbers: [u64; 3],
    /// The part after the plus; may be empty.
    pub upstream: String,
}

impl Version {
    /// Parses a version or a tag's name. A leading `v`, a missing upstream and missing numbers are accepted.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (numbers, upstream) = text.split_once('+').unwrap_or((text, ""));
        let mut found = [0; 3];
        let parts: Vec<&str> = numbers.split('.').collect();
        if parts.len() > 3 {
            return None;
        }
        for (place, part) in found.iter_mut().zip(parts) {
            *place = part.parse().ok()?;
        }
        Some(Self { numbers: found, upstream: upstream.to_owned() })
    }
}

impl Ord for Version {
    /// By the numbers, then by the upstream in natural order, so that 10 follows 9.
    fn cmp(&self, other: &Self) -> Ordering {
        let natural = || natural(&self.upstream, &other.upstream);
        self.numbers.cmp(&other.numbers).then_with(natural).then_with(|| self.upstream.cmp(&other.upstream))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The newest release among a repository's tags.
pub fn newest(tags: &[String]) -> Option<String> {
    tags.iter().filter_map(|tag| Some((Version::parse(tag)?, tag))).max().map(|(_, tag)| tag.clone())
}

/// The release that an upgrade to a version starts from: the newest one that is older. If the version precedes every
/// release, or is unknown, the newest, since that is deployed. A release of the version itself does not count.
pub fn previous(head: Option<&str>, releases: &[String]) -> Option<String> {
    let head = head.and_then(Version::parse);
    let mut known: Vec<(Version, &String)> =
        releases.iter().filter_map(|tag| Some((Version::parse(tag)?, tag))).collect();
    known.retain(|(version, _)| Some(version) != head.as_ref());
    known.sort();
    let older = known.iter().rev().find(|(version, _)| head.as_ref().is_none_or(|head| version < head));
    older.or(known.last()).map(|(_, tag)| (*tag).clone())
}

/// Compares runs of digits as numbers and everything else as text.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (digits_a, digits_b) = (digits(a), digits(b));
        if digits_a > 0 && digits_b > 0 {
            let number = |text: &str| {
                let text = text.trim_start_matches('0');
                (text.len(), text.to_owned())
            };
            match number(&a[..digits_a]).cmp(&number(&b[..digits_b])) {
                Ordering::Equal => (a, b) = (&a[digits_a..], &b[digits_b..]),
                other => return other,
            }
        } else {
            match (a.chars().next(), b.chars().next()) {
                (None, None) => return Ordering::Equal,
                (x, y) if x != y => return x.cmp(&y),
                (Some(x), _) => (a, b) = (&a[x.len_utf8()..], &b[x.len_utf8()..]),
                (None, Some(_)) => return Ordering::Less,
            }
        }
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn releases(tags: &[&str]) -> Vec<String> {
        tags.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn loose_versions_are_read_and_others_are_not() {
        for text in ["1.2.3+4.5", "v1.0.3", "2.0.1+1.0.6-social-amd64", "0.3.0+v0.4.219", "1.2"] {
            assert!(Version::parse(text).is_some(), "{text}");
        }
        for text in ["", "main", "1.x.0", "1.2.3.4", "+1"] {
            assert!(Version::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_release_before_is_chosen() {
        let tags = releases(&["1.0.0+1.22", "1.10.0+1.24", "1.9.0+1.23", "nightly"]);
        let choose = |head| previous(head, &tags);
        assert_eq!(choose(Some("1.11.0+1.25")).as_deref(), Some("1.10.0+1.24"));
        assert_eq!(choose(Some("1.9.1+1.23")).as_deref(), Some("1.9.0+1.23"));
        assert_eq!(choose(Some("1.10.0+1.24")).as_deref(), Some("1.9.0+1.23"), "a change without a bump");
        assert_eq!(choose(Some("1.10.0+1.25")).as_deref(), Some("1.10.0+1.24"), "another upstream is another version");
        assert_eq!(choose(Some("v1.9.0+1.23")).as_deref(), Some("1.0.0+1.22"));
        assert_eq!(choose(None).as_deref(), Some("1.10.0+1.24"));
        assert_eq!(choose(Some("0.1.0+x")).as_deref(), Some("1.10.0+1.24"));
        assert_eq!(previous(Some("1.0.0+1"), &[]), None);
        assert_eq!(previous(Some("1.0.0+1"), &releases(&["1.0.0+1"])), None);
        assert_eq!(
            previous(Some("2.0.0"), &releases(&["1.0.0", "2.0.0-rc1", "1.5.0-beta", "latest"])).as_deref(),
            Some("1.0.0")
        );
    }

    #[test]
    fn upstreams_are_in_natural_order() {
        let v = |text: &str| Version::parse(text).unwrap();
        assert!(v("1.0.0+1.9") < v("1.0.0+1.10"));
        assert!(v("1.0.0+r9-x") < v("1.0.0+r10"));
    }

    proptest! {
        #[test]
        fn the_order_is_total_and_no_text_panics(a in ".{0,20}", b in "[0-9]\\.[0-9]\\.[0-9]\\+[a-c0-9.]{0,6}", c in "[0-9]\\.[0-9]\\.[0-9]\\+[a-c0-9.]{0,6}") {
            let _ = Version::parse(&a);
            if let (Some(b), Some(c)) = (Version::parse(&b), Version::parse(&c)) {
                prop_assert_eq!(b.cmp(&c), c.cmp(&b).reverse());
                prop_assert_eq!(b == c, b.cmp(&c) == Ordering::Equal);
            }
        }

        #[test]
        fn what_is_chosen_is_a_release(tags in proptest::collection::vec("[0-3]\\.[0-3]\\.[0-3]\\+[0-9]", 1..6), head in "[0-3]\\.[0-3]\\.[0-3]\\+[0-9]") {
            match previous(Some(&head), &tags) {
                Some(chosen) => prop_assert!(tags.contains(&chosen) && chosen != head),
                None => prop_assert!(tags.iter().all(|tag| *tag == head)),
            }
        }
    }
}
