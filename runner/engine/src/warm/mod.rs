//! A provider of logins that stays between runs. It is an app that is kept, under a run of its own; each
//! run that uses it takes a lease on a realm of its own there, and gives both back. Whatever is in doubt
//! is answered by a cold provider, which is the run's own.

mod arrange;
mod leave;

pub use arrange::{Arranging, arrange};
pub use leave::{leave, stay};
