//! The values that a recipe's tests get: one table, the same names for scripts, Hurl files and Rust.

use crate::context::Context;
use crate::keep::Keep;

/// One value.
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// How it is made, from the run and the version that the app's label names.
    pub value: fn(&Context, &str) -> String,
}

/// Every value that a test gets.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "CCCI_URL", meaning: "address of the app, with no slash at the end", value: |cx, _| cx.url() },
    Variable { name: "CCCI_DOMAIN", meaning: "domain of the app", value: |cx, _| cx.spec.domain.to_string() },
    Variable { name: "CCCI_STACK", meaning: "name of its stack", value: |cx, _| cx.spec.stack.to_string() },
    Variable { name: "CCCI_RECIPE", meaning: "name of the recipe", value: |cx, _| cx.spec.recipe.to_string() },
    Variable {
        name: "CCCI_VERSION",
        meaning: "version that is deployed now, by its label; may be empty",
        value: |_, version| version.to_owned(),
    },
    Variable { name: "CCCI_COMMIT", meaning: "the tested commit", value: |cx, _| cx.spec.head.to_string() },
    Variable {
        name: "CCCI_RUN",
        meaning: "id of the run that deployed the app",
        value: |cx, _| match &cx.keep {
            Keep::ByRun(run) => run.to_string(),
            _ => cx.spec.run.to_string(),
        },
    },
    Variable { name: "CCCI_STAGE", meaning: "the stage that runs", value: |cx, _| cx.stage.to_string() },
    Variable {
        name: "CCCI_ABRA",
        meaning: "the abra program; `\"$CCCI_ABRA\" app run -n \"$CCCI_DOMAIN\" SERVICE -- COMMAND` talks into a container",
        value: |cx, _| cx.abra.program().display().to_string(),
    },
    Variable {
        name: "ABRA_DIR",
        meaning: "abra's directory of this run",
        value: |cx, _| cx.abra.dir().display().to_string(),
    },
    Variable {
        name: "CCCI_ENV_FILE",
        meaning: "the app's env file; install_steps.sh may add to it before the first deploy",
        value: |cx, _| cx.abra.env_file(&cx.spec.domain).display().to_string(),
    },
    Variable {
        name: "CCCI_CA",
        meaning: "PEM file of the CA that signs the app's certificate; the system's where there is no local one",
        value: |cx, _| {
            let system = "/etc/ssl/certs/ca-certificates.crt";
            cx.ca.as_ref().map_or_else(|| system.to_owned(), |path| path.display().to_string())
        },
    },
    Variable {
        name: "CCCI_RESOLVE",
        meaning: "value for curl's --resolve: makes the name work where DNS does not know it; may be empty",
        value: |cx, _| cx.resolve.first().cloned().unwrap_or_default(),
    },
    Variable {
        name: "CCCI_WORK",
        meaning: "scratch folder that the tests of a run share; KEY=value lines in its file `variables` become Hurl variables",
        value: |cx, _| cx.work.display().to_string(),
    },
    Variable {
        name: "CCCI_ARTIFACTS",
        meaning: "folder for files that outlive the run, such as a browser's picture; made by who writes there first",
        value: |cx, _| cx.dir.artifacts().display().to_string(),
    },
];
