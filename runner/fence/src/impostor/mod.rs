//! A server that pretends to be any app: it answers every request in the same plausible way. A test
//! that is green against it would be green whatever the app did.

mod answer;
mod server;

pub use answer::Kind;
pub use server::Impostor;
