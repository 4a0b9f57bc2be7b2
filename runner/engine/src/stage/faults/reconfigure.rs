//! The tested commit is deployed again with other settings: what operators do most often. The recipe's own tests in
//! `reconfigure/` show the new setting, and have to be red before it.

use std::time::Duration;

use base::failure::{Failure, Kind};
use coopcloud::envfile::EnvFile;

use super::super::{answers, data, overlay};
use super::{Planted, intact};
use crate::context::{StageRun, Step, Stopped};
use journal::event::Origin;
use journal::text::count;
use plan::faults::Ground;
use recipe_folder::recipe_toml::InjectedFault;

pub(super) async fn run(cx: &mut StageRun, ground: &Ground, planted: &Planted) -> Step {
    let name = InjectedFault::Reconfigure.check();
    let mut env = cx.app.toml.reconfigure.clone().map(|one| one.env).unwrap_or_default();
    // A folder that fits several forms of a recipe names the setting of each.
    env.retain(|key, _| ground.settings.contains(key));
    let keys = env.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let files = cx.app.overlays.checks.get("reconfigure").cloned().unwrap_or_default();
    if files.is_empty() {
        let what = format!("recipe.toml changes {keys} by [reconfigure], and no test in reconfigure/ shows that");
        let failure = Failure::new(Kind::NothingToProve, what, "docs/enroll-recipe.md, what [reconfigure] asks for");
        cx.fail(&name, Origin::Generic, failure, Duration::ZERO);
        return Err(Stopped);
    }
    for file in &files {
        let green = Failure::new(
            Kind::Hollow,
            format!("{} is green before {keys} is changed, so it does not show the change", file.name),
            "what it asserts, and whether the value in [reconfigure] is another than the recipe's own",
        );
        data::must_be_red(cx, file, "before the change", green).await?;
    }
    cx.check(&name, async |cx: &mut StageRun| {
        let path = cx.app.abra.env_file(&cx.app.spec.domain);
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::disk("read", &path, &error))?;
        let mut file = EnvFile::parse(&text);
        env.iter().for_each(|(key, value)| file.set(key, value));
        std::fs::write(&path, file.to_string()).map_err(|error| Failure::disk("write", &path, &error))?;
        let (head, before) = (cx.app.spec.head.to_string(), cx.before().await?);
        let settled = cx.deploy(&head, &before).await?;
        Ok((format!("deployed again with another {keys}: {} up", count(settled.services.len(), "service")), ()))
    })
    .await?;
    answers::answers(cx, &format!("{name}.answers")).await?;
    intact(cx, &name, planted, "redeploy with other settings").await?;
    overlay::run_all(cx, "reconfigure").await
}
