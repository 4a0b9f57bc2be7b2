use std::collections::BTreeMap;

/// The parameters of a build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(BTreeMap<String, String>);

/// An invalid build parameter. Parameters are part of an address and visible on Drone's pages, so they must not contain
/// secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} cannot be a parameter with this value: the name has 1 to 60 capital letters, digits and _ and \
     begins with a letter, the value at most 1000 visible ASCII characters"
)]
pub struct UnfitParameter {
    /// The parameter's name, cut at 60 characters.
    pub name: String,
}

impl Parameters {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds a parameter.
    ///
    /// # Errors
    /// The name or the value is invalid.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, UnfitParameter> {
        let fine = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        let is_name = (1..=60).contains(&name.len())
            && name.bytes().all(fine)
            && name.starts_with(|c: char| c.is_ascii_uppercase());
        if !is_name || value.len() > 1000 || !value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Err(UnfitParameter { name: name.chars().take(60).collect() });
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(self)
    }
}
