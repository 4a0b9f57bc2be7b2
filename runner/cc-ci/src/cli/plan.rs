//! `cc-ci plan`: the stages, deadlines, steps and opt-outs of a run; nothing is run.

use host::say;
use std::fmt::Write as _;

use base::failure::{Failure, Kind};
use futures_util::FutureExt as _;

use super::target::What;
use host::settings::Settings;
use journal::event::PlannedStage;
use journal::exit::Exit;
use plan::prepared::Prepared;
use plan::refused::{refused, tests_can_run};
use plan::spec::RunSpec;
use recipe_folder::folder::folder_of;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci plan custom-html --pr 12           the stages of a pull request's run, and what would stop it\n",
    "  cc-ci plan n8n --source ../n8n --dirty   a folder as it is, with what is not committed\n",
    "  cc-ci plan n8n --only functional --json  a part of a run, for programs\n",
))]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, args: Args) -> Result<Exit, Failure> {
    let scratch =
        tempfile::tempdir().map_err(|error| Failure::disk("make a folder in", &std::env::temp_dir(), &error))?;
    let (request, only) = (args.what.request(settings)?, args.what.selection()?);
    // Shells read the tests while git is asked.
    let (folder, recipe) = (folder_of(&settings.recipes, &request.recipe), request.recipe.clone());
    let tests = tokio::spawn(async move { tests_can_run(&folder, &recipe).await });
    let lost =
        |why: tokio::task::JoinError| Err(Failure::new(Kind::Bug, why.to_string(), "the lines above, and tell us"));
    let tests = tests.map(|done| done.unwrap_or_else(lost));
    let prepared = Prepared::to_look_at(settings, &request, &only, &scratch.path().join("recipe"))?;
    let left_out = What::left_out(&request);
    let refused = refused(settings, &prepared, tests).await;
    if args.json {
        say!(
            "{:#}",
            serde_json::json!({
                "recipe": prepared.spec.recipe, "source": prepared.spec.source, "head": prepared.spec.head,
                "head_version": prepared.spec.head_version, "base": prepared.spec.base,
                "domain": prepared.spec.domain, "stack": prepared.spec.stack, "stages": prepared.stages,
                "refused": refused, "left_out": left_out,
            })
        );
    } else {
        host::screen::text(render(&prepared.spec, &prepared.stages));
        refused
            .iter()
            .for_each(|one| say!("\na run would stop at {}: {}\n  look at: {}", one.check, one.what, one.look_at));
        left_out.iter().for_each(|files| say!("\n{files}"));
    }
    Ok(refused.first().map_or(Exit::Passed, |one| Exit::from(one.cause)))
}

fn render(spec: &RunSpec, stages: &[PlannedStage]) -> String {
    let mut text = String::new();
    let from = spec.base.as_deref().unwrap_or("no release yet");
    let _ = writeln!(text, "{} at {} ({})", spec.recipe, spec.head.short(), spec.head_subject);
    let _ = writeln!(text, "from {from} to {}", spec.head_version.as_deref().unwrap_or("an unnamed version"));
    let _ = writeln!(text, "as   {}\n", spec.domain);
    for planned in stages {
        match &planned.skip {
            Some(reason) => {
                let _ = writeln!(text, "{:<12} skipped: {reason}", planned.stage);
            }
            None => {
                let _ = writeln!(text, "{:<12} at most {} s", planned.stage, planned.deadline_s);
                planned.steps.iter().for_each(|step| {
                    let _ = writeln!(text, "             - {step}");
                });
            }
        }
        for out in &planned.opt_outs {
            let _ = writeln!(text, "             ! {} is switched off: {}", out.check, out.reason);
        }
    }
    text
}
