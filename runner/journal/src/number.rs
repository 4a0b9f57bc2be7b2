//! Parsers for numbers of the command line and the environment, with readable errors.

use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;

/// A whole number from 1 on.
pub fn from_one(text: &str) -> Result<NonZeroU32, String> {
    whole(text, 1, u32::MAX)
}

/// A whole number from 1 on, which may be large.
pub fn large_from_one(text: &str) -> Result<NonZeroU64, String> {
    whole(text, 1, u64::MAX)
}

/// A whole number, which may be 0.
pub fn from_zero(text: &str) -> Result<u32, String> {
    whole(text, 0, u32::MAX)
}

/// A whole number of at most 65535, which may be 0.
pub fn small(text: &str) -> Result<u16, String> {
    whole(text, 0, u16::MAX)
}

/// A number from a forge, such as a pull request's.
pub fn number(text: &str) -> Result<u64, String> {
    large_from_one(text).map(NonZeroU64::get)
}

/// A whole number between two bounds.
pub fn between(text: &str, least: u16, most: u16) -> Result<u16, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("write a whole number from {least} to {most}"))
}

pub fn port(text: &str) -> Result<u16, String> {
    small(text).ok().filter(|port| *port != 0).ok_or_else(|| format!("a port is a whole number from 1 to {}", u16::MAX))
}

fn whole<T: FromStr>(text: &str, least: u8, most: impl std::fmt::Display) -> Result<T, String> {
    text.parse().map_err(|_| format!("write a whole number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_refused_in_words_of_ours() {
        for text in ["0", "", "-1", "2.5", "many", "4294967296"] {
            assert_eq!(from_one(text).unwrap_err(), "write a whole number from 1 to 4294967295", "{text:?}");
        }
        assert_eq!((from_one("3").unwrap().get(), from_zero("0"), small("70000").is_err()), (3, Ok(0), true));
        assert!(port("0").unwrap_err().contains("from 1 to 65535") && port("443") == Ok(443));
        assert!(large_from_one("0").is_err() && large_from_one("5000000000").is_ok());
    }
}
