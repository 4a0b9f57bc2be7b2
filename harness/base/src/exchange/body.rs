//! Bodies as texts.

/// The beginning of a textual body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BodyText {
    /// Without terminal sequences and control characters, except line breaks and tabs.
    pub(super) text: String,
    /// Number of the body's bytes that it represents.
    pub(super) taken: usize,
}

/// The first `limit` bytes of a body as text; `None` if it is not text.
pub(super) fn of(body: &[u8], limit: usize) -> Option<BodyText> {
    let part = body.get(..limit).unwrap_or(body);
    let valid = match std::str::from_utf8(part) {
        Ok(text) => text,
        // A character that is cut at the end does not make the body invalid.
        Err(error) if error.error_len().is_none() && part.len() < body.len() => {
            std::str::from_utf8(part.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    if valid.contains('\0') {
        return None;
    }
    let plain = strip_ansi_escapes::strip_str(valid);
    let text = plain.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    Some(BodyText { text, taken: valid.len() })
}
