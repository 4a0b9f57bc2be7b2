//! A real Chromium against a small HTTPS server with a CA of its own.

// The lints let tests alone; helpers count as tests below this attribute.
#[cfg(test)]
mod flows;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod support;
