//! cc-ci's engine: a request becomes a plan, the plan is executed, and every effect is told as an
//! event. Reports are folds over those events.

pub mod allowed;
pub mod bench;
pub mod cli;
pub mod context;
pub mod deploy;
pub mod doctor;
pub mod emit;
pub mod engine;
pub mod engine_watch;
pub mod event;
pub mod exit;
pub mod impostor;
pub mod keep;
pub mod kept;
pub mod links;
pub mod lint;
pub mod markers;
pub mod override_file;
pub mod own_tests;
pub mod plan;
pub mod prepared;
pub mod reap;
pub mod recipe_toml;
pub mod reference;
pub mod report;
pub mod run_dir;
pub mod scaffold;
pub mod selection;
pub mod settings;
pub mod source;
pub mod spec;
pub mod stage;
pub mod variables;
pub mod verdict;
pub mod world;
