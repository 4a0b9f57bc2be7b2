//! The plan of a run: a pure function of what it tests and what the recipe's folder brings.

use std::time::Duration;

use crate::faults::{self, Ground};
use crate::spec::RunSpec;
use journal::event::{OptOut, PlannedStage, Stage};
use journal::selection::Selection;
use journal::text::count;
use recipe_folder::recipe_toml::{RecipeToml, Timeouts};

/// What the recipe's folder brings, as names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brought {
    /// Files below `install/`.
    pub install: Vec<String>,
    /// Files below `upgrade/`.
    pub upgrade: Vec<String>,
    /// Files below `backup/`.
    pub backup: Vec<String>,
    /// Files below `functional/`, then those below `browser/`.
    pub functional: Vec<String>,
    /// Those of them that this form of the recipe cannot have, each with the reason.
    pub blocked: Vec<String>,
    /// Files below `reconfigure/`.
    pub reconfigure: Vec<String>,
    /// What decides which faults fit the recipe; none where its files cannot tell.
    pub ground: Option<Ground>,
    /// Whether `data/` has seed, wipe and check.
    pub data: bool,
    /// Whether there is anything that can be shown to bite: a test that was asked for, or a data set.
    pub has_tests: bool,
    /// Apps that are deployed beside the tested one, in the order in which they can come up.
    pub dependencies: Vec<String>,
    /// Tests of the recipe's own repository that run.
    pub own: Vec<String>,
    /// What is done about the commands that abra runs after a deploy.
    pub after_deploy: Option<String>,
    /// The same after an upgrade.
    pub after_upgrade: Option<String>,
}

impl Brought {
    /// The files that a stage runs.
    pub fn of(&self, stage: Stage) -> &[String] {
        match stage {
            Stage::Install => &self.install,
            Stage::Upgrade => &self.upgrade,
            Stage::Backup => &self.backup,
            Stage::Functional => &self.functional,
            Stage::Faults => &self.reconfigure,
            Stage::Prepare
            | Stage::Slot
            | Stage::Dependencies
            | Stage::Prove
            | Stage::Fresh
            | Stage::Variants
            | Stage::Teardown => &[],
        }
    }
}

/// The stages in order, each with its deadline, its steps, and the reason where it is skipped. `max_wait` is
/// how long a slot may be waited for.
pub fn plan(
    spec: &RunSpec,
    toml: &RecipeToml,
    brought: &Brought,
    only: &Selection,
    max_wait: Duration,
) -> Vec<PlannedStage> {
    Stage::ALL
        .into_iter()
        .filter(|stage| *stage != Stage::Prove || only.proves())
        .filter(|stage| *stage != Stage::Faults || !toml.injected().is_empty())
        .filter(|stage| *stage != Stage::Variants || !toml.variant.is_empty())
        .filter(|stage| *stage != Stage::Dependencies || !brought.dependencies.is_empty())
        .map(|stage| PlannedStage {
            stage,
            deadline_s: deadline(&toml.timeouts, max_wait, stage),
            skip: not_asked(only, brought, stage).or_else(|| skip(spec, toml, brought, stage)),
            steps: steps(spec, toml, brought, only, stage),
            opt_outs: opt_outs(toml, stage),
        })
        .collect()
}

fn deadline(timeouts: &Timeouts, max_wait: Duration, stage: Stage) -> u64 {
    let seconds = match stage {
        Stage::Prepare => timeouts.prepare,
        Stage::Slot => return max_wait.as_secs().max(1),
        Stage::Dependencies => timeouts.dependencies,
        Stage::Install => timeouts.install,
        Stage::Upgrade => timeouts.upgrade,
        Stage::Backup => timeouts.backup,
        Stage::Functional => timeouts.functional,
        Stage::Prove => timeouts.prove,
        Stage::Fresh => timeouts.fresh,
        Stage::Faults => timeouts.faults,
        Stage::Variants => timeouts.variants,
        Stage::Teardown => timeouts.teardown,
    };
    seconds.get()
}

fn not_asked(only: &Selection, brought: &Brought, stage: Stage) -> Option<String> {
    (!only.wants_stage(stage, brought.of(stage))).then(|| format!("only {only} was asked for"))
}

fn skip(spec: &RunSpec, toml: &RecipeToml, brought: &Brought, stage: Stage) -> Option<String> {
    // The recipe folder's own tests of a stage run also where its generic part is opted out of.
    let own = match stage {
        Stage::Upgrade | Stage::Fresh | Stage::Faults | Stage::Variants => false,
        _ => !brought.backup.is_empty(),
    };
    if let Some(reason) = toml.opted_out(stage.name()).filter(|_| !own) {
        return Some(format!("opted out: {}", reason.as_str()));
    }
    match stage {
        Stage::Upgrade if spec.base.is_none() => Some(spec.no_base.clone()),
        Stage::Fresh if spec.base.is_none() => Some("install was a fresh install of this commit already".to_owned()),
        Stage::Prove if !brought.has_tests => {
            Some("cc-ci's folder for this recipe brings no test and no data set that could be proven".to_owned())
        }
        Stage::Functional if brought.functional.is_empty() && brought.own.is_empty() => {
            Some("cc-ci's folder for this recipe brings no functional test and no browser flow".to_owned())
        }
        _ => None,
    }
}

fn steps(spec: &RunSpec, toml: &RecipeToml, brought: &Brought, only: &Selection, stage: Stage) -> Vec<String> {
    let head = spec.head.short();
    let mut steps: Vec<String> = Vec::new();
    let mut step = |text: String| steps.push(text);
    let run = |file: &String| match only.is_needed(file) {
        true => format!("run {file}, whose values a chosen test uses"),
        false => format!("run {file}"),
    };
    match stage {
        Stage::Prepare => {
            step(format!(
                "check out {head} of {}, check tags, abra's rules, what the compose file asks for",
                spec.source
            ));
            step("have every image here, before and outside any deploy timeout".to_owned());
        }
        Stage::Slot => {
            step(format!("wait for room on the swarm for {}", count(1 + brought.dependencies.len(), "app")));
        }
        Stage::Dependencies => {
            brought.dependencies.iter().for_each(|app| step(format!("deploy {app}, wait until it answers")));
            if toml.sso.is_some() {
                step("make a realm, a client and users for this run alone".to_owned());
            }
        }
        Stage::Install => {
            step(format!("deploy {} as {}", spec.base.as_deref().unwrap_or(head), spec.domain));
            brought.after_deploy.iter().cloned().for_each(&mut step);
            step(format!("wait until every service is up, then until {}", toml.health.awaited()));
            brought.install.iter().for_each(|file| step(run(file)));
        }
        Stage::Upgrade => {
            step("plant a marker in every volume".to_owned());
            if brought.data {
                step("seed data through the app".to_owned());
            }
            step(format!("deploy {head} in place, wait until it has settled and answers"));
            brought.after_upgrade.iter().cloned().for_each(&mut step);
            step("show that it moved, that the process is new, that the data is there".to_owned());
            brought.upgrade.iter().for_each(|file| step(run(file)));
        }
        Stage::Backup => {
            step("plant a marker in every volume that is backed up, back up".to_owned());
            step("wipe, show that the data is gone, restore, show that it is back".to_owned());
            brought.backup.iter().for_each(|file| step(run(file)));
        }
        Stage::Functional => {
            brought.functional.iter().for_each(|file| step(run(file)));
            brought.blocked.iter().cloned().for_each(&mut step);
            brought
                .own
                .iter()
                .for_each(|file| step(format!("run the recipe's own {file}, which reaches the app alone")));
        }
        Stage::Prove => {
            step("run every test against impostors: each must be red".to_owned());
        }
        Stage::Fresh => {
            step(
                "where the upgrade left a container as it was: take the app down, deploy it again over its volumes"
                    .to_owned(),
            );
            if let (Some(_), Some(base)) = (toml.rollback, &spec.base) {
                step(format!("go back to {base} over the same volumes"));
            }
            step("remove the app with its volumes and secrets".to_owned());
            step(format!("deploy {head} on empty volumes, wait until it answers"));
        }
        Stage::Faults => {
            faults::steps(toml, brought.ground.as_ref()).into_iter().for_each(&mut step);
            brought.reconfigure.iter().for_each(|file| step(run(file)));
        }
        Stage::Variants => {
            for (name, variant) in &toml.variant {
                let from = spec.base.as_ref().map_or_else(String::new, |base| format!("{base}, then "));
                step(format!("{name}: deploy {from}{head} afresh with {variant}"));
            }
        }
        Stage::Teardown => step("remove everything, list what is left".to_owned()),
    }
    steps
}

fn opt_outs(toml: &RecipeToml, stage: Stage) -> Vec<OptOut> {
    toml.opt_out
        .iter()
        .filter(|(check, _)| check.as_str().split('.').next() == Some(stage.name()))
        .map(|(check, reason)| OptOut { check: check.as_str().to_owned(), reason: reason.as_str().to_owned() })
        .collect()
}
