//! cc-ci's engine: a request becomes a plan, the plan is executed, and every effect is told as an
//! event. Reports are folds over those events.

pub mod cli;
pub mod doctor;
pub mod event;
pub mod report;
pub mod stage;
pub mod world;
