//! All pages as files, for a static web server: each page is an `index.html` in the folder of its path.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use askama::Template as _;
use base::names::{RecipeName, RunId};

use super::assets;
use super::coverage::CoveragePage;
use super::feeds::{stage_badge, standing_badge, verdict_badge, whole_feed};
use super::respond::NoPage;
use super::routes::{overview_page, recipe_page, run_page, sweep_page};
use super::shell::{LinkBase, Shell};
use super::site::Site;
use history::query::{After, Filter};
use history::{Db, RunRow};
use journal::event::Stage;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    pub runs: usize,
    pub recipes: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder cannot be written.
    #[error("{} cannot be written: {why}", .path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        why: io::Error,
    },
    /// A page cannot be made.
    #[error("a page cannot be rendered: {0}")]
    Page(String),
}

impl From<NoPage> for ExportError {
    fn from(why: NoPage) -> Self {
        let (_, title, text) = why.words();
        Self::Page(format!("{title}: {text}"))
    }
}

impl From<history::HistoryError> for ExportError {
    fn from(why: history::HistoryError) -> Self {
        Self::Page(why.to_string())
    }
}

impl From<askama::Error> for ExportError {
    fn from(why: askama::Error) -> Self {
        Self::Page(why.to_string())
    }
}

/// Writes all pages below a folder: the newest `runs` runs of each recipe, and every run that a page links to.
///
/// # Errors
/// The folder cannot be written or a page cannot be made.
pub async fn export(site: &Site, folder: &Path, runs: u16) -> Result<Exported, ExportError> {
    let of_all = site.history().read(move |db| newest(db, runs)).await?;
    for asset in assets::ALL {
        write(&folder.join("assets").join(asset.name), asset.text)?;
    }
    let mut led_to = BTreeSet::new();
    let mut page = |path: &str, text: &str| {
        led_to.extend(runs_in(text));
        write(&folder.join(path).join("index.html"), text)
    };
    page("", &overview_page(site, LinkBase::Exported(0)).await?)?;
    let mut all: Vec<RunRow> = Vec::new();
    for (recipe, rows) in &of_all {
        page(&format!("recipes/{recipe}"), &recipe_page(site, recipe.clone(), LinkBase::Exported(2)).await?)?;
        let badges = folder.join("badges");
        write(&badges.join(format!("{recipe}.svg")), &verdict_badge(site, recipe).await?)?;
        for stage in Stage::ALL {
            write(&badges.join(format!("{recipe}/{stage}.svg")), &stage_badge(site, recipe, stage).await?)?;
        }
        all.extend(rows.iter().cloned());
    }
    all.sort_by(|a, b| (b.at, &b.run).cmp(&(a.at, &a.run)));
    page("runs", &super::list::whole(&all, LinkBase::Exported(1))?)?;
    page("nightly", &sweep_page(site, None, LinkBase::Exported(1)).await?)?;
    for sweep in site.sweeps().await? {
        page(&format!("nightly/{}", sweep.date), &sweep_page(site, Some(sweep.date), LinkBase::Exported(2)).await?)?;
    }
    if let Ok(coverage) = site.coverage().await {
        let shell = Shell::new("Coverage", "coverage", LinkBase::Exported(1));
        page("coverage", &CoveragePage::new(shell, &coverage).render()?)?;
        for (recipe, _) in &of_all {
            let badge = standing_badge(site, recipe).await?;
            write(&folder.join(format!("badges/{recipe}/standing.svg")), &badge)?;
        }
    }
    // The pages link to more runs than the newest: those with flakes, those that show coverage.
    for run in &led_to {
        let text = match run_page(site, run.clone(), LinkBase::Exported(2)).await {
            // The retention rules removed it meanwhile.
            Err(NoPage::Missing(_)) => continue,
            other => other?,
        };
        write(&folder.join(format!("runs/{run}/index.html")), &text)?;
    }
    write(&folder.join("feed.atom"), &whole_feed(site).await?)?;
    Ok(Exported { runs: led_to.len(), recipes: of_all.len() })
}

type OfAll = Vec<(RecipeName, Vec<RunRow>)>;

fn newest(db: &Db, count: u16) -> Result<OfAll, history::HistoryError> {
    let mut all = Vec::new();
    for known in db.overview()? {
        let filter = Filter { recipe: Some(known.recipe.clone()), ..Filter::default() };
        let runs = db.list(&filter, None::<&After>, count)?.runs;
        all.push((known.recipe, runs));
    }
    Ok(all)
}

/// The runs that a page links to.
fn runs_in(page: &str) -> impl Iterator<Item = RunId> {
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split(['"', '#']).next());
    links.filter_map(|link| link.trim_start_matches("../").strip_prefix("runs/")?.parse().ok())
}

fn write(path: &Path, text: &str) -> Result<(), ExportError> {
    let disk = |why| ExportError::Disk { path: path.to_owned(), why };
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(disk)?;
    }
    fs::write(path, text).map_err(disk)
}
