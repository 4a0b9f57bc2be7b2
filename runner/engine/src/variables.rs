//! The values that a recipe's tests get: one table, the same names for scripts, Hurl files and Rust.

use coopcloud::database::Engine;
use harness::deps::{DepsUser, Sso};
use secrecy::ExposeSecret as _;
use swarm::{PublishedPort, ServiceFacts};

use crate::context::{Keep, StageRun};
use plan::peers::SYSTEM_CAS;

/// One value.
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// How it is made, from the run and from what is deployed.
    pub value: fn(&StageRun, &Deployed) -> String,
}

/// What the swarm says of the deployed app.
#[derive(Debug, Clone, Default)]
pub struct Deployed {
    /// The version that the app's label names; may be empty.
    pub version: String,
    /// The ports that it publishes on the host.
    pub ports: Vec<PublishedPort>,
    /// Its services that are databases, by their images.
    pub databases: Vec<String>,
}

impl Deployed {
    /// Asks. What cannot be had is left out: a test that needs it says so.
    pub async fn of(cx: &StageRun) -> Self {
        let stack = &cx.app.spec.stack;
        let swarm = &cx.run.swarm;
        let (labels, ports, services) =
            tokio::join!(swarm.service_labels(stack, "app"), swarm.published(stack), swarm.service_facts(stack));
        let labels = labels.unwrap_or_default();
        Self {
            version: labels.get(&coopcloud::labels::version(stack)).cloned().unwrap_or_default(),
            ports: ports.unwrap_or_default(),
            databases: databases(&services.unwrap_or_default()),
        }
    }

    /// The ports as a test reads them, each with where it is reached.
    pub fn ports_at(&self, host: &str) -> String {
        let ports = self.ports.iter().map(|one| format!("{}/{}={host}:{}", one.port, one.protocol, one.port));
        ports.collect::<Vec<_>>().join(" ")
    }
}

fn databases(services: &[ServiceFacts]) -> Vec<String> {
    services.iter().filter(|one| Engine::of_image(&one.image).is_some()).map(|one| one.name.clone()).collect()
}

/// Every value that a test gets.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "CCCI_URL", meaning: "address of the app, with no slash at the end", value: |cx, _| cx.url() },
    Variable { name: "CCCI_DOMAIN", meaning: "domain of the app", value: |cx, _| cx.app.spec.domain.to_string() },
    Variable { name: "CCCI_STACK", meaning: "name of its stack", value: |cx, _| cx.app.spec.stack.to_string() },
    Variable { name: "CCCI_RECIPE", meaning: "name of the recipe", value: |cx, _| cx.app.spec.recipe.to_string() },
    Variable {
        name: "CCCI_VERSION",
        meaning: "version that is deployed now, by its label; may be empty",
        value: |_, deployed| deployed.version.clone(),
    },
    Variable { name: "CCCI_COMMIT", meaning: "the tested commit", value: |cx, _| cx.app.spec.head.to_string() },
    Variable {
        name: "CCCI_RUN",
        meaning: "id of the run that deployed the app",
        value: |cx, _| match &cx.run.keep {
            Keep::ByRun(run) => run.to_string(),
            _ => cx.app.spec.run.to_string(),
        },
    },
    Variable { name: "CCCI_STAGE", meaning: "the stage that runs", value: |cx, _| cx.stage.to_string() },
    Variable {
        name: "CCCI_EXEC",
        meaning: "`\"$CCCI_EXEC\" SERVICE -- COMMAND` runs a command in the newest healthy container of a service of the app, with no terminal; standard streams and exit code are the command's, 125 where it did not run",
        value: |cx, _| cx.app.dir.exec().display().to_string(),
    },
    Variable {
        name: "CCCI_SH",
        meaning: "file with functions that shell tests may use, such as `call GET /path`, `remember NAME VALUE`, `sql SERVICE STATEMENT`: `. \"$CCCI_SH\"`",
        value: |cx, _| cx.app.dir.shell().display().to_string(),
    },
    Variable {
        name: "CCCI_DATABASE",
        meaning: "the service of the app that is a PostgreSQL or MariaDB, by its image; empty where there is none or more than one",
        value: |_, deployed| match deployed.databases.as_slice() {
            [one] => one.clone(),
            _ => String::new(),
        },
    },
    Variable {
        name: "CCCI_ABRA",
        meaning: "the abra program, for install_steps.sh: `\"$CCCI_ABRA\" app secret insert …`",
        value: |cx, _| cx.app.abra.program().display().to_string(),
    },
    Variable {
        name: "ABRA_DIR",
        meaning: "abra's directory of this run",
        value: |cx, _| cx.app.abra.dir().display().to_string(),
    },
    Variable {
        name: "CCCI_ENV_FILE",
        meaning: "the app's env file; install_steps.sh may add to it before the first deploy",
        value: |cx, _| cx.app.abra.env_file(&cx.app.spec.domain).display().to_string(),
    },
    Variable {
        name: "CCCI_CA",
        meaning: "PEM file of the CA that signs the app's certificate; the system's where there is no local one",
        value: |cx, _| cx.run.ca.as_ref().map_or_else(|| SYSTEM_CAS.to_owned(), |path| path.display().to_string()),
    },
    Variable {
        name: "CCCI_RESOLVE",
        meaning: "value for curl's --resolve: makes the name work where DNS does not know it; may be empty",
        value: |cx, _| cx.app.resolve.first().cloned().unwrap_or_default(),
    },
    Variable {
        name: "CCCI_RESOLVE_DEPS",
        meaning: "the same for the apps that the run deployed beside it, with a blank between; may be empty",
        value: |cx, _| cx.app.resolve_beside.join(" "),
    },
    Variable {
        name: "CCCI_PORTS",
        meaning: "ports that the app publishes on the host and where they are reached from here, as `64738/udp=127.0.0.1:64738`, with a blank between; may be empty",
        value: |cx, deployed| deployed.ports_at(&cx.host()),
    },
    Variable {
        name: "CCCI_DEPS_FILE",
        meaning: "JSON file with the apps that the run deployed beside it, and the logins; empty where there is none",
        value: |cx, _| cx.app.deps.as_ref().map_or_else(String::new, |path| path.display().to_string()),
    },
    Variable {
        name: "CCCI_WORK",
        meaning: "scratch folder that the tests of a run share; KEY=value lines in its file `variables` become variables of later tests, and lines in its file `secrets` are kept out of every report",
        value: |cx, _| cx.run.work.display().to_string(),
    },
    Variable {
        name: "CCCI_ARTIFACTS",
        meaning: "folder for files that outlive the run, such as a browser's picture; made by who writes there first",
        value: |cx, _| cx.app.dir.artifacts().display().to_string(),
    },
    Variable {
        name: "CCCI_PICTURES",
        meaning: "1 where a browser's picture is kept of a green end, too; empty where the recipe does not say `pictures = true`",
        value: |cx, _| if cx.app.toml.pictures { "1".to_owned() } else { String::new() },
    },
];

/// One value of the logins that a run makes.
pub struct LoginVariable {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Whether it is kept out of every report.
    pub secret: bool,
    /// How it is made.
    pub value: fn(&Sso) -> String,
}

/// The values that a test gets where `[sso]` names a provider, and only there.
pub const LOGINS: &[LoginVariable] = &[
    login("CCCI_SSO_ISSUER", "the issuer, as tokens name it", |sso| sso.issuer.clone()),
    login("CCCI_SSO_DISCOVERY", "address of the provider's discovery document", |sso| sso.discovery_url.clone()),
    login("CCCI_SSO_REALM", "the run's realm", |sso| sso.realm.to_string()),
    login("CCCI_SSO_CLIENT_ID", "id of the app's client", |sso| sso.client_id.to_string()),
    hidden("CCCI_SSO_CLIENT_SECRET", "secret of the app's client", |sso| sso.client_secret.expose_secret().to_owned()),
    login("CCCI_SSO_USER", "name of a user that can log in", |sso| user(sso, 0, |user| user.name.clone())),
    login("CCCI_SSO_EMAIL", "mail address of that user", |sso| user(sso, 0, |user| user.email.clone())),
    hidden("CCCI_SSO_PASSWORD", "password of that user", |sso| user(sso, 0, password)),
    login("CCCI_SSO_USER2", "name of a second user", |sso| user(sso, 1, |user| user.name.clone())),
    login("CCCI_SSO_EMAIL2", "mail address of the second user", |sso| user(sso, 1, |user| user.email.clone())),
    hidden("CCCI_SSO_PASSWORD2", "password of the second user", |sso| user(sso, 1, password)),
];

const fn login(name: &'static str, meaning: &'static str, value: fn(&Sso) -> String) -> LoginVariable {
    LoginVariable { name, meaning, secret: false, value }
}

const fn hidden(name: &'static str, meaning: &'static str, value: fn(&Sso) -> String) -> LoginVariable {
    LoginVariable { name, meaning, secret: true, value }
}

fn user(sso: &Sso, number: usize, value: fn(&DepsUser) -> String) -> String {
    sso.users.get(number).map(value).unwrap_or_default()
}

fn password(user: &DepsUser) -> String {
    user.password.expose_secret().to_owned()
}
