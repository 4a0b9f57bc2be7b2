//! The arguments of commands. Values of these types are safe in an argument list.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base::names::is_ref;

/// The value of `only=`: the words of `cc-ci run --only`. The runner knows whether such a stage or test exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Only(Vec<String>);

impl Only {
    /// Maximum number of words.
    pub const WORDS: usize = 20;
    /// Maximum number of characters of all words.
    pub const LENGTH: usize = 300;

    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for Only {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<String> = text.split(',').map(str::to_owned).collect();
        if text.len() > Self::LENGTH || words.len() > Self::WORDS || !words.iter().all(|word| is_part(word)) {
            return Err(());
        }
        Ok(Self(words))
    }
}

impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// The name of a stage, or of a test with its folder.
fn is_part(word: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-');
    (1..=100).contains(&word.len())
        && word.bytes().all(fine)
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !word.contains("..")
}

/// The value of `from=`: the name of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release(String);

impl Release {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Release {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        if is_ref(text) { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value of `!hold`: minutes or hours, from one minute to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    minutes: u32,
}

impl Hold {
    /// The maximum, in minutes.
    pub const LONGEST: u32 = 24 * 60;

    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.minutes) * 60)
    }
}

impl FromStr for Hold {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, minutes_each) = match (text.strip_suffix('m'), text.strip_suffix('h')) {
            (Some(number), _) => (number, 1),
            (_, Some(number)) => (number, 60),
            (None, None) => return Err(()),
        };
        if number.is_empty() || number.len() > 4 || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(());
        }
        let minutes = number.parse::<u32>().map_err(|_| ())? * minutes_each;
        if (1..=Self::LONGEST).contains(&minutes) { Ok(Self { minutes }) } else { Err(()) }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}m", self.minutes)
    }
}
