//! The data of the card that Drone shows on a build's page, for the template `docker/runner/card.json`. Every user who
//! may see the build sees it, so it has no more than the report's first lines. Pure.

use serde::Serialize;
use url::Url;

use journal::fold::{RunView, StageView};
use journal::text::{one_line, seconds};

/// The template, which `cc-ci serve` serves at [`PATH`].
pub const TEMPLATE: &str = include_str!("../../../docker/runner/card.json");

/// The path of the template in `cc-ci serve`.
pub const PATH: &str = "/card.json";

/// The template's address for browsers, given the address of the pages.
pub fn template_at(pages: Url) -> Url {
    let mut template = pages;
    template.set_path(&format!("{}{PATH}", template.path().trim_end_matches('/')));
    template.set_query(None);
    template.set_fragment(None);
    template
}

/// Maximum length of a line in columns; longer lines are cut.
const COLUMNS: usize = 200;

/// The template's data. The template uses every field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardData {
    pub recipe: String,
    /// The version pair or the head's commit, and the pull request.
    pub tested: String,
    /// The verdict with its symbol.
    pub outcome: String,
    /// The name of its colour in adaptive cards.
    pub color: &'static str,
    /// The verdict's line.
    pub line: String,
    /// What to look at; empty if everything is green.
    pub look_at: String,
    pub took: String,
    /// The run's id, to find its journal.
    pub run: String,
    /// In order.
    pub stages: Vec<CardStage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardStage {
    pub stage: String,
    /// The outcome with its symbol.
    pub outcome: String,
    /// Its duration; empty if it did not run.
    pub took: String,
}

pub fn data(view: &RunView) -> CardData {
    let started = &view.started;
    let tone = view.tone();
    let head = match &started.head_version {
        Some(version) => format!("{version} ({})", started.head.short()),
        None => started.head.short().to_owned(),
    };
    let pair = started.base.as_ref().map_or_else(|| head.clone(), |base| format!("{base} → {head}"));
    let tested = started.pull_request.map_or_else(|| pair.clone(), |number| format!("pull request {number}: {pair}"));
    CardData {
        recipe: started.recipe.to_string(),
        tested: one_line(&tested, COLUMNS),
        outcome: format!("{} {}", tone.symbol(), tone.word()),
        color: color(tone),
        line: one_line(&view.line(), COLUMNS),
        look_at: one_line(view.look_at().unwrap_or_default(), COLUMNS),
        took: seconds(view.took_ms),
        run: started.run.to_string(),
        stages: view.stages.iter().map(stage).collect(),
    }
}

fn stage(view: &StageView) -> CardStage {
    let tone = view.tone();
    CardStage {
        stage: view.stage.to_string(),
        outcome: format!("{} {}", tone.symbol(), tone.word()),
        took: view.took_ms.map(seconds).unwrap_or_default(),
    }
}

fn color(tone: journal::tone::Tone) -> &'static str {
    use journal::tone::Tone;
    match tone {
        Tone::Passed => "good",
        Tone::Failed => "attention",
        Tone::Blocked | Tone::Cancelled | Tone::NoEnd => "warning",
        Tone::Skipped | Tone::NotReached => "default",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::fold::fold;
    use journal_fixtures as fixtures;

    use super::TEMPLATE as CARD;

    #[test]
    fn the_template_is_below_the_pages() {
        for (pages, wanted) in [
            ("https://ci.example.org", "https://ci.example.org/card.json"),
            ("https://ci.example.org/", "https://ci.example.org/card.json"),
            ("http://10.0.0.1:8300/cc-ci/?x=1#y", "http://10.0.0.1:8300/cc-ci/card.json"),
        ] {
            assert_eq!(template_at(pages.parse().unwrap()).as_str(), wanted);
        }
    }

    #[test]
    fn cards_of_a_red_a_green_and_a_killed_run() {
        let data = |records: &[journal::event::Record]| data(&fold(records).unwrap());
        insta::assert_json_snapshot!(data(&fixtures::failed_upgrade()));
        let (green, killed) = (data(&fixtures::passed()), data(&fixtures::killed()));
        assert_eq!((green.outcome.as_str(), green.color, green.look_at.as_str()), ("✓ passed", "good", ""));
        assert_eq!((killed.outcome.as_str(), killed.color), ("? no end", "warning"));
    }

    /// The names in `${…}` of a template.
    fn names(text: &str) -> std::collections::BTreeSet<&str> {
        text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
    }

    #[test]
    fn the_template_uses_what_there_is() {
        let template: serde_json::Value = serde_json::from_str(CARD).unwrap();
        assert_eq!(template["type"], "AdaptiveCard");
        let data = serde_json::to_value(data(&fold(&fixtures::passed()).unwrap())).unwrap();
        let mut own: Vec<String> = data.as_object().unwrap().keys().cloned().collect();
        own.extend(data["stages"][0].as_object().unwrap().keys().cloned());
        for name in names(CARD) {
            // Two expressions of the template language: a part is shown if its text is not empty.
            let name = name.strip_prefix("not(empty(").and_then(|rest| rest.strip_suffix("))")).unwrap_or(name);
            assert!(own.iter().any(|own| own == name), "the template wants {name}, of {own:?}");
        }
        for name in own {
            assert!(CARD.contains(&name), "nobody shows {name}");
        }
    }

    #[test]
    fn a_hostile_text_is_one_plain_line() {
        let data = data(&fold(&fixtures::hostile()).unwrap());
        let whole = serde_json::to_string(&data).unwrap();
        assert!(!whole.contains("\\u001b") && !whole.contains("\\n"), "{whole}");
    }
}
