use base::failure::{Failure, Kind};
use base::names::RunId;
use jiff::Timestamp;
use rand::Rng;

/// A new run id: the time, so that ids sort, and four random letters.
///
/// # Errors
/// Never in practice; a bug otherwise.
pub fn new_run_id() -> Result<RunId, Failure> {
    let mut rng = rand::rng();
    let letters: String = (0..4).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
    let text = format!("{}-{letters}", Timestamp::now().strftime("%Y%m%d-%H%M%S"));
    text.parse().map_err(|error| Failure::new(Kind::Bug, format!("{error}"), "please report it"))
}
