//! What any provider of logins must keep (`contract`), held by a real Keycloak and by a stand-in for
//! authentik.
//!
//! **The stand-in is not authentik.** authentik's server is published as an image alone, and machines
//! that build cc-ci have no image registry. The stand-in follows authentik's published interface to the
//! letter, as far as cc-ci uses it: it knows each object's fields by release, and refuses unknown ones,
//! missing ones, references to nothing, wrong tokens and redirects that differ in a letter. What it shows
//! is that cc-ci keeps to what was read of the interface; that the reading is right only a real authentik
//! can show.

// The lints let tests alone; helpers count as tests below this attribute.
#[cfg(test)]
mod authentik;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod keycloak;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod support;
