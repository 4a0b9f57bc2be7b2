//! Logins for one run: a realm with a client for the app and two users, made on the provider that the run
//! deployed, and told to the app and its tests by the file of dependencies. All of it dies with the run.

use std::collections::BTreeMap;

use base::failure::{Failure, Kind};
use base::names::{ClientId, RealmName};
use harness::deps::{Dependency, Deps, Sso};
use harness::sso::{AnyProvider, ProviderName, RealmSpec, User, made_secret};
use secrecy::ExposeSecret as _;

use crate::context::StageRun;
use host::provider::ProviderAddress;

/// The users of a run: one is not enough where people meet.
const USERS: [(&str, &str); 2] = [("alice", "Alice"), ("bob", "Bob")];

/// What was made on a provider.
#[derive(Debug, Clone)]
pub struct Logins {
    /// The provider.
    pub provider: ProviderName,
    /// The realm with its client and users.
    pub sso: Sso,
}

/// Makes the realm, and gives the line that says so.
///
/// # Errors
/// Why the provider gives none.
pub async fn make(cx: &mut StageRun) -> Result<String, Failure> {
    let Some(wanted) = cx.app.toml.sso.clone() else { return Ok("no logins are asked for".to_owned()) };
    let (name, provider) = connect(cx).await?;
    let redirects = wanted.redirects.iter().map(|path| format!("{}{}", cx.url(), path.as_str())).collect();
    let users = USERS.map(|(name, first_name)| User {
        name: name.to_owned(),
        // A domain that is nobody's (RFC 2606).
        email: format!("{name}@{}.example.org", cx.app.spec.recipe.host_part()),
        first_name: first_name.to_owned(),
        last_name: "Tester".to_owned(),
        password: made_secret(),
    });
    let client: ClientId = cx.app.spec.recipe.host_part().parse().map_err(bug)?;
    let secret = made_secret();
    cx.hide(secret.expose_secret())?;
    users.iter().try_for_each(|user| cx.hide(user.password.expose_secret()))?;
    let wanted = RealmSpec {
        realm: RealmName::from(&cx.app.spec.run),
        client,
        client_secret: secret.clone(),
        redirects,
        users: users.into(),
    };
    cx.progress(format!("makes realm {} on {name}", wanted.realm));
    let granted = provider.make_realm(&wanted).await?;
    let line = format!(
        "realm {} with client {} and {} users, issuer {}",
        granted.realm,
        granted.client_id,
        granted.users.len(),
        granted.issuer
    );
    cx.holdings.logins = Some(Logins { provider: name, sso: Sso::new(&granted, secret) });
    Ok(line)
}

/// Writes the file of dependencies, which `install_steps.sh` and the tests read.
pub fn tell(cx: &StageRun) -> Result<(), Failure> {
    let dependency = |other: &StageRun| {
        let app = &other.app;
        let of_this = |logins: &&Logins| logins.provider.as_str() == app.spec.recipe.as_str();
        let told = Dependency {
            recipe: app.spec.recipe.clone(),
            domain: app.spec.domain.clone(),
            url: other.url(),
            release: other.release(),
            warm: app.was_there(),
            sso: cx.holdings.logins.as_ref().filter(of_this).map(|logins| logins.sso.clone()),
        };
        (app.spec.recipe.clone(), told)
    };
    let deps = Deps::new(cx.holdings.dependencies.iter().map(dependency).collect::<BTreeMap<_, _>>());
    deps.write(&cx.app.dir.deps()).map_err(|error| {
        Failure::new(Kind::StateUnusable, error.to_string(), "space and rights of cc-ci's state folder")
    })
}

/// The logins of a kept app, from the file that its run wrote.
///
/// # Errors
/// When the file cannot be read.
pub fn recall(cx: &mut StageRun) -> Result<(), Failure> {
    let Some(path) = &cx.app.deps else { return Ok(()) };
    let deps = Deps::read(path).map_err(|error| {
        Failure::new(Kind::NotKept, format!("the kept app's logins: {error}"), "keep another one: cc-ci run --keep")
    })?;
    let named = |one: Dependency| Some((one.recipe.as_str().parse().ok()?, one.sso?));
    cx.holdings.logins =
        deps.dependencies.into_values().find_map(named).map(|(provider, sso)| Logins { provider, sso });
    Ok(())
}

/// Removes the realm again, from a provider that outlives the run.
///
/// # Errors
/// When the provider does not do it: then a later `cc-ci reap` tries again.
pub async fn remove(cx: &StageRun) -> Result<(), Failure> {
    let (_, provider) = connect(cx).await?;
    // By its name: a realm that was being made when the run was stopped has told nothing yet.
    Ok(provider.remove_realm(&RealmName::from(&cx.app.spec.run)).await?)
}

/// The run's provider, as its administrator.
async fn connect(cx: &StageRun) -> Result<(ProviderName, AnyProvider), Failure> {
    let provider = cx.app.toml.sso.as_ref().map(|sso| ProviderName::from(sso.provider));
    let found = provider.and_then(|name| {
        let other = cx.holdings.dependencies.iter().find(|other| other.app.spec.recipe.as_str() == name.as_str())?;
        Some((name, other))
    });
    let Some((name, other)) = found else { return Err(bug("a provider was asked for and is not part of the run")) };
    let app = &other.app;
    let env_file = app.abra.env_file(&app.spec.domain);
    let place = ProviderAddress { name, stack: app.spec.stack.clone(), url: other.url(), env_file };
    let admin = place.admin(&cx.run.swarm).await?;
    cx.hide(admin.secret.expose_secret())?;
    Ok((name, place.connect(&cx.http, admin).await?))
}

fn bug(error: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::Bug, error.to_string(), "please report it")
}
