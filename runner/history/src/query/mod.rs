//! The questions: each is a method of [`Db`](super::Db) that gives plain structs.

mod facts;
mod flakes;
mod journal;
mod list;
mod main;
mod one;
mod overview;
mod times;
mod versions;

pub use facts::{Evidence, RecipeFacts, RedCheck};
pub use flakes::{Flake, Parting};
pub use journal::{Line, Told, WINDOW};
pub use list::{After, Filter, Page, Shows};
pub use main::MainRun;
pub use one::{FileRow, OneRun};
pub use overview::{RecipeRow, Standing};
pub use times::{Spread, Week};
pub use versions::VersionPair;
