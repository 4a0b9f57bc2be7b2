//! Badges, the feed and metrics, for other programs.

use std::collections::BTreeSet;

use askama::Template as _;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use base::names::{RecipeName, RunId};

use super::asked::NamedPart;
use super::badge::Badge;
use super::feed::{ENTRIES, Feed, Turn};
use super::metrics::{Figures, text};
use super::respond::{NoPage, typed};
use super::site::Site;
use history::query::{Filter, RecipeStanding};
use history::{Db, HistoryError, RunRow, StageState};
use journal::event::Stage;
use journal::tone::Tone;
use nightly::SweepRun;

const SVG: &str = "image/svg+xml";
/// Number of runs that are searched for changes of a recipe's verdict.
const LOOKED_AT: u16 = 60;

pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/badges/{file}", get(verdict))
        .route("/badges/{recipe}/{file}", get(part))
        .route("/feed.atom", get(feed))
        .route("/metrics", get(metrics))
}

async fn verdict(State(site): State<Site>, NamedPart(file): NamedPart<String>) -> Result<Response, NoPage> {
    Ok(typed(SVG, verdict_badge(&site, &named(&file)?).await?))
}

async fn part(
    State(site): State<Site>,
    NamedPart((recipe, file)): NamedPart<(RecipeName, String)>,
) -> Result<Response, NoPage> {
    if file == "standing.svg" {
        return Ok(typed(SVG, standing_badge(&site, &recipe).await?));
    }
    let stage = file.strip_suffix(".svg").and_then(|name| Stage::ALL.into_iter().find(|stage| stage.name() == name));
    Ok(typed(SVG, stage_badge(&site, &recipe, stage.ok_or(NoPage::Missing("badge"))?).await?))
}

/// The result of the recipe's newest whole run.
pub(super) async fn verdict_badge(site: &Site, recipe: &RecipeName) -> Result<String, NoPage> {
    let badge = match standing(site, recipe).await?.and_then(|standing| standing.run.tone) {
        Some(tone) => Badge::tone(recipe.as_str(), tone),
        None => Badge::unknown(recipe.as_str()),
    };
    Ok(badge.render()?)
}

/// The result of a stage of that run.
pub(super) async fn stage_badge(site: &Site, recipe: &RecipeName, stage: Stage) -> Result<String, NoPage> {
    let label = format!("{recipe} {stage}");
    let standing = standing(site, recipe).await?;
    let seen = standing.iter().flat_map(|standing| &standing.stages).find(|seen| seen.stage == stage);
    let badge = match seen.map(|seen| seen.state) {
        Some(StageState::Ended(outcome)) => Badge::tone(&label, Tone::from(outcome)),
        _ => Badge::unknown(&label),
    };
    Ok(badge.render()?)
}

/// Whether the recipe is stable, testing or unstable, from its coverage.
pub(super) async fn standing_badge(site: &Site, recipe: &RecipeName) -> Result<String, NoPage> {
    let coverage = site.coverage().await?;
    let badge = match coverage.recipes.iter().find(|known| known.recipe == *recipe) {
        Some(known) => Badge::standing(recipe.as_str(), known.standing.word.name()),
        None => Badge::unknown(recipe.as_str()),
    };
    Ok(badge.render()?)
}

fn named(file: &str) -> Result<RecipeName, NoPage> {
    file.strip_suffix(".svg").and_then(|name| name.parse().ok()).ok_or(NoPage::Missing("badge"))
}

async fn standing(site: &Site, recipe: &RecipeName) -> Result<Option<RecipeStanding>, NoPage> {
    let rows = site.history().read(Db::overview).await?;
    Ok(rows.into_iter().find(|row| row.recipe == *recipe).and_then(|row| row.standing))
}

async fn feed(State(site): State<Site>) -> Result<Response, NoPage> {
    Ok(typed("application/atom+xml", whole_feed(&site).await?))
}

/// Everything that turned. Runs of nightly sweeps are reported by their sweep, which compares each default branch and
/// release with itself.
pub(super) async fn whole_feed(site: &Site) -> Result<String, NoPage> {
    let sweeps = site.sweeps().await?;
    let ends = sweeps.iter().flat_map(|sweep| &sweep.recipes).flat_map(|swept| &swept.runs).filter_map(SweepRun::end);
    let of_sweeps: BTreeSet<RunId> = ends.filter_map(|end| end.run.clone()).collect();
    let turns = site.history().read(move |db| turns(db, &of_sweeps)).await?;
    let home = site.home().map_or("http://localhost/", |home| home.as_str());
    Ok(Feed::new(home, &turns, &sweeps).render()?)
}

/// Verdicts on whole recipes that differ from the previous one, newest first, except those of some runs.
fn turns(db: &Db, but: &BTreeSet<RunId>) -> Result<Vec<Turn>, HistoryError> {
    let mut turns = Vec::new();
    for known in db.overview()? {
        let filter = Filter { recipe: Some(known.recipe), ..Filter::default() };
        let mut runs = db.list(&filter, None, LOOKED_AT)?.runs;
        // A run that was stopped, or ended by the machine, says nothing about the recipe.
        let tells = |run: &RunRow| run.is_whole() && matches!(run.tone, Some(Tone::Passed | Tone::Failed));
        runs.retain(|run| tells(run) && !but.contains(&run.run));
        let older = runs.iter().skip(1).map(|run| run.tone).chain([None]);
        let changed = runs.iter().zip(older).filter(|(run, before)| run.tone != *before);
        turns.extend(changed.map(|(run, before)| Turn { run: run.clone(), before }));
    }
    turns.sort_by(|a, b| (b.run.at, &b.run.run).cmp(&(a.run.at, &a.run.run)));
    turns.truncate(ENTRIES);
    Ok(turns)
}

async fn metrics(State(site): State<Site>) -> Result<Response, NoPage> {
    let slots = site.look().seen().await.ok().and_then(|seen| seen.slots);
    let figures = site
        .history()
        .read(move |db| {
            let standings = db.overview()?.into_iter().filter_map(|row| row.standing);
            let recipes = standings.map(|standing| {
                let run = standing.run;
                (run.recipe.to_string(), run.tone, run.at.as_second(), run.took_ms)
            });
            Ok(Figures { recipes: recipes.collect(), live: db.live()?.len(), runs: db.count()?, slots })
        })
        .await?;
    Ok(typed("text/plain; version=0.0.4; charset=utf-8", text(&figures)))
}
