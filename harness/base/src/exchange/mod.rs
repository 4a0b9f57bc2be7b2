//! A test's requests and responses for reports: bounded while they are recorded, and shown only after secrets were
//! removed. Pure, except the file in which a program passes its list to cc-ci.
//!
//! [`Exchange::taken`] keeps more of a body than is shown, since a secret can only be recognized as a whole: first it
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

/// Recorded size of a body before cleaning, in bytes.
const TAKEN: usize = 8 * 1024;
/// Maximum length of a body in a report, in characters.
const SHOWN: usize = 600;
/// Maximum size of all bodies of a check in a report, in bytes.
const SHOWN_TOGETHER: usize = 16 * 1024;
/// Recorded size of an address or a header before cleaning, in bytes.
const TAKEN_LINE: usize = 2 * 1024;
/// Maximum length of an address in a report, in characters.
const ADDRESS: usize = 300;
/// Maximum length of a header or a reason in a report, in characters.
const LINE: usize = 200;

/// One request and its response.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// The method, such as GET.
    pub method: String,
    /// The address, without user, password and fragment.
    pub url: String,
    /// The status; null without a response, or if it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no response.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// From the request to the end of its response, in milliseconds.
    pub took_ms: u64,
    /// How often it was sent consecutively with the same response, if more than once.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
    /// The request.
    #[serde(default, skip_serializing_if = "Side::is_empty")]
    pub request: Side,
    /// The response.
    #[serde(default, skip_serializing_if = "Side::is_empty")]
    pub answer: Side,
}

/// A request or a response.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The header Content-Type.
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    pub media: String,
    /// The header Location, cleaned like the address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// The header WWW-Authenticate.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub challenge: String,
    /// The size of the body in bytes, as far as it is known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// The beginning of the body, if it is text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Whether the body continues after `text`.
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
    /// Records an exchange, bounded and not cleaned yet.
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

    /// Adds its response.
    pub fn answered(self, status: u16, answer: Side) -> Self {
        Self { status: Some(status), answer, ..self }
    }

    /// Adds the reason why there was no response.
    pub fn failed(self, why: &str) -> Self {
        Self { error: text::start(why, TAKEN_LINE).to_owned(), ..self }
    }

    /// Whether it equals the previous one except for its time.
    fn repeats(&self, before: &Self) -> bool {
        let timeless = |one: &Self| Self { took_ms: 0, times: 1, ..one.clone() };
        timeless(self) == timeless(before)
    }

    /// Removes secrets without cutting.
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

    /// Cuts it for a report, with at most this many bytes of each body.
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
    /// Records one side: the few relevant headers, and the beginning of a body of `bytes` bytes.
    pub fn taken<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>, body: &[u8], bytes: u64) -> Self {
        let bytes = bytes.max(u64::try_from(body.len()).unwrap_or(u64::MAX));
        let text = body::of(body, TAKEN);
        // A body that is not text has no beginning to show.
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
