//! What all apps of a run share: the facts of the run and its tools. It does not change while the run goes on.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use swarm::Swarm;
use tokio_util::sync::CancellationToken;

use super::keep::Keep;
use host::engine_watch::EngineWatch;
use host::queue::Runner;
use host::settings::Guards;
use journal::emit::Emitter;
use journal::event::RunStarted;
use plan::override_file::SwarmTraits;

/// The facts and tools of one run.
pub(crate) struct Run {
    /// The facts of the run, as its first event tells them.
    pub(crate) started: RunStarted,
    /// Something to tell before anything else.
    pub(crate) remark: Option<String>,
    /// The swarm.
    pub(crate) swarm: Swarm,
    /// Where events go.
    pub(crate) emitter: Arc<Emitter>,
    /// Ends the run, which then tears down.
    pub(crate) cancel: CancellationToken,
    /// Who runs it, by which settings.
    pub(crate) runner: Runner,
    /// What the node must have to spare.
    pub(crate) guards: Guards,
    /// Whether the engine stayed up.
    pub(crate) engine: tokio::sync::Mutex<EngineWatch>,
    /// What becomes of the app when the stages are done.
    pub(crate) keep: Keep,
    /// How often each test of what the app is for is run.
    pub(crate) rounds: u32,
    /// The scratch folder that the app's tests share: of a kept app, its run's own.
    pub(crate) work: PathBuf,
    /// Where secret values are kept for later looks at the app, as long as that stays.
    pub(crate) kept_secrets: PathBuf,
    /// The HTTPS port of traefik.
    pub(crate) https_port: u16,
    /// The address of every name below the base domain, where DNS is not to be asked.
    pub(crate) fixed_address: Option<IpAddr>,
    /// The CA that signs the apps' certificates, where it is a local one.
    pub(crate) ca: Option<PathBuf>,
    /// The program that the recipes' Rust tests are built into, where one is named.
    pub(crate) recipe_tests: Option<PathBuf>,
    /// What the swarm is like that the apps are deployed to.
    pub(crate) place: SwarmTraits,
    /// What the run was last busy with, for a deadline's message.
    pub(crate) busy: Arc<Mutex<String>>,
}
