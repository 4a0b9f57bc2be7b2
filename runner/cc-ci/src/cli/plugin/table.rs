//! The settings of the plugin: those of `cc-ci run` as the command line declares them, so that an option that is
//! added there is a setting here, and the plugin's own.

use std::any::TypeId;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::LazyLock;

use clap::{Arg, ArgAction, Args as _, Command};
use forge::drone::{Setting, Takes};

use super::super::run;
use host::settings::Settings;

/// Options of `cc-ci run` that are no settings, and why.
pub(super) const LEFT_OUT: &[(&str, &str)] =
    &[("json", "people read a build's log; the journal, which is the same events, is among the artifacts")];

/// The folder of the artifacts.
pub(super) const ARTIFACTS: &str = "artifacts";
/// The address of the card's template.
pub(super) const TEMPLATE: &str = "card-template";
/// The address of the pages.
pub(super) const PUBLIC_URL: &str = "public-url";
/// Whether a promotion or a rollback is a reason to test.
pub(super) const DEPLOYMENTS: &str = "deployments";

/// The token that a run reports with, as a secret of the pipeline gives it.
pub(super) const TOKEN: Setting = Setting {
    name: "report-token",
    takes: Takes::Text,
    help: "The token of report-token-file itself, for a secret of the pipeline: from_secret",
};

/// What is a setting of the plugin alone.
const OWN: [Setting; 5] = [
    TOKEN,
    Setting {
        name: ARTIFACTS,
        takes: Takes::Text,
        help: "Folder below the workspace for report.html, junit.xml and journal.jsonl [default: cc-ci]",
    },
    Setting {
        name: TEMPLATE,
        takes: Takes::Text,
        help: "Address of the card's template, which Drone's page fetches [default: card.json of public-url]",
    },
    Setting {
        name: PUBLIC_URL,
        takes: Takes::Text,
        help: "Address at which browsers find cc-ci serve, for the card's template [default: CCCI_PUBLIC_URL, else no card]",
    },
    Setting {
        name: DEPLOYMENTS,
        takes: Takes::Flag,
        help: "Test builds of promote, rollback and deployment too, which are an error without it",
    },
];

/// Whether a setting is the plugin's alone.
pub(super) fn is_own(name: &str) -> bool {
    OWN.iter().any(|own| own.name == name)
}

/// Every setting, in the order of `cc-ci run --help`, the plugin's own last.
pub(super) static TABLE: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let mut table: Vec<Setting> = options().iter().filter_map(setting).collect();
    table.extend(OWN);
    table
});

/// All that `cc-ci run` takes, with what holds for every command.
pub(super) fn options() -> Vec<Arg> {
    let command = Settings::augment_args(run::Args::augment_args(Command::new("run")));
    command.get_arguments().cloned().collect()
}

/// The name of an option, and of its setting: the word after the hyphens, or that of an argument without any.
pub(super) fn name_of(option: &Arg) -> &str {
    option.get_long().unwrap_or_else(|| option.get_id().as_str())
}

/// Whether an option may stand alone, without the value that it can have.
pub(super) fn stands_alone(option: &Arg) -> bool {
    option.get_num_args().is_some_and(|range| range.min_values() == 0 && range.max_values() > 0)
}

fn setting(option: &Arg) -> Option<Setting> {
    let name = name_of(option);
    // What is hidden is said by cc-ci to itself.
    if option.is_hide_set() || LEFT_OUT.iter().any(|(left_out, _)| *left_out == name) {
        return None;
    }
    // The table lives as long as the process.
    let name: &'static str = String::leak(name.to_owned());
    let mut help = option.get_help().map(ToString::to_string).unwrap_or_default();
    if stands_alone(option) {
        help.push_str("; true is the option without a value");
    }
    if let Some(default) = option.get_default_values().first() {
        help.push_str(&format!(" [default: {}]", default.to_string_lossy()));
    }
    Some(Setting { name, takes: takes(option), help: String::leak(help) })
}

fn takes(option: &Arg) -> Takes {
    let kind = option.get_value_parser().type_id();
    let numbers = [
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<NonZeroU32>(),
        TypeId::of::<NonZeroU64>(),
    ];
    match option.get_action() {
        ArgAction::SetTrue => Takes::Flag,
        _ if option.get_value_delimiter().is_some() => Takes::List,
        _ if numbers.iter().any(|number| kind == *number) => Takes::Number,
        _ => Takes::Text,
    }
}
