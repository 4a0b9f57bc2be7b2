//! What the change asks of operators, and what of it no stage of the run tests.

use std::collections::BTreeSet;

use base::failure::{Failure, Kind};
use coopcloud::compose::Compose;
use coopcloud::envfile::EnvFile;

use crate::context::{StageRun, Step};
use change::{self, Change, Why};
use journal::event::Stage;
use journal::text::count;
use plan::commands::{After, Commands};
use plan::revision::compose_files;

/// The check that an upgrade needs no more than operators have.
const CHECK: &str = "prepare.settings";

/// Reads the change, and says what no stage will test of it.
pub(super) async fn read(cx: &mut StageRun, env: &EnvFile, compose: &Compose) {
    match Change::read(&cx.app.checkout, &cx.app.spec, None) {
        Ok(change) => cx.app.change = change,
        // The checks of each side tell it as a fault where it is one.
        Err(failure) => cx.note(format!("what the change asks of operators cannot be told: {}", failure.what)),
    }
    for note in untested(cx, env, compose).await {
        cx.note(note);
    }
}

/// Every setting that the head needs is in the env files that operators have, or they are told.
pub(super) async fn settings(cx: &mut StageRun) -> Step {
    let Some(change) = cx.app.change.clone() else { return Ok(()) };
    let lacking = change.lacking(&change.base.sample);
    for remark in change::remarks(&change) {
        cx.note(remark);
    }
    if let Some(reason) = cx.app.opted_out(CHECK) {
        cx.skip(CHECK, reason);
        return Ok(());
    }
    // Steps of the recipe's folder may set more: the upgrade decides, with the env file that they leave.
    if cx.has_install_steps() || !upgrades(cx) {
        return Ok(());
    }
    cx.check("prepare.configs", async |_: &mut StageRun| match change.unversioned().first() {
        None => Ok(("no config changes under the name of one that is deployed".to_owned(), ())),
        Some((name, file)) => Err(Failure::new(
            Kind::ConfigChanged,
            format!("{file} changes, and its config is still called {name}: swarm refuses to change one in place"),
            "raise its *_VERSION export in abra.sh, or put one into the config's name",
        )),
    })
    .await?;
    cx.check(CHECK, async |_: &mut StageRun| {
        change.refuses(&lacking)?;
        let lacking = change.own(&lacking);
        let text = match change.permit(&lacking) {
            Some(allowance) if !lacking.is_empty() => {
                format!("{} missing in operators' env files, as {}", count(lacking.len(), "setting"), allowance.words())
            }
            _ => format!("an env file of {} has all that the change needs", change.base.name()),
        };
        Ok((text, ()))
    })
    .await
}

fn upgrades(cx: &StageRun) -> bool {
    is_planned(cx, Stage::Upgrade)
}

fn is_planned(cx: &StageRun, stage: Stage) -> bool {
    cx.run.started.stages.iter().any(|planned| planned.stage == stage && planned.skip.is_none())
}

impl StageRun {
    /// Leaves an env file as operators have it at an upgrade, but for what they are told to add.
    ///
    /// # Errors
    /// The settings that it lacks.
    pub(crate) fn upgrade_settings(&self, change: &Change, env: &mut EnvFile, sample: &EnvFile) -> Result<(), Failure> {
        let lacking = change.lacking(env);
        if self.app.opted_out(CHECK).is_none() {
            change.refuses(&lacking)?;
        }
        let is_lacking = |key: &str| lacking.iter().any(|one| one.key == key);
        env.merge_from(sample, is_lacking);
        let values = sample.vars();
        for one in &lacking {
            match (&one.why, values.get(&one.key)) {
                (Why::FileGone { .. }, value) => env.set("COMPOSE_FILE", value.map_or("compose.yml", String::as_str)),
                (Why::Refused { .. }, Some(value)) if env.vars().get(&one.key).is_some_and(String::is_empty) => {
                    env.set(&one.key, value)
                }
                _ => {}
            }
        }
        let left_out = change::unclaimed(&env.vars(), &[], &change.head);
        for note in change.told_settings(&lacking, &left_out, is_planned(self, Stage::Fresh)) {
            self.note(note);
        }
        Ok(())
    }

    /// A failure of the upgrade, explained by a service that was left behind where that is in the way.
    pub(crate) fn explained(&self, failure: Failure) -> Failure {
        match &self.app.change {
            Some(change) if self.stage == Stage::Upgrade => change.explain(failure, &self.app.spec.stack),
            _ => failure,
        }
    }
}

/// Tells what abra has left behind, after the upgrade.
pub(super) async fn left_behind(cx: &StageRun) -> Result<(), Failure> {
    let Some(change) = cx.app.change.as_ref().filter(|change| !change.left.is_empty()) else { return Ok(()) };
    let there: BTreeSet<String> =
        cx.run.swarm.objects(&cx.app.spec.stack).await?.into_iter().map(|one| one.name).collect();
    if let Some(note) = change.told_left(&cx.app.spec.stack, |one| there.contains(&one.name)) {
        cx.note(note);
    }
    Ok(())
}

/// What green says nothing about, a line each.
async fn untested(cx: &StageRun, env: &EnvFile, compose: &Compose) -> Vec<String> {
    let mut notes = Vec::new();
    let base = cx.app.change.as_ref().map(|change| &change.base);
    for (key, value) in change::commands(env) {
        let runs = [After::Deploy.key(), After::Upgrade.key()].contains(&key.as_str());
        let why = match &cx.app.commands {
            Commands::Run if runs => continue,
            Commands::NotRun(why) if runs => why.as_str(),
            _ => "cc-ci never runs those",
        };
        notes.push(format!("{key}={value:?} in .env.sample was not run, so what it sets up is not tested: {why}"));
    }
    let timers = change::timers(compose);
    if !timers.is_empty() {
        notes.push(format!("nothing here starts these services, so they are not tested: {}", timers.join(", ")));
    }
    let known = host::world::entrypoints(&cx.run.swarm).await.unwrap_or_default();
    let routers = change::entrypoints(compose, &known);
    if !routers.is_empty() {
        let routers: Vec<String> = routers
            .iter()
            .map(|(service, router, entrypoint)| format!("{router} of {service} on {entrypoint}"))
            .collect();
        notes.push(format!(
            "traefik here is not known to have these entrypoints, so nothing asks there: {} (known: {})",
            routers.join(", "),
            known.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    let (Some(base), head) = (base, cx.app.spec.head.as_str()) else { return notes };
    let files = |compose: &Compose| -> Vec<String> {
        compose.files_of_objects().into_iter().map(|(_, file)| file.trim_start_matches("./").to_owned()).collect()
    };
    let mut deployed: BTreeSet<String> =
        [compose_files(env), compose_files(&base.sample), files(compose)].concat().into_iter().collect();
    deployed.extend(cx.app.change.iter().flat_map(|change| files(&change.head.compose)));
    let changed = cx.app.checkout.changed(&base.revision, head).unwrap_or_default();
    let unused = change::parts_that_nothing_deploys(&changed, &deployed);
    if !unused.is_empty() {
        notes.push(format!(
            "changed since {} and part of nothing that this run deploys: {}",
            base.revision,
            unused.join(", ")
        ));
    }
    let script = |revision: &str| cx.app.checkout.file(revision, "abra.sh").unwrap_or_default();
    let functions = change::changed_functions(&script(&base.revision), &script(head));
    if !functions.is_empty() {
        notes.push(format!(
            "functions of abra.sh that changed since {} and that no run calls: {}",
            base.revision,
            functions.join(", ")
        ));
    }
    notes
}
