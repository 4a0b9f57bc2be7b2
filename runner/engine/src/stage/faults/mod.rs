//! What goes wrong on servers, made on purpose: one file a fault. Each begins on an app that is up, and ends with the
//! app up again and its data there. One that does not fit the recipe is blocked with the reason, and never red by it.

mod cross_release;
mod database_gone;
mod database_late;
mod older;
mod reconfigure;
mod restart;
mod two_back;
mod wrong_secret;

use std::time::{Duration, Instant};

use base::failure::{Cause, Failure, Kind};
use futures_util::future::try_join_all;
use swarm::{DownService, ServiceFacts};

use super::{answers, data, evidence, upgrade};
use crate::context::{Keep, StageRun, Step, Stopped};
use host::markers::Marker;
use journal::event::{Origin, Outcome};
use plan::faults::Ground;
use plan::spec::releases_before;
use recipe_folder::recipe_toml::InjectedFault;
use recipe_folder::recipe_toml::Seconds;

/// Before the app's data are looked for once more.
const PAUSE: Duration = Duration::from_millis(500);

/// What became of a fault that was not red.
enum Tried {
    /// The app went through it.
    Shown,
    /// It could not be made, or its end says nothing: why.
    Blocked(String),
}

pub(super) async fn run(cx: &mut StageRun) -> Step {
    if cx.run.keep != Keep::No {
        cx.skipped = Some("the app is kept, and a fault would change it".to_owned());
        return Ok(());
    }
    let ground = cx
        .check("faults.ground", async |cx: &mut StageRun| {
            let ground = ground(cx).await?;
            let none = |names: String| if names.is_empty() { "none".to_owned() } else { names };
            let (live, databases) = (none(names(ground.live())), none(names(ground.databases())));
            Ok((format!("services that can be taken down: {live}; databases among them: {databases}"), ground))
        })
        .await?;
    let mut planted = None;
    let (mut shown, mut blocked, mut red) = (0, Vec::new(), None);
    for fault in cx.app.toml.injected() {
        cx.progress(format!("makes the fault {}", fault.name()));
        let why = ground.unfit(fault, &cx.app.toml).or_else(|| in_the_way(fault, red)).or_else(|| too_late(cx, fault));
        let tried = match why {
            Some(why) => Ok(Tried::Blocked(why)),
            None => one(cx, fault, &ground, &mut planted).await,
        };
        match tried {
            Ok(Tried::Shown) => shown += 1,
            Ok(Tried::Blocked(why)) => {
                cx.record(&fault.check(), Origin::Generic, Outcome::Blocked, why.clone(), None, Duration::ZERO);
                blocked.push(format!("{} ({why})", fault.name()));
            }
            Err(Stopped) => red = red.or(Some(fault)),
        }
        evidence::collect_logs(cx).await;
    }
    let blocked = (!blocked.is_empty()).then(|| format!("not shown: {}", blocked.join(", ")));
    match red {
        Some(_) => return Err(Stopped),
        None if shown == 0 => cx.skipped = blocked,
        None => cx.not_shown = blocked,
    }
    Ok(())
}

/// A red fault may have left the app as it is not: only those come after it that put another in its place.
fn in_the_way(fault: InjectedFault, red: Option<InjectedFault>) -> Option<String> {
    let needs_live = !matches!(fault, InjectedFault::TwoBack | InjectedFault::CrossRelease);
    let red = red.filter(|_| needs_live)?;
    Some(format!("{} is red, and the app may not be what it was before", red.name()))
}

/// A fault for which the stage has no time any more would be red by a deadline that says nothing of the recipe.
fn too_late(cx: &StageRun, fault: InjectedFault) -> Option<String> {
    let faults = &cx.app.toml.faults;
    let outage = |outage: &recipe_folder::recipe_toml::Outage| outage.away.get() + outage.within.get();
    let needed = match fault {
        InjectedFault::Restart => faults.restart.as_ref().map(|one| one.within.get()),
        InjectedFault::WrongSecret => faults.wrong_secret.as_ref().map(|one| 2 * one.within.get()),
        InjectedFault::DatabaseLate => faults.database_late.as_ref().map(outage),
        InjectedFault::DatabaseGone => faults.database_gone.as_ref().map(outage),
        InjectedFault::Reconfigure | InjectedFault::TwoBack | InjectedFault::CrossRelease => Some(60),
    };
    let left = cx.time_left();
    (left < Duration::from_secs(needed.unwrap_or(0))).then(|| {
        format!("only {} s are left of the stage's time, which [timeouts] faults in recipe.toml sets", left.as_secs())
    })
}

/// What of the recipe decides which faults fit: by what is deployed, where the plan knew the files alone.
async fn ground(cx: &StageRun) -> Result<Ground, Failure> {
    let sample = cx.app.checkout.file(cx.app.spec.head.as_str(), ".env.sample").unwrap_or_default();
    Ok(Ground {
        services: cx.run.swarm.service_facts(&cx.app.spec.stack).await?,
        releases: releases_before(&cx.app.spec),
        settings: Ground::settings_of(&sample),
    })
}

async fn one(
    cx: &mut StageRun,
    fault: InjectedFault,
    ground: &Ground,
    planted: &mut Option<Planted>,
) -> Result<Tried, Stopped> {
    match fault {
        InjectedFault::TwoBack => {
            let Some(release) = ground.releases.get(1) else { return Ok(nowhere()) };
            return two_back::run(cx, release).await;
        }
        InjectedFault::CrossRelease => {
            let Some(release) = ground.releases.first() else { return Ok(nowhere()) };
            return cross_release::run(cx, release).await;
        }
        _ => {}
    }
    let planted = match planted {
        Some(planted) => planted,
        None => planted.insert(plant(cx, "faults").await?),
    };
    match fault {
        InjectedFault::Restart => restart::run(cx, ground, planted).await?,
        InjectedFault::WrongSecret => return wrong_secret::run(cx, ground, planted).await,
        InjectedFault::DatabaseLate => database_late::run(cx, ground, planted).await?,
        InjectedFault::DatabaseGone => database_gone::run(cx, ground, planted).await?,
        InjectedFault::Reconfigure => reconfigure::run(cx, ground, planted).await?,
        InjectedFault::TwoBack | InjectedFault::CrossRelease => {}
    }
    Ok(Tried::Shown)
}

fn nowhere() -> Tried {
    Tried::Blocked("the recipe has no such release".to_owned())
}

/// What has to be there after a fault.
struct Planted {
    markers: Vec<Marker>,
    has_data: bool,
}

/// Makes what a fault could lose.
async fn plant(cx: &mut StageRun, name: &str) -> Step<Planted> {
    let markers = upgrade::plant(cx, &format!("{name}.markers")).await?;
    data::seed(cx).await?;
    let has_data = data::is_there(cx).await;
    if cx.app.overlays.data.is_some() && !has_data {
        cx.note("the recipe's data are not there before any fault, so none is held to them: earlier tests may have changed them");
    }
    Ok(Planted { markers, has_data })
}

/// All of it is still there.
async fn intact(cx: &mut StageRun, name: &str, planted: &Planted, event: &str) -> Step {
    cx.check(&format!("{name}.data"), async |cx: &mut StageRun| {
        upgrade::still_there(cx, &planted.markers, &format!("the {event}")).await
    })
    .await?;
    if planted.has_data {
        data::check(cx, event).await?;
    }
    Ok(())
}

/// Takes services down, side by side.
async fn take_down<'a>(
    cx: &StageRun,
    services: impl Iterator<Item = &'a ServiceFacts>,
) -> Result<Vec<DownService>, Failure> {
    let until = cx.wait_until();
    try_join_all(services.map(|service| cx.run.swarm.take_down(&cx.app.spec.stack, &service.name, until))).await
}

/// Brings them back.
async fn bring_back(cx: &StageRun, down: &[DownService]) -> Result<(), Failure> {
    try_join_all(down.iter().map(|service| cx.run.swarm.bring_back(service))).await.map(drop)
}

fn names<'a>(services: impl Iterator<Item = &'a ServiceFacts>) -> String {
    services.map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Waits until everything is up and the app answers again; how many seconds that took. An app may answer before it has
/// found its database again: its data have as long as its answer, and whether they are there is told by [`intact`].
async fn recovered(cx: &mut StageRun, planted: &Planted, event: &str, within: Seconds) -> Result<f64, Failure> {
    let began = Instant::now();
    let until = began + Duration::from_secs(within.get());
    let before = cx.run.swarm.before(&cx.app.spec.stack).await?;
    let mut watch = cx.run.swarm.watch(&cx.app.spec.stack).await?;
    let mut speaker = cx.speaker();
    cx.app.settled = None;
    let wrong = |failure| not_recovered(event, within, failure);
    watch.settled(&before, until, &mut speaker).await.map_err(wrong)?;
    answers::recovered(cx, until).await.map_err(wrong)?;
    while planted.has_data && Instant::now() < until && !data::is_there(cx).await {
        // An app that connects again tells nobody.
        tokio::time::sleep(PAUSE).await;
    }
    cx.app.settled = Some(cx.run.swarm.before(&cx.app.spec.stack).await?);
    Ok(began.elapsed().as_secs_f64())
}

fn not_recovered(event: &str, within: Seconds, failure: Failure) -> Failure {
    if failure.kind.usual_cause() != Cause::Recipe {
        return failure;
    }
    let what = format!("the app does not recover from the {event} within {} s: {}", within.get(), failure.what);
    Failure { kind: Kind::NotRecovered, what, ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_did_keeps_its_name() {
        let within = Seconds::try_from(5).unwrap();
        let of = |kind| not_recovered("restart of db", within, Failure::new(kind, "x exited", "its log"));
        assert_eq!(of(Kind::EngineRestarted).kind, Kind::EngineRestarted);
        assert_eq!(of(Kind::NodeOutOfMemory).what, "x exited");
        let red = of(Kind::CrashLoop);
        assert_eq!(red.kind, Kind::NotRecovered);
        assert_eq!(red.what, "the app does not recover from the restart of db within 5 s: x exited");
    }

    #[test]
    fn after_a_red_fault_only_those_go_on_that_replace_the_app() {
        let blocked = |fault| in_the_way(fault, Some(InjectedFault::Restart)).is_some();
        let on: Vec<InjectedFault> = InjectedFault::ALL.into_iter().filter(|fault| !blocked(*fault)).collect();
        assert_eq!(on, [InjectedFault::TwoBack, InjectedFault::CrossRelease]);
        assert!(in_the_way(InjectedFault::Restart, None).is_none());
    }
}
