//! The page of one run: its report, updated while the run lives.

use askama::Template;

use super::line::{href, is_live};
use super::shell::Shell;
use history::RunRow;
use journal::fold::RunView;
use journal::on_main::OnMain;
use journal::tone::Tone;
use report::html::{self, Life, Pictures};

#[derive(Template)]
#[template(path = "pages/run.html")]
pub(super) struct RunPage {
    shell: Shell,
    body: String,
    recipe: String,
    recipe_href: String,
    run_href: String,
    log_href: String,
    can_stop: bool,
}

impl RunPage {
    /// `pictures`: whether the browsers' pictures may be shown.
    pub(super) fn new(
        shell: Shell,
        row: &RunRow,
        view: &RunView,
        on_main: Option<&OnMain>,
        (pictures, can_act): (bool, bool),
    ) -> Result<Self, askama::Error> {
        let href = href(row);
        let folder = format!("{}{href}/pictures/", shell.root);
        let pictures = if pictures { Pictures::Behind(&folder) } else { Pictures::None };
        let life = if is_live(row) { Life::Live } else { Life::Over };
        Ok(Self {
            body: html::body(view, &row.remarks, on_main, pictures, life)?,
            recipe: row.recipe.to_string(),
            recipe_href: format!("recipes/{}", row.recipe),
            log_href: format!("{href}/log"),
            run_href: href,
            can_stop: can_act && is_live(row),
            shell,
        })
    }
}

/// The title of a run's window.
pub(super) fn title(row: &RunRow) -> String {
    let (symbol, word) = row.tone.map_or(("▸", "under way"), |tone: Tone| (tone.symbol(), tone.word()));
    format!("{symbol} {}: {word}", row.recipe)
}
