//! One app of a run: the tested one, or a dependency.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::names::RecipeName;
use coopcloud::abra::Abra;
use swarm::Before;

use super::variant::ActiveVariant;
use change::Change;
use fence::own_tests::OwnTests;
use journal::run_dir::RunDir;
use plan::commands::Commands;
use plan::peers::Peers;
use plan::spec::RunSpec;
use plan::warm_provider::Warm;
use recipe_folder::overlays::Overlays;
use recipe_folder::recipe_toml::RecipeToml;
use source::Checkout;

/// What one app is deployed from, and how far it has come.
pub(crate) struct App {
    /// Whether the app is there for the tested one alone.
    pub(crate) is_dependency: bool,
    /// Recipes whose apps have to be up before this one.
    pub(crate) after: Vec<RecipeName>,
    /// What makes the app outlive the run, if it does.
    pub(crate) warm: Option<Warm>,
    /// How the app finds and trusts the others of its run, where DNS and public CAs do not do it.
    pub(crate) peers: Peers,
    /// What is deployed.
    pub(crate) spec: RunSpec,
    /// The change, compared with the base release; none before prepare has read it, and where there is no base.
    pub(crate) change: Option<Change>,
    /// The variant that is deployed, where it is one.
    pub(crate) variant: Option<ActiveVariant>,
    /// What the recipe's folder says.
    pub(crate) toml: RecipeToml,
    /// cc-ci's own folder for the recipe; it may not be there.
    pub(crate) folder: PathBuf,
    /// What the recipe's folder brings.
    pub(crate) overlays: Overlays,
    /// What is done about the tests of the recipe's own repository.
    pub(crate) own: OwnTests,
    /// What is done about the commands that abra runs once an app is up.
    pub(crate) commands: Commands,
    /// Those of the last deploy that did not run.
    pub(crate) unrun: Option<String>,
    /// abra, with the directory of the app's run.
    pub(crate) abra: Abra,
    /// The recipe's clone: the one that abra uses.
    pub(crate) checkout: Checkout,
    /// The folder of the app's run: this one, or that of a provider that outlives it.
    pub(crate) dir: RunDir,
    /// The file of dependencies, where the app has any.
    pub(crate) deps: Option<PathBuf>,
    /// Values for curl's `--resolve`, empty where DNS knows the names.
    pub(crate) resolve: Vec<String>,
    /// The same for the apps that this one depends on.
    pub(crate) resolve_beside: Vec<String>,
    /// Labels for each of its services; none before the run has its names.
    pub(crate) labels: BTreeMap<String, String>,
    /// The revision that is deployed now: a tag or the head's commit.
    pub(crate) deployed: Option<String>,
    /// How the stack stood when it had settled last.
    pub(crate) settled: Option<Before>,
    /// Whether the upgrade has replaced every container.
    pub(crate) all_new: bool,
    /// Whether the base release cannot even be pulled.
    pub(crate) base_is_broken: bool,
    /// Why the app did not answer earlier in the run, if it did not: that is not waited for again.
    pub(crate) no_answer: Option<String>,
    /// Whether the data set's seed has run on the live app.
    pub(crate) seeded: bool,
}

impl App {
    /// The recipe folder's reason to leave a generic check out, if it gives one.
    pub(crate) fn opted_out(&self, check: &str) -> Option<String> {
        self.toml.opted_out(check).map(|reason| reason.as_str().to_owned())
    }

    /// Whether the app outlives the run: it belongs to a run of its own then.
    pub(crate) fn is_warm(&self) -> bool {
        self.warm.is_some()
    }

    /// Whether an earlier run has deployed the app.
    pub(crate) fn was_there(&self) -> bool {
        self.warm.as_ref().is_some_and(Warm::was_there)
    }
}
