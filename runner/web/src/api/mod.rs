//! The same for machines, as JSON.

pub(super) mod openapi;
pub(super) mod types;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base::names::RunId;

use self::types::{Check, Recipe, Run, Runs, Stage, Trouble, WholeRun};
use super::asked::{Asked, NamedPart};
use super::list::{COUNT, ListFilter};
use super::respond::NoPage;
use super::site::Site;

pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/api/recipes", get(recipes))
        .route("/api/runs", get(runs))
        .route("/api/runs/{run}", get(run))
        .route("/api/coverage", get(coverage))
        .route("/api/openapi.json", get(async || Json(openapi::document())))
}

/// The same errors as for pages, as JSON.
struct NoAnswer(NoPage);

impl<T: Into<NoPage>> From<T> for NoAnswer {
    fn from(why: T) -> Self {
        Self(why.into())
    }
}

impl IntoResponse for NoAnswer {
    fn into_response(self) -> Response {
        let (status, _, error) = self.0.words();
        (status, Json(Trouble { error })).into_response()
    }
}

async fn recipes(State(site): State<Site>) -> Result<Json<Vec<Recipe>>, NoAnswer> {
    let rows = site.history().read(history::Db::overview).await?;
    let recipe = |row: history::query::RecipeRow| {
        let (newest, stages) = match &row.standing {
            Some(standing) => (Run::from(&standing.run), standing.stages.iter().map(Stage::from).collect()),
            None => (Run::from(&row.newest), Vec::new()),
        };
        Recipe { recipe: row.recipe.to_string(), newest, stages }
    };
    Ok(Json(rows.into_iter().map(recipe).collect()))
}

async fn runs(State(site): State<Site>, named: Result<Asked<ListFilter>, NoPage>) -> Result<Json<Runs>, NoAnswer> {
    let Asked(wanted) = named?;
    let filter = wanted.filter().map_err(NoPage::Wrong)?;
    let after = match wanted.before.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| NoPage::Wrong("`before` is no place in the list of runs".to_owned()))?),
    };
    let page = site.history().read(move |db| db.list(&filter, after.as_ref(), COUNT)).await?;
    let next = page.next.map(|next| next.to_string());
    Ok(Json(Runs { runs: page.runs.iter().map(Run::from).collect(), next }))
}

async fn run(State(site): State<Site>, named: Result<NamedPart<RunId>, NoPage>) -> Result<Json<WholeRun>, NoAnswer> {
    let NamedPart(run) = named?;
    let one = site.history().read(move |db| db.run(&run)).await?.ok_or(NoPage::Missing("run"))?;
    Ok(Json(WholeRun {
        run: Run::from(&one.run),
        stages: one.stages.iter().map(Stage::from).collect(),
        checks: one.checks.iter().map(Check::from).collect(),
    }))
}

async fn coverage(State(site): State<Site>) -> Result<Response, NoAnswer> {
    Ok(Json(&*site.coverage().await?).into_response())
}
