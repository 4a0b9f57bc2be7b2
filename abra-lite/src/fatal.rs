//! abra's one kind of failure: a line after `FATA`, and exit code 1.

/// Why the program ends.
#[derive(Debug)]
pub(crate) struct Fatal(pub(crate) String);

impl std::fmt::Display for Fatal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A result that ends the program when it is not fine.
pub(crate) type Done<T = ()> = Result<T, Fatal>;

/// Ends the program with a text.
pub(crate) fn fatal<T>(text: impl Into<String>) -> Done<T> {
    Err(Fatal(text.into()))
}

macro_rules! from {
    ($($error:ty),+) => { $(impl From<$error> for Fatal {
        fn from(error: $error) -> Self { Self(error.to_string()) }
    })+ };
}
from!(
    std::io::Error,
    bollard::errors::Error,
    serde_json::Error,
    base::names::NameError,
    coopcloud::compose::ComposeError
);

impl From<base::failure::Failure> for Fatal {
    fn from(failure: base::failure::Failure) -> Self {
        Self(if failure.detail.is_empty() { failure.what } else { format!("{}\n{}", failure.what, failure.detail) })
    }
}
