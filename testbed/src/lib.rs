//! What exists only to test cc-ci: recipes in Co-op Cloud's own form, good and broken in named
//! ways, and the builds of the images that they name.

mod executable;
pub mod repos;

use std::path::PathBuf;

pub use executable::executable;

/// The folder that holds the recipes' sources, one folder each.
pub fn recipes_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("recipes")
}
