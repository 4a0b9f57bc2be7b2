//! What a test asked and what it was answered, for reports: bounded while it is taken, and shown only after
//! it was cleaned of secrets. Pure, but for the file by which a program hands its list to cc-ci.
//!
//! [`Exchange::taken`] keeps more of a body than is shown, since a secret is known only as a whole: first it
//! is cleaned, then cut. [`Exchanges::shown`] does both.

mod address;
mod body;
mod list;
mod mask;
mod recorder;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text;
pub use list::{Clean, Exchanges};
pub use mask::mask;
pub use recorder::Recorder;

/// What is kept of a body until it is cleaned, in bytes.
const TAKEN: usize = 8 * 1024;
/// The most that a report shows of a body, in characters.
const SHOWN: usize = 600;
/// The most that a report shows of all bodies of a check, in bytes.
const SHOWN_TOGETHER: usize = 16 * 1024;
/// The most that is kept of an address or a header until it is cleaned, in bytes.
const TAKEN_LINE: usize = 2 * 1024;
/// The most that a report shows of an address, in characters.
const ADDRESS: usize = 300;
/// The most that a report shows of a header or a reason, in characters.
const LINE: usize = 200;

/// One request and its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// The method: GET.
    pub method: String,
    /// The address, without user, password and fragment.
    pub url: String,
    /// The status; none where no answer came, or where nobody told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why no answer came.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// From the request to the end of its answer, in milliseconds.
    pub took_ms: u64,
    /// How often it was sent with the same answer, one after the other, where that is more than once.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
    /// What was sent.
    #[serde(default, skip_serializing_if = "Side::is_empty")]
    pub request: Side,
    /// What came back.
    #[serde(default, skip_serializing_if = "Side::is_empty")]
    pub answer: Side,
}

/// What one side said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The header Content-Type.
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    pub media: String,
    /// The header Location, cleaned as the address is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// The header WWW-Authenticate.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub challenge: String,
    /// The size of the body in bytes, as far as it is known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// The beginning of the body, where that is text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Whether the body goes on behind `text`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_once(times: &u64) -> bool {
    *times <= 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

impl Exchange {
    /// An exchange as it was seen. What is kept is bounded, and not clean yet.
    pub fn taken(method: &str, url: &str, request: Side, took: Duration) -> Self {
        Self {
            method: text::one_line(method, 20),
            url: text::start(url, TAKEN_LINE).to_owned(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            times: 1,
            request,
            ..Self::default()
        }
    }

    /// With its answer.
    pub fn answered(self, status: u16, answer: Side) -> Self {
        Self { status: Some(status), answer, ..self }
    }

    /// With the reason why there was no answer.
    pub fn failed(self, why: &str) -> Self {
        Self { error: text::start(why, TAKEN_LINE).to_owned(), ..self }
    }

    /// Whether it says the same as the one before it, but for its time.
    fn repeats(&self, before: &Self) -> bool {
        let timeless = |one: &Self| Self { took_ms: 0, times: 1, ..one.clone() };
        timeless(self) == timeless(before)
    }

    /// Cleaned of secrets, but not cut yet.
    fn cleaned(self, clean: &dyn Clean) -> Self {
        let part = |text: &str, cut: bool| if cut { clean.start(text) } else { clean.whole(text) };
        let long = |text: &str| part(text, text.len() > TAKEN_LINE - 4);
        let side = |side: Side| Side {
            media: mask(&long(&side.media)),
            location: address::masked(&long(&side.location)),
            challenge: mask(&long(&side.challenge)),
            text: mask(&part(&side.text, side.cut)),
            ..side
        };
        Self {
            url: address::masked(&long(&self.url)),
            error: mask(&long(&self.error)),
            request: side(self.request),
            answer: side(self.answer),
            ..self
        }
    }

    /// Cut to what a report shows, with this many bytes of each body at most.
    fn cut(self, bytes: usize) -> Self {
        let side = |side: Side| {
            let shown = text::start(text::characters(&side.text, SHOWN), bytes);
            Side {
                media: text::one_line(&side.media, LINE),
                location: text::one_line(&side.location, ADDRESS),
                challenge: text::one_line(&side.challenge, LINE),
                cut: side.cut || shown.len() < side.text.len(),
                text: shown.to_owned(),
                ..side
            }
        };
        Self {
            url: text::one_line(&self.url, ADDRESS),
            error: text::one_line(&self.error, LINE),
            request: side(self.request),
            answer: side(self.answer),
            ..self
        }
    }
}

impl Side {
    /// What one side said: the few headers that matter, and the beginning of a body that is `bytes` long.
    pub fn taken<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>, body: &[u8], bytes: u64) -> Self {
        let bytes = bytes.max(u64::try_from(body.len()).unwrap_or(u64::MAX));
        let text = body::of(body, TAKEN);
        // What is no text has no beginning to show.
        let is_cut = |text: &body::BodyText| text.taken > 0 && u64::try_from(text.taken).unwrap_or(u64::MAX) < bytes;
        let cut = text.as_ref().is_some_and(is_cut);
        let mut side = Self { bytes, cut, text: text.map(|text| text.text).unwrap_or_default(), ..Self::default() };
        for (name, value) in headers {
            let value = text::start(value, TAKEN_LINE);
            if name.eq_ignore_ascii_case("content-type") {
                side.media = value.to_owned();
            } else if name.eq_ignore_ascii_case("location") {
                side.location = value.to_owned();
            } else if name.eq_ignore_ascii_case("www-authenticate") {
                side.challenge = value.to_owned();
            }
        }
        side
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests;
