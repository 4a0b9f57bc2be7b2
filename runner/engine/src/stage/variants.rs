//! The variants that the recipe's folder names: each is installed at the base release on empty volumes and upgraded to
//! the head.

use base::failure::Failure;
use swarm::Before;

use super::{answers, evidence, fresh, prepare, upgrade};
use crate::context::{ActiveVariant, Keep, StageRun, Step, Stopped};
use change::Change;
use journal::text::count;
use plan::policy::{check_compose, check_repository, normalize_env};
use plan::revision::sample_of;
use recipe_folder::recipe_toml::Variant;

pub(super) async fn run(cx: &mut StageRun) -> Step {
    if cx.run.keep != Keep::No {
        cx.skipped = Some("the app is kept, and a variant would take its place".to_owned());
        return Ok(());
    }
    let mut red = false;
    for (name, variant) in cx.app.toml.variant.clone() {
        cx.progress(format!("takes the variant {name}"));
        let ended = one(cx, &format!("variants.{name}"), variant).await;
        evidence::collect_logs(cx).await;
        red |= ended.is_err();
    }
    if red { Err(Stopped) } else { Ok(()) }
}

async fn one(cx: &mut StageRun, name: &str, variant: Variant) -> Step {
    fresh::remove(cx, &format!("{name}.removed")).await?;
    let head = cx.app.spec.head.to_string();
    let has = |revision: &str| variant.compose.iter().all(|file| cx.app.checkout.file(revision, file).is_some());
    let base = cx.app.spec.base.clone().filter(|_| !cx.app.base_is_broken);
    let (base, new) = match base {
        Some(base) if !has(&base) => (None, Some(base)),
        base => (base, None),
    };
    if let Some(release) = new {
        cx.note(format!(
            "{name}: {release} does not have all of {variant}, so the variant is installed at the head alone"
        ));
    }
    cx.app.variant = Some(ActiveVariant { settings: variant.clone(), is_base: base.is_some() });
    cx.app.change = match &base {
        // What is wrong with a side is told by its deploy.
        Some(_) => Change::read(&cx.app.checkout, &cx.app.spec, Some(&variant)).ok().flatten(),
        None => None,
    };
    let first = base.clone().unwrap_or_else(|| head.clone());
    cx.check(&format!("{name}.installed"), async |cx: &mut StageRun| {
        images(cx, &first, &variant).await?;
        let settled = cx.deploy(&first, &Before::default()).await?;
        Ok((format!("{first} with {variant}: {} up", count(settled.services.len(), "service")), ()))
    })
    .await?;
    answers::answers(cx, &format!("{name}.install-answers")).await?;
    if base.is_none() {
        return Ok(());
    }
    let markers = upgrade::plant(cx, &format!("{name}.markers")).await?;
    cx.app.variant = Some(ActiveVariant { settings: variant.clone(), is_base: false });
    cx.check(&format!("{name}.upgraded"), async |cx: &mut StageRun| {
        images(cx, &head, &variant).await?;
        let before = cx.run.swarm.before(&cx.app.spec.stack).await?;
        let settled = cx.deploy(&head, &before).await?;
        Ok((format!("{} up", count(settled.services.len(), "service")), ()))
    })
    .await?;
    answers::answers(cx, &format!("{name}.upgrade-answers")).await?;
    cx.check(&format!("{name}.data"), async |cx: &mut StageRun| {
        upgrade::still_there(cx, &markers, &format!("the upgrade of {name}")).await
    })
    .await
}

/// The images of a revision with a variant, and that it asks for nothing that a stranger may not have.
async fn images(cx: &StageRun, revision: &str, variant: &Variant) -> Result<(), Failure> {
    let mut env = sample_of(&cx.app.checkout, revision)?;
    variant.write_to(&mut env);
    normalize_env(&mut env, &cx.app.spec)?;
    let compose = check_repository(&cx.app.checkout, revision, &env, &cx.app.spec)?;
    if cx.app.opted_out("prepare.allowed").is_none() {
        check_compose(&cx.app.checkout, revision, &env, &cx.app.spec, &compose)?;
    }
    prepare::ensure(cx, &compose).await.map(drop)
}
