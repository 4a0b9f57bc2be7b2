//! Every path, and its queries of the history.

use std::collections::{BTreeSet, HashMap};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use base::names::{RecipeName, RunId};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::asked::{Asked, NamedPart};
use super::coverage::CoveragePage;
use super::fleet::{Fleet, Need, Swarmed};
use super::list::{COUNT, List, ListFilter};
use super::log::{Lines, LogPage, SIZE, window};
use super::nightly::{NightlyPage, Nights, title as title_of_sweep};
use super::overview::{Overview, OverviewData, Row};
use super::recipe::{Known, RecipePage};
use super::respond::{NoPage, html, typed};
use super::run::{RunPage, title};
use super::shell::{LinkBase, Shell};
use super::site::Site;
use super::{actions, api, assets, feeds, headers, live};
use history::on_main;
use history::query::{Filter, JournalLine, WINDOW};
use history::{Db, HistoryError, RunRow};
use journal::event::Record;
use nightly::Shelf;
use recipe_folder::folder::folder_of;
use report::html::PNG;
use report::junit;

/// Number of runs on the overview and on a recipe's page.
const NEWEST: u16 = 15;
/// Bars of a recipe on the overview.
const BARS: u16 = 14;
/// Weeks of a trend.
const WEEKS: i64 = 26;
/// Number of runs for a recipe's statistics.
const FIGURES: u32 = 200;
/// Number of flakes whose runs are compared; others are only named.
const COMPARED: usize = 5;

/// All routes for readers. The caller may add more.
pub fn router(site: Site) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/runs", get(runs))
        .route("/runs/{run}", get(run))
        .route("/runs/{run}/log", get(log))
        .route("/runs/{run}/log/lines", get(log_lines))
        .route("/runs/{run}/journal.jsonl", get(journal))
        .route("/runs/{run}/junit.xml", get(junit_xml))
        .route("/runs/{run}/pictures/{name}", get(picture))
        .route("/runs/{run}/cancel", post(actions::cancel))
        .route("/runs/{run}/hold", post(actions::hold))
        .route("/recipes/{recipe}", get(recipe))
        .route("/coverage", get(coverage))
        .route("/nightly", get(newest_sweep))
        .route("/nightly/{day}", get(sweep_of_day))
        .route("/fleet", get(fleet))
        .route("/events", get(live::events))
        .route("/assets/{name}", get(assets::asset))
        .merge(feeds::router())
        .merge(api::router())
        .fallback(nothing)
        .layer(from_fn(headers::guard))
        .with_state(site)
}

async fn nothing() -> NoPage {
    NoPage::Missing("page")
}

async fn overview(State(site): State<Site>) -> Result<Response, NoPage> {
    let of = site.clone();
    let page = site.overview(async move { overview_page(&of, LinkBase::Served).await }).await?;
    Ok(typed("text/html; charset=utf-8", page))
}

pub(super) async fn overview_page(site: &Site, place: LinkBase) -> Result<String, NoPage> {
    use askama::Template as _;
    let slots = match place {
        LinkBase::Served => site.look().lately().await.and_then(|seen| seen.slots),
        LinkBase::Exported(_) => None,
    };
    // Rendered on the same blocking thread: it takes long enough to delay other readers.
    let made = site.history().read(move |db| {
        let (rows, live, recent) = overview_rows(db)?;
        let usual = |row: &Row| Some((row.run.recipe.to_string(), row.run.worked_ms?));
        let usual_ms: HashMap<String, u64> = rows.iter().filter_map(usual).collect();
        let seen = OverviewData { rows, live, recent, slots, usual_ms, now: Timestamp::now() };
        Ok(Overview::new(Shell::new("Recipes", "recipes", place).live("events"), &seen).render())
    });
    Ok(made.await??)
}

/// Each recipe's row, the live runs, the newest runs.
type Rows = (Vec<Row>, Vec<RunRow>, Vec<RunRow>);

fn overview_rows(db: &Db) -> Result<Rows, HistoryError> {
    let mut rows = Vec::new();
    for known in db.overview()? {
        let filter = Filter { recipe: Some(known.recipe.clone()), ..Filter::default() };
        let last = db.list(&filter, None, BARS)?.runs;
        let (run, stages) = match known.standing {
            Some(standing) => (standing.run, standing.stages),
            None => {
                let stages = db.run(&known.newest.run)?.map(|run| run.stages).unwrap_or_default();
                (known.newest, stages)
            }
        };
        rows.push(Row { run, stages, last });
    }
    let live = db.live()?.into_iter().map(|one| one.run).collect();
    let recent = db.list(&Filter::default(), None, NEWEST)?.runs;
    Ok((rows, live, recent))
}

async fn runs(State(site): State<Site>, Asked(wanted): Asked<ListFilter>) -> Result<Response, NoPage> {
    let filter = wanted.filter().map_err(NoPage::Wrong)?;
    let after = match wanted.before.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| NoPage::Wrong("this is no place in the list of runs".to_owned()))?),
    };
    let (page, recipes) = site
        .history()
        .read(move |db| {
            let recipes = db.overview()?.into_iter().map(|row| row.recipe.to_string()).collect();
            Ok((db.list(&filter, after.as_ref(), COUNT)?, recipes))
        })
        .await?;
    html(&List::new(Shell::new("Runs", "runs", LinkBase::Served), &wanted, &page, recipes, Timestamp::now()))
}

async fn run(State(site): State<Site>, NamedPart(run): NamedPart<RunId>) -> Result<Response, NoPage> {
    let page = run_page(&site, run, LinkBase::Served).await?;
    Ok(Html(page).into_response())
}

pub(super) async fn run_page(site: &Site, run: RunId, place: LinkBase) -> Result<String, NoPage> {
    use askama::Template as _;
    let (pictures, can_act) = (site.pictures(), site.token().is_some());
    let made = site.heavy(move |db| {
        let Some((row, told)) = db.run(&run)?.map(|one| one.run).zip(db.told(&run)?) else { return Ok(None) };
        let mut shell = Shell::new(&title(&row), "runs", place);
        if row.tone.is_none() {
            shell = shell.live(&format!("events?run={}", row.run));
        }
        let on_main = match row.pull_request {
            Some(_) => on_main::look(db, &told.view)?,
            None => None,
        };
        let page = RunPage::new(shell, &row, &told.view, on_main.as_ref(), (pictures, can_act));
        Ok(Some(page.and_then(|page| page.render())))
    });
    Ok(made.await?.ok_or(NoPage::Missing("run"))??)
}

/// A position in a log.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct From {
    from: Option<u64>,
}

/// A window of the log: the run, the window's start, and its records.
async fn records(site: &Site, run: RunId, from: Option<u64>) -> Result<(RunRow, u64, Vec<Record>), NoPage> {
    let found = site
        .history()
        .read(move |db| {
            let Some(one) = db.run(&run)? else { return Ok(None) };
            let row = one.run;
            // A live run is shown from its end, another one from its beginning.
            let newest = if row.tone.is_none() { row.lines.saturating_sub(1) } else { 0 };
            let from = window(from.unwrap_or(newest).min(row.lines.saturating_sub(1)));
            let lines = db.window(&run, from, SIZE)?.unwrap_or_default();
            Ok(Some((row, from, lines.iter().filter_map(JournalLine::record).collect())))
        })
        .await?;
    found.ok_or(NoPage::Missing("run"))
}

async fn log(
    State(site): State<Site>,
    NamedPart(run): NamedPart<RunId>,
    Asked(at): Asked<From>,
) -> Result<Response, NoPage> {
    let (row, from, records) = records(&site, run, at.from).await?;
    let mut shell = Shell::new(&format!("Log of {}", row.run), "runs", LinkBase::Served);
    shell.scripts.push(assets::LOG);
    if row.tone.is_none() {
        shell = shell.live(&format!("events?run={}", row.run));
    }
    html(&LogPage::new(shell, &row, from, &records))
}

async fn log_lines(
    State(site): State<Site>,
    NamedPart(run): NamedPart<RunId>,
    Asked(at): Asked<From>,
) -> Result<Response, NoPage> {
    let (row, from, records) = records(&site, run, at.from).await?;
    html(&Lines::new(&row, from, &records))
}

async fn journal(State(site): State<Site>, NamedPart(run): NamedPart<RunId>) -> Result<Response, NoPage> {
    let text = site.heavy(move |db| {
        let mut text = String::new();
        for from in (0..).step_by(usize::try_from(WINDOW).unwrap_or(1)) {
            let Some(lines) = db.window(&run, from, WINDOW)? else { return Ok(None) };
            if lines.is_empty() {
                break;
            }
            lines.iter().for_each(|line| text.extend([line.text.as_str(), "\n"]));
        }
        Ok(Some(text))
    });
    Ok(typed("application/x-ndjson", text.await?.ok_or(NoPage::Missing("run"))?))
}

async fn junit_xml(State(site): State<Site>, NamedPart(run): NamedPart<RunId>) -> Result<Response, NoPage> {
    let made = site.heavy(move |db| Ok(db.told(&run)?.map(|told| junit::render(&told.view, &told.remarks))));
    let text = made.await?.ok_or(NoPage::Missing("run"))?;
    Ok(typed("application/xml", text.map_err(|error| NoPage::Bug(error.to_string()))?))
}

/// Only pictures, and only if the operator enabled them; a file of an untrusted test is never served as a page.
async fn picture(
    State(site): State<Site>,
    NamedPart((run, name)): NamedPart<(RunId, String)>,
) -> Result<Response, NoPage> {
    if !site.pictures() || !name.ends_with(".png") {
        return Err(NoPage::Missing("picture"));
    }
    let bytes = site.history().read(move |db| db.file(&run, &name)).await?;
    let bytes = bytes.filter(|bytes| bytes.starts_with(PNG)).ok_or(NoPage::Missing("picture"))?;
    let mut answer = typed("image/png", bytes);
    answer.headers_mut().insert(header::CACHE_CONTROL, axum::http::HeaderValue::from_static("private, max-age=86400"));
    Ok(answer)
}

async fn recipe(State(site): State<Site>, NamedPart(recipe): NamedPart<RecipeName>) -> Result<Response, NoPage> {
    let page = recipe_page(&site, recipe, LinkBase::Served).await?;
    Ok((StatusCode::OK, Html(page)).into_response())
}

pub(super) async fn recipe_page(site: &Site, recipe: RecipeName, place: LinkBase) -> Result<String, NoPage> {
    use askama::Template as _;
    let now = Timestamp::now();
    let since = now - SignedDuration::from_hours(24 * 7 * WEEKS);
    let is_enrolled = folder_of(&site.runner().settings.recipes, &recipe).join("recipe.toml").is_file();
    let known = site
        .history()
        .read(move |db| {
            let filter = Filter { recipe: Some(recipe.clone()), ..Filter::default() };
            let runs = db.list(&filter, None, NEWEST)?.runs;
            if runs.is_empty() && !is_enrolled {
                return Ok(None);
            }
            let mut flakes = Vec::new();
            for (at, flake) in db.flakes(&recipe)?.into_iter().enumerate() {
                let parting = if at < COMPARED { db.parting(&flake.red.run, &flake.green.run)? } else { None };
                flakes.push((flake, parting));
            }
            let (spreads, weeks) = (db.spreads(&recipe, FIGURES)?, db.weeks(&recipe, since)?);
            let pairs = db.version_pairs(&recipe)?;
            Ok(Some(Known { recipe, flakes, spreads, weeks, pairs, runs, standing: None, now }))
        })
        .await?
        .ok_or(NoPage::Missing("recipe"))?;
    let shell = Shell::new(known.recipe.as_str(), "recipes", place).live(&format!("events?recipe={}", known.recipe));
    let home = site.home().map_or_else(|| "https://ci.example.org".to_owned(), ToString::to_string);
    Ok(RecipePage::new(shell, &known, &home).render()?)
}

async fn coverage(State(site): State<Site>) -> Result<Response, NoPage> {
    let coverage = site.coverage().await?;
    html(&CoveragePage::new(Shell::new("Coverage", "coverage", LinkBase::Served), &coverage))
}

async fn newest_sweep(State(site): State<Site>) -> Result<Response, NoPage> {
    Ok(Html(sweep_page(&site, None, LinkBase::Served).await?).into_response())
}

async fn sweep_of_day(State(site): State<Site>, NamedPart(day): NamedPart<Date>) -> Result<Response, NoPage> {
    Ok(Html(sweep_page(&site, Some(day), LinkBase::Served).await?).into_response())
}

/// The page of a sweep; the newest one's without a day.
pub(super) async fn sweep_page(site: &Site, day: Option<Date>, place: LinkBase) -> Result<String, NoPage> {
    use askama::Template as _;
    let all = site.sweeps().await?;
    let shown = match day {
        Some(day) => Some(all.iter().find(|sweep| sweep.date == day).cloned().ok_or(NoPage::Missing("sweep"))?),
        None => all.first().cloned(),
    };
    let clock = Shelf::below(site.state()).clock();
    let shell = Shell::new(&title_of_sweep(shown.as_ref()), "nightly", place);
    Ok(NightlyPage::new(shell, &Nights { shown, all, clock }, Timestamp::now()).render()?)
}

async fn fleet(State(site): State<Site>) -> Result<Response, NoPage> {
    let seen = site.look().seen().await;
    let runs = seen.as_ref().map(Swarmed::runs).unwrap_or_default();
    let (known, needs) = site
        .history()
        .read(move |db| {
            let mut known = BTreeSet::new();
            for run in runs {
                if db.run(&run)?.is_some() {
                    known.insert(run);
                }
            }
            Ok((known, needs(db)?))
        })
        .await?;
    let shell = Shell::new("Fleet", "fleet", LinkBase::Served).live("events");
    html(&Fleet::new(shell, seen.as_ref(), &known, &needs))
}

/// The usage of each recipe's most relevant run.
fn needs(db: &Db) -> Result<Vec<Need>, HistoryError> {
    let need = |known: history::query::RecipeRow| {
        let standing = known.standing?;
        let most = |of: fn(&history::StageRow) -> Option<u64>| standing.stages.iter().filter_map(of).max();
        Some(Need {
            recipe: known.recipe.to_string(),
            memory: most(|stage| stage.memory_peak),
            disk: most(|stage| stage.disk),
            time_ms: standing.run.worked_ms,
        })
    };
    let known = |need: &Need| need.memory.is_some() || need.disk.is_some() || need.time_ms.is_some();
    Ok(db.overview()?.into_iter().filter_map(need).filter(known).collect())
}
