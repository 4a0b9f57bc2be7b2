//! What an error of chromedriver says. Pure.

use thirtyfour::error::{WebDriverError, WebDriverErrorInner as Inner};

/// An error in one line: chromedriver adds its version and a stack of addresses.
pub(crate) fn words(error: &WebDriverError) -> String {
    let text = error.to_string();
    let told = text.split("Additional info:").last().unwrap_or_default().trim();
    told.lines().next().unwrap_or_default().trim().to_owned()
}

/// Whether an error is the fault of the test or the machine, and says nothing of the app.
pub(crate) fn is_broken(error: &WebDriverError) -> bool {
    matches!(
        error.as_inner(),
        Inner::RequestFailed(_)
            | Inner::HttpError(_)
            | Inner::SessionNotCreated(_)
            | Inner::SessionCreateError(_)
            | Inner::InvalidSessionId(_)
            | Inner::InvalidSelector(_)
            | Inner::InvalidArgument(_)
            | Inner::InvalidUrl(_)
    )
}

/// Whether the thing was simply not there in time, so that what was wanted says it all.
pub(crate) fn is_absence(error: &WebDriverError) -> bool {
    matches!(error.as_inner(), Inner::NoSuchElement(_) | Inner::Timeout(_))
}
