//! cc-ci's engine: a request becomes a plan, the plan is executed, and every effect is told as an
//! event. Reports are folds over those events.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod screen;

pub mod address;
pub mod allowed;
pub mod answer;
pub mod approval;
pub mod backup_content;
pub mod blocking;
pub mod certificate;
pub mod change;
pub mod claims;
pub mod cli;
pub mod commands;
pub mod context;
pub mod coverage;
pub mod dependencies;
pub mod deploy;
pub mod diagnosis;
pub mod doctor;
pub mod domain;
pub mod drone;
pub mod emit;
pub mod engine;
pub mod engine_watch;
pub mod event;
pub mod event_docs;
pub mod exec;
pub mod exit;
pub mod expect;
pub mod faults;
pub mod fold;
pub mod folder;
pub mod foreseen;
pub mod forge;
pub mod forgetting;
pub mod guard;
pub mod history;
pub mod impostor;
pub mod journal_file;
pub mod keep;
pub mod kept;
pub mod kept_secrets;
pub mod links;
pub mod lint;
pub mod logins;
pub mod markdown;
pub mod markers;
pub mod mirror;
pub mod needs;
pub mod neighbours;
pub mod nightly;
pub mod number;
pub mod on_main;
pub mod orphans;
pub mod overlays;
pub mod override_file;
pub mod own_tests;
pub mod pages;
pub mod plain_file;
pub mod plan;
pub mod prepared;
pub mod prints;
pub mod provider;
pub mod queue;
pub mod reap;
pub mod recipe_toml;
pub mod reference;
pub mod refused;
pub mod registry;
pub mod report;
pub mod reported;
pub mod repository;
pub mod revision;
pub mod run_commands;
pub mod run_dir;
pub mod run_id;
pub mod run_labels;
pub mod scaffold;
pub mod selection;
pub mod serve;
pub mod settings;
pub mod slot;
pub mod snapshots;
pub mod source;
pub mod spec;
pub mod stack_config;
pub mod stage;
pub mod teardown;
pub mod test_folders;
pub mod text;
pub mod tone;
pub mod usage;
pub mod variables;
pub mod verdict;
pub mod verdicts;
pub mod warm;
pub mod warm_provider;
pub mod weight;
pub mod world;

#[cfg(test)]
pub(crate) mod fixtures;
