//! A backup of the release before is restored on the tested commit: the backup that operators have when an upgrade goes
//! wrong a day later.

use super::super::backup;
use super::{Tried, older};
use crate::context::{StageRun, Stopped};
use journal::event::{Origin, Outcome};
use recipe_folder::recipe_toml::InjectedFault;

pub(super) async fn run(cx: &mut StageRun, release: &str) -> Result<Tried, Stopped> {
    let name = InjectedFault::CrossRelease.check();
    if let Err(why) = older::install(cx, &name, release).await? {
        return Ok(Tried::Blocked(why));
    }
    let began = std::time::Instant::now();
    if !backup::across(cx, &name, release).await? {
        return Ok(Tried::Blocked(format!("no service of {release} is labelled for backup")));
    }
    let text = format!("what {release} backed up is back, and the app answers");
    cx.record(&name, Origin::Generic, Outcome::Passed, text, None, began.elapsed());
    Ok(Tried::Shown)
}
