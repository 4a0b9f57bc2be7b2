use std::error::Error;
use std::fmt;
use std::panic::Location;

use base::failure::{Cause, Failure};
use thirtyfour::error::WebDriverError;

use crate::driver_error::{is_absence, is_broken, words};

/// Why a test cannot run: a fault of its own or of the machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

impl Broken {
    /// A test cannot run for this reason.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// What is wrong, and where in the test it came out. Every error becomes one by `?`: it is red, but for
/// those that say nothing of the app, such as [`Broken`] or a browser that died.
pub struct Wrong {
    broken: bool,
    text: String,
    at: &'static Location<'static>,
}

impl Wrong {
    /// The app is not as the test wants it.
    #[track_caller]
    pub fn red(what: impl Into<String>) -> Self {
        Self::red_at(what.into(), Location::caller())
    }

    pub(crate) fn red_at(text: String, at: &'static Location<'static>) -> Self {
        Self { broken: false, text, at }
    }

    /// Whether the test cannot run, rather than being red.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// An error of the browser, with what was wanted of it.
    pub(crate) fn by_browser(error: &WebDriverError, wanted: Option<&str>, at: &'static Location<'static>) -> Self {
        let text = match wanted {
            Some(wanted) if is_absence(error) => wanted.to_owned(),
            Some(wanted) => format!("{wanted}: {}", words(error)),
            None => words(error),
        };
        Self { broken: is_broken(error), text, at }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", super::panics::short(self.at.file()), self.at.line(), self.text)
    }
}

impl fmt::Debug for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.broken { "broken" } else { "red" };
        write!(f, "{word}: {self}")
    }
}

impl<E: Error + 'static> From<E> for Wrong {
    #[track_caller]
    fn from(error: E) -> Self {
        let at = Location::caller();
        let any: &(dyn Error + 'static) = &error;
        if let Some(error) = any.downcast_ref::<WebDriverError>() {
            return Self::by_browser(error, None, at);
        }
        let broken = any.is::<Broken>()
            || any.downcast_ref::<Failure>().is_some_and(|failure| failure.kind.usual_cause() != Cause::Recipe);
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            let said = inner.to_string();
            if !text.contains(&said) {
                text += &format!(": {said}");
            }
            source = inner.source();
        }
        Self { broken, text, at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::failure::Kind;

    fn of<E: Error + 'static>(error: E) -> (bool, String) {
        let wrong = Wrong::from(error);
        (wrong.broken, wrong.text)
    }

    #[test]
    fn an_error_is_red_unless_it_says_nothing_of_the_app() {
        let parse = "x".parse::<u8>().unwrap_err();
        assert_eq!(of(parse), (false, "invalid digit found in string".to_owned()));
        assert_eq!(of(Broken::new("no data set")), (true, "no data set".to_owned()));
        assert!(!of(Failure::new(Kind::NoAnswer, "x", "y")).0);
        assert!(of(Failure::new(Kind::EngineUnreachable, "x", "y")).0);
        assert!(of(WebDriverError::HttpError("connection refused".to_owned())).0);
        assert!(!of(WebDriverError::Timeout("x".to_owned())).0);
    }

    #[test]
    fn the_place_is_where_the_question_mark_stands() {
        fn fails() -> Result<(), Wrong> {
            Err(Broken::new("why"))?;
            Ok(())
        }
        let text = fails().unwrap_err().to_string();
        assert!(text.starts_with("testing/wrong.rs:") && text.ends_with(": why"), "{text}");
    }
}
