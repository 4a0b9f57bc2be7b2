//! The list of all runs, page by page.

use askama::Template;
use http_client::coded;
use jiff::Timestamp;
use serde::Deserialize;

use super::line::RunLine;
use super::shell::Shell;
use history::query::{Filter, ListPage, Shows};
use journal::tone::Tone;

/// Runs on a page.
pub(super) const COUNT: u16 = 50;

/// The query. All fields are text, so that an empty field of the form is valid.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListFilter {
    pub(super) recipe: String,
    pub(super) pull: String,
    pub(super) verdict: String,
    pub(super) before: String,
}

/// Names of verdicts in an address, and their labels.
const VERDICTS: [(&str, &str); 6] = [
    ("passed", "passed"),
    ("failed", "failed"),
    ("blocked", "blocked"),
    ("cancelled", "cancelled"),
    ("no-end", "no end"),
    ("live", "under way"),
];

impl ListFilter {
    /// The history's filter, or the error as text.
    pub(super) fn filter(&self) -> Result<Filter, String> {
        let text = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let recipe = text(&self.recipe).map(|name| name.parse().map_err(|error| format!("{error}"))).transpose()?;
        let number = |text: String| text.parse().map_err(|_| "the number of a pull request is required".to_owned());
        let shows = match self.verdict.as_str() {
            "" => None,
            "live" => Some(Shows::Live),
            name => {
                let tone = Tone::ALL.into_iter().find(|tone| super::line::class(*tone) == name);
                Some(Shows::Tone(tone.ok_or_else(|| "unknown verdict".to_owned())?))
            }
        };
        Ok(Filter { recipe, pull_request: text(&self.pull).map(number).transpose()?, shows })
    }
}

#[derive(Template)]
#[template(path = "pages/list.html")]
pub(super) struct List {
    shell: Shell,
    filter_recipe: String,
    filter_pull: String,
    filter_verdict: String,
    verdicts: [(&'static str, &'static str); 6],
    recipes: Vec<String>,
    recent: Vec<RunLine>,
    older: Option<String>,
}

impl List {
    pub(super) fn new(
        shell: Shell,
        wanted: &ListFilter,
        page: &ListPage,
        recipes: Vec<String>,
        now: Timestamp,
    ) -> Self {
        let older = page.next.as_ref().map(|next| {
            let same = [("recipe", &wanted.recipe), ("pull", &wanted.pull), ("verdict", &wanted.verdict)];
            let same = same.iter().filter(|(_, text)| !text.is_empty());
            let same: String = same.map(|(name, text)| format!("{name}={}&", coded(text))).collect();
            format!("{}runs?{same}before={}", shell.root, coded(&next.to_string()))
        });
        Self {
            filter_recipe: wanted.recipe.clone(),
            filter_pull: wanted.pull.clone(),
            filter_verdict: wanted.verdict.clone(),
            verdicts: VERDICTS,
            recipes,
            recent: page.runs.iter().map(|run| RunLine::of(run, now)).collect(),
            older,
            shell,
        }
    }
}

/// All of some runs on one page, for an export.
pub(super) fn whole(runs: &[history::RunRow], place: super::shell::LinkBase) -> Result<String, askama::Error> {
    let page = ListPage { runs: runs.to_vec(), next: None };
    List::new(Shell::new("Runs", "runs", place), &ListFilter::default(), &page, Vec::new(), Timestamp::now()).render()
}
