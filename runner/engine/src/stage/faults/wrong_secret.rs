//! The app gets a wrong password for its database, as after a restore into a new app or a secret that was made anew.
//!
//! What can be judged without knowing the app: it may end, stay unwell or answer an error. It may also say that it is
//! well, since many apps call a process well that answers at all. What it may not do is say so and show its data: then
//! the password guards nothing. That takes the recipe's `data/`; without it an app that says it is well shows nothing.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use swarm::{DownService, ServiceFacts, TaskRow};

use super::super::{answers, data};
use super::{Planted, Tried, bring_back, intact, names, recovered, take_down};
use crate::context::{StageRun, Stopped};
use crate::random_text::random_text;
use journal::event::{Origin, Outcome};
use plan::faults::Ground;
use recipe_folder::recipe_toml::InjectedFault;
use recipe_folder::recipe_toml::{Recovery, Seconds};

/// The length of a wrong password.
const LENGTH: usize = 32;
/// An app that has ended so often has refused to run with it.
const ENDS: usize = 2;
/// One look at the app takes no longer.
const LOOK: Duration = Duration::from_secs(2);

/// What the app did with the wrong password.
#[derive(Debug, PartialEq, Eq)]
enum Answered {
    /// It ended so often.
    Ended(usize),
    /// It never said that it was well.
    Unwell,
    /// It said that it was well and did not show its data.
    WithoutData,
    /// It said that it was well; whether it had its data cannot be seen.
    Well,
    /// It said that it was well, and showed its data.
    WithData,
}

pub(super) async fn run(cx: &mut StageRun, ground: &Ground, planted: &Planted) -> Result<Tried, Stopped> {
    let within = cx.app.toml.faults.wrong_secret.unwrap_or_default().within;
    let (event, name) = ("wrong password for its database", InjectedFault::WrongSecret.check());
    let passwords = ground.passwords();
    let apps: Vec<&ServiceFacts> = ground.apps().filter(|service| !service.secrets.is_disjoint(&passwords)).collect();
    let apps = || apps.iter().copied();
    let began = Instant::now();
    let (right, answered) = cx
        .check(&format!("{name}.given"), async |cx: &mut StageRun| {
            let right = take_down(cx, apps()).await?;
            let known = tasks(cx).await?.into_iter().map(|task| task.id).collect();
            give(cx, &right, &passwords).await?;
            let answered = watched(cx, within, planted.has_data, &known).await?;
            let text = format!("{} ran with another password than {}", names(apps()), names(ground.databases()));
            Ok((text, (right, answered)))
        })
        .await?;
    let took = began.elapsed();
    // The app gets its own password back first, so that what comes next begins on an app that is up.
    let back = cx
        .check(&format!("{name}.back"), async |cx: &mut StageRun| {
            take_down(cx, apps()).await?;
            bring_back(cx, &right).await?;
            let took = recovered(cx, planted, event, within.max(Recovery::default().within)).await?;
            Ok((format!("with its own password the app answers after {took:.1} s"), ()))
        })
        .await;
    match judged(&answered, within) {
        Ok(Tried::Shown) => {
            let text = words(&answered, within);
            cx.record(&name, Origin::Generic, Outcome::Passed, text, None, took);
        }
        Ok(blocked) => {
            back?;
            intact(cx, &name, planted, event).await?;
            return Ok(blocked);
        }
        Err(failure) => {
            cx.fail(&name, Origin::Generic, failure, took);
            return Err(Stopped);
        }
    }
    back?;
    intact(cx, &name, planted, event).await?;
    Ok(Tried::Shown)
}

async fn tasks(cx: &StageRun) -> Result<Vec<TaskRow>, Failure> {
    cx.run.swarm.tasks(&cx.app.spec.stack).await
}

/// Brings services back with another value in the place of each password.
async fn give(cx: &StageRun, down: &[DownService], passwords: &BTreeSet<String>) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for (number, password) in passwords.iter().enumerate() {
        let value = random_text(LENGTH);
        cx.hide(&value)?;
        let made = cx.run.swarm.make_secret(&cx.app.spec.stack, &format!("ccci_wrong_{number}"), &value).await?;
        wrong.push((password.clone(), made));
    }
    let changed: Vec<DownService> = down.iter().map(|service| service.with_secrets(&wrong)).collect();
    bring_back(cx, &changed).await
}

/// Watches the app until it is plain what it does, or the time is up.
async fn watched(
    cx: &mut StageRun,
    within: Seconds,
    has_data: bool,
    known: &BTreeSet<String>,
) -> Result<Answered, Failure> {
    cx.progress("watches what the app does with a wrong password");
    let until = Instant::now() + Duration::from_secs(within.get());
    let mut was_well = false;
    loop {
        let look = until.min(Instant::now() + LOOK);
        let is_well = answers::is_well(cx, look).await;
        was_well |= is_well;
        match (is_well, has_data) {
            (true, false) => return Ok(Answered::Well),
            (true, true) if data::is_there(cx).await => return Ok(Answered::WithData),
            _ => {}
        }
        let ended = |task: &TaskRow| {
            matches!(task.state.as_str(), "failed" | "complete" | "rejected") && !known.contains(&task.id)
        };
        let ends = tasks(cx).await?.iter().filter(|task| ended(task)).count();
        if ends >= ENDS && !was_well {
            return Ok(Answered::Ended(ends));
        }
        if Instant::now() + Duration::from_millis(500) >= until {
            return Ok(if was_well { Answered::WithoutData } else { Answered::Unwell });
        }
        // Well and without data: it may be about to connect. There is no event of an app's that tells.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn words(answered: &Answered, within: Seconds) -> String {
    match answered {
        Answered::Ended(count) => format!("it ended {count} times in place of working with a wrong password"),
        Answered::Unwell => format!("it did not say that it was well for {} s", within.get()),
        Answered::WithoutData => {
            format!("it said that it was well, and showed none of its data for {} s", within.get())
        }
        Answered::Well => "it said that it was well".to_owned(),
        Answered::WithData => "it said that it was well and showed its data".to_owned(),
    }
}

fn judged(answered: &Answered, within: Seconds) -> Result<Tried, Failure> {
    match answered {
        Answered::Ended(_) | Answered::Unwell | Answered::WithoutData => Ok(Tried::Shown),
        Answered::Well => Ok(Tried::Blocked(format!(
            "{} with a wrong password for its database; whether it shows its data then takes data/ in the recipe's folder",
            words(answered, within)
        ))),
        Answered::WithData => Err(Failure::new(
            Kind::SecretIgnored,
            format!("with a wrong password for its database the app is as well as before: {}", words(answered, within)),
            "whether the database asks for a password at all (POSTGRES_HOST_AUTH_METHOD, pg_hba.conf), and where the app \
             has its password from",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_app_that_shows_its_data_is_red_and_one_of_which_nothing_is_seen_is_blocked() {
        let within = Seconds::try_from(9).unwrap();
        let of = |answered: Answered| match judged(&answered, within) {
            Ok(Tried::Shown) => "shown".to_owned(),
            Ok(Tried::Blocked(_)) => "blocked".to_owned(),
            Err(failure) => failure.kind.code().to_owned(),
        };
        assert_eq!(of(Answered::Ended(2)), "shown");
        assert_eq!(of(Answered::Unwell), "shown");
        assert_eq!(of(Answered::WithoutData), "shown");
        assert_eq!(of(Answered::Well), "blocked");
        assert_eq!(of(Answered::WithData), "secret-ignored");
    }
}
