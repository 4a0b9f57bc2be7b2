//! The queries: methods of [`Db`](super::Db) that return plain structs.

mod facts;
mod flakes;
mod journal;
mod list;
mod main;
mod overview;
mod run_detail;
mod times;
mod versions;

pub use facts::{RecipeFacts, RedCheck, RunFacts};
pub use flakes::{Flake, Parting};
pub use journal::{JournalLine, RunRecords, WINDOW};
pub use list::{After, Filter, ListPage, Shows};
pub use main::MainRun;
pub use overview::{RecipeRow, RecipeStanding};
pub use run_detail::{FileRow, OneRun};
pub use times::{Spread, Week};
pub use versions::VersionPair;
