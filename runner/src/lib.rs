//! cc-ci's engine: a request becomes a plan, the plan is executed, and every effect is told as an
//! event. Reports are folds over those events.

// `say!` and `note!` end nothing where a screen or a pipe has gone, `println!` does.
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod screen;

pub mod address;
pub mod allowed;
pub mod answer;
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
pub mod drone;
pub mod emit;
pub mod engine;
pub mod engine_watch;
pub mod event;
pub mod exec;
pub mod exit;
pub mod faults;
pub mod foreseen;
pub mod forge;
pub mod guard;
pub mod history;
pub mod impostor;
pub mod keep;
pub mod kept;
pub mod links;
pub mod lint;
pub mod logins;
pub mod markers;
pub mod mirror;
pub mod needs;
pub mod neighbours;
pub mod nightly;
pub mod number;
pub mod on_main;
pub mod orphans;
pub mod override_file;
pub mod own_tests;
pub mod pages;
pub mod plain_file;
pub mod plan;
pub mod prepared;
pub mod provider;
pub mod reap;
pub mod recipe_toml;
pub mod recipes_page;
pub mod reference;
pub mod refused;
pub mod registry;
pub mod report;
pub mod reported;
pub mod repository;
pub mod run_dir;
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
pub mod usage;
pub mod variables;
pub mod verdict;
pub mod verdicts;
pub mod warm;
pub mod weight;
pub mod world;
