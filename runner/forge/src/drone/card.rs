//! The card of a result, which Drone shows on a build's page (`docs.drone.io/plugins/adaptive_cards`): the address of a
//! template, which Drone's page fetches, and its data.

use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use url::Url;

/// A card.
#[derive(Debug, Clone, Serialize)]
pub struct Card<T> {
    /// The address of the template: an adaptive card with `${…}` for the data.
    pub schema: Url,
    /// The data. Visible to every user who may see the build.
    pub data: T,
}

impl<T: Serialize> Card<T> {
    /// Writes the card to the file in `DRONE_CARD_PATH`. Drone's docker runner names its own output there, and finds
    /// the card in it between two escape sequences.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        match path.to_str() {
            Some("/dev/stdout") => io::stdout().lock().write_all(&self.within_output()?),
            Some("/dev/stderr") => io::stderr().lock().write_all(&self.within_output()?),
            _ => std::fs::write(path, serde_json::to_vec(self)?),
        }
    }

    /// The card as part of a step's output.
    ///
    /// # Errors
    /// The data cannot be written as JSON.
    pub fn within_output(&self) -> io::Result<Vec<u8>> {
        Ok(format!("\u{1b}]1338;{}\u{1b}]0m\n", STANDARD.encode(serde_json::to_vec(self)?)).into_bytes())
    }
}
