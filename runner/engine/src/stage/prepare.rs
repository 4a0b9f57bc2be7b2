//! Before the first deploy: what can be said of the recipe without running it, and its images.

use std::collections::BTreeSet;
use std::path::Path;

use base::failure::{Cause, Failure, Kind};
use coopcloud::abra::{LintRow, parse_lint};
use coopcloud::compose::Compose;
use coopcloud::envfile::EnvFile;
use coopcloud::lint::Recipe;
use http_client::Http;
use swarm::Swarm;
use tokio_util::task::AbortOnDropHandle;

use super::foreseen::EarlyLooks;
use crate::context::{StageRun, Step};
use host::guard;
use journal::event::{Fault, Origin, Outcome, PlannedStage, Stage};
use journal::text::count;
use plan::refused;
use plan::spec::check_object_names;
use plan::stack_config::{Loaded, Variables, load};
use recipe_folder::recipe_toml::RecipeToml;

pub(super) async fn run(cx: &mut StageRun) -> Step {
    super::own_tests::tell(cx);
    if let Some(why) = cx.app.checkout.first_try() {
        cx.note(format!("the repository was cloned at the second try; at the first: {why}"));
    }
    // It asks the engine, traefik and the backup bot, while what follows reads the recipe.
    let world = look_at_world(cx);
    room(cx).await?;
    let head = cx.app.spec.head.to_string();
    let compose = cx
        .check("prepare.compose", async |cx: &mut StageRun| {
            let (env, compose) = compose_at(cx, &head)?;
            check_object_names(&compose)?;
            Ok((
                format!("{} read from the head's compose files", count(compose.services.len(), "service")),
                (env, compose),
            ))
        })
        .await?;
    let (env, compose) = compose;
    allowed(cx, &head, &env, &compose).await?;
    let mut early = EarlyLooks::begin(cx, &compose);
    let ended = rest(cx, &head, &env, &compose, world, &mut early).await;
    early.end().await;
    ended
}

/// What follows once the compose files may be looked into.
async fn rest(
    cx: &mut StageRun,
    head: &str,
    env: &EnvFile,
    compose: &Compose,
    world: AbortOnDropHandle<Result<String, Failure>>,
    early: &mut EarlyLooks,
) -> Step {
    secrets(cx, env, compose).await?;
    super::foreseen::variables(cx, head, env, compose).await?;
    schema(cx, head, env, compose).await?;
    super::change::read(cx, env, compose).await;
    super::foreseen::route(cx, compose).await?;
    // A red tag or rule of abra is told and counts, but says nothing about whether the app works.
    let _ = tags(cx).await;
    let _ = rules(cx, head).await;
    contract(cx).await?;
    shell(cx, head).await?;
    super::change::settings(cx).await?;
    images_and_world(cx, compose, world, early).await?;
    super::dependencies::prepare(cx).await
}

/// The node can take a run: before anything is pulled or deployed, and with what only lies about gone.
async fn room(cx: &mut StageRun) -> Step {
    has_room(cx, "prepare.room", None).await
}

/// The same for a memory of so many MiB, which the apps will need.
pub(super) async fn has_room(cx: &mut StageRun, name: &str, memory_mib: Option<u64>) -> Step {
    cx.check(name, async |cx: &mut StageRun| {
        let state = cx.app.dir.state().to_owned();
        let (facts, gone) = guard::make_room(&cx.run.swarm, &state, &cx.run.guards, memory_mib).await?;
        if !gone.is_empty() {
            cx.note(format!("images that no run needed went: {}", guard::names(&gone)));
        }
        Ok((facts.to_string(), ()))
    })
    .await
}

fn compose_at(cx: &StageRun, revision: &str) -> Result<(EnvFile, Compose), Failure> {
    refused::compose_at(&cx.app.checkout, revision, &cx.app.spec)
}

/// Ports of the host that an app publishes, at the base release or at the head, and those that its folder says: a file
/// or a setting that `install_steps.sh` adds is not seen here. What cannot be read there is told in its place.
pub fn published_ports(cx: &StageRun) -> BTreeSet<u16> {
    let head = cx.release();
    let revisions = [Some(&head), cx.app.spec.base.as_ref()].into_iter().flatten();
    let composes = revisions.filter_map(|revision| compose_at(cx, revision).ok()).map(|(_, compose)| compose);
    ports(&cx.app.toml, composes)
}

fn ports(toml: &RecipeToml, composes: impl Iterator<Item = Compose>) -> BTreeSet<u16> {
    let published = composes.flat_map(|compose| {
        let ports: Vec<u64> = compose.services.iter().flat_map(|one| &one.ports).map(|port| port.published).collect();
        ports
    });
    let published = published.filter(|port| *port != 0).filter_map(|port| u16::try_from(port).ok());
    published.chain(toml.host_ports.iter().map(|port| port.get())).collect()
}

/// A change under test is a stranger's text: it may not reach out of its own containers.
async fn allowed(cx: &mut StageRun, head: &str, env: &EnvFile, compose: &Compose) -> Step {
    if let Some(reason) = cx.app.opted_out("prepare.allowed") {
        cx.skip("prepare.allowed", reason);
        return Ok(());
    }
    cx.check("prepare.allowed", async |cx: &mut StageRun| {
        plan::policy::check_compose(&cx.app.checkout, head, env, &cx.app.spec, compose)?;
        Ok(("the compose file asks for nothing of the host".to_owned(), ()))
    })
    .await
}

/// Every secret of the app is declared, or nothing could ever make it.
async fn secrets(cx: &mut StageRun, env: &EnvFile, compose: &Compose) -> Step {
    // Steps of the recipe's folder may declare more, or switch on files that do.
    if compose.secrets.is_empty() || cx.has_install_steps() {
        return Ok(());
    }
    cx.check("prepare.secrets", async |cx: &mut StageRun| {
        refused::every_secret_is_declared(&cx.app.spec, env, compose)?;
        Ok(("every secret is declared in .env.sample".to_owned(), ()))
    })
    .await
}

/// docker's own loader takes the files, and abra will: what it refuses would be told by the deploy only, minutes later.
/// Files that the run does not deploy are held to the schema as well.
async fn schema(cx: &mut StageRun, head: &str, env: &EnvFile, compose: &Compose) -> Step {
    let services: BTreeSet<&str> = compose.services.iter().map(|service| service.name.as_str()).collect();
    for (service, other) in compose.services.iter().flat_map(|one| one.depends_on().map(move |other| (one, other))) {
        if !services.contains(other.as_str()) {
            let name = &service.name;
            cx.note(format!("{name} has depends_on: {other}, and no service is called so; swarm and abra ignore it"));
        }
    }
    let deployed = plan::revision::compose_files(env);
    let optional = super::optional::optional(cx, head, &deployed);
    cx.check("prepare.schema", async |cx: &mut StageRun| {
        cx.app.checkout.check_out(head)?;
        let vars = plan::revision::variables_of(&cx.app.checkout, head, env, cx.app.spec.stack.as_str());
        let dir = cx.app.checkout.dir().to_owned();
        let ask = |files: Vec<String>, variables| {
            let (dir, vars) = (dir.clone(), vars.clone());
            host::blocking::blocking(move || Ok(load(&dir, &files, &vars, variables)))
        };
        let (filled, written, said) = tokio::join!(
            ask(deployed.clone(), Variables::FilledIn),
            ask(deployed.clone(), Variables::AsWritten),
            futures_util::future::try_join_all(optional.iter().map(|one| ask(vec![one.file.clone()], Variables::FilledIn))),
        );
        super::optional::told(cx, head, &deployed, &optional, &said?)?;
        let refused = |why: String, look_at: &str| {
            Failure::new(Kind::InvalidCompose, format!("docker refuses the compose files: {why}"), look_at)
        };
        match (filled?, written?) {
            (Loaded::Refused(why), _) => Err(refused(why, "that key in the compose files of the recipe")),
            (Loaded::NotAsked(why), _) => {
                cx.note(format!("the compose files are held to the schema by the deploy alone: {why}"));
                Ok((format!("not asked: {why}"), ()))
            }
            (Loaded::Taken, Loaded::Refused(why)) if why.contains("duration") => Err(Failure::new(
                Kind::InvalidCompose,
                format!("abra refuses the compose files, since it holds them to the schema before it fills variables in: {why}"),
                "write the duration itself in place of a variable",
            )),
            (Loaded::Taken, _) => {
                // Steps of the recipe's folder may make them.
                if !cx.has_install_steps()
                    && let Some(missing) = missing_file(&dir, compose)
                {
                    return Err(Failure::new(
                        Kind::InvalidCompose,
                        missing,
                        "`file:` in the compose files, from the repository's folder on, and whether the file is committed",
                    ));
                }
                Ok(("docker's loader takes the compose files".to_owned(), ()))
            }
        }
    })
    .await
}

/// A config or secret whose file is not there: the deploy reads each of them, and its loader none.
fn missing_file(dir: &Path, compose: &Compose) -> Option<String> {
    let all =
        compose.configs.iter().map(|one| ("config", one)).chain(compose.secrets.iter().map(|one| ("secret", one)));
    all.filter(|(_, one)| !one.external).find_map(|(what, one)| {
        let file = one.file.as_ref()?;
        let path = dir.join(file);
        let why = match () {
            () if path.is_file() => return None,
            () if path.is_dir() => "is a folder",
            () => "the repository does not have",
        };
        Some(format!("the {what} {} is read from {file}, which {why}", one.key))
    })
}

async fn tags(cx: &mut StageRun) -> Step {
    if let Some(reason) = cx.app.opted_out("prepare.tags") {
        cx.skip("prepare.tags", reason);
        return Ok(());
    }
    cx.check("prepare.tags", async |cx: &mut StageRun| {
        let releases = refused::tags_are_annotated(&cx.app.spec.tags)?;
        Ok((format!("{releases} releases, all with annotated tags"), ()))
    })
    .await
}

async fn rules(cx: &mut StageRun, head: &str) -> Step {
    if let Some(reason) = cx.app.opted_out("prepare.rules") {
        cx.skip("prepare.rules", reason);
        return Ok(());
    }
    cx.check("prepare.rules", async |cx: &mut StageRun| {
        cx.app.checkout.check_out(head)?;
        cx.progress("abra holds the recipe to its rules");
        let call = cx.app.abra.recipe_lint(&cx.app.spec.recipe, cx.time_left()).await;
        let call = cx.took(call, "hold the recipe to its rules")?;
        let rows = parse_lint(call.output());
        if rows.is_empty() {
            return Err(Failure::new(
                Kind::AbraUnusable,
                "abra printed no rule that cc-ci can read",
                "abra's output, in the report",
            ));
        }
        let breakers = breakers(cx, head);
        let named = |row: &LintRow| match breakers(&row.reference) {
            names if names.is_empty() => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        let red = |severity: &'static str| {
            rows.iter().filter(move |row| !row.satisfied && !row.skipped && row.severity.starts_with(severity))
        };
        let warnings: Vec<String> = red("warn").map(|row| format!("{}{}", row.reference, named(row))).collect();
        if !warnings.is_empty() {
            cx.note(format!("abra's rules warn: {}", warnings.join(", ")));
        }
        // R014 is about tags, which have a check of their own that says which.
        let Some(first) = red("error").find(|row| row.reference != "R014") else {
            return Ok((format!("{} of abra's rules, no error", rows.len()), ()));
        };
        Err(Failure::new(
            Kind::InvalidRecipe,
            format!("abra's rule {} is not met: {}{}", first.reference, first.rule, named(first)),
            first.mend.clone(),
        ))
    })
    .await
}

/// What breaks a rule of abra's, by name. abra's table has no such column, so cc-ci looks for itself; where it reads the
/// rule in another way than abra, it names nothing.
fn breakers(cx: &StageRun, head: &str) -> impl Fn(&str) -> Vec<String> + use<> {
    let text = |file: &str| cx.app.checkout.file(head, file).unwrap_or_default();
    let (compose_text, abra_sh, readme) = (text("compose.yml"), text("abra.sh"), text("README.md"));
    let tags: Vec<(String, bool)> = cx.app.spec.tags.iter().map(|tag| (tag.name.clone(), tag.annotated)).collect();
    let read = compose_at(cx, head).ok();
    move |reference| match &read {
        None => Vec::new(),
        Some((sample, compose)) => coopcloud::lint::breakers(
            reference,
            &Recipe { compose, compose_text: &compose_text, sample, abra_sh: &abra_sh, readme: &readme, tags: &tags },
        ),
    }
}

/// The tests can run at all: a mistake in one is told now, and not after minutes of deploying.
async fn contract(cx: &mut StageRun) -> Step {
    cx.check("prepare.tests", async |cx: &mut StageRun| {
        if !cx.app.folder.is_dir() {
            cx.note(format!("{} is not there: the generic checks run alone", cx.app.folder.display()));
            return Ok(("cc-ci has no folder for this recipe".to_owned(), ()));
        }
        let other = refused::tests_can_run(&cx.app.folder, &cx.app.spec.recipe).await?;
        if !other.is_empty() {
            cx.note(format!("cc-ci lint has {} more to say about the recipe's folder", other.len()));
        }
        Ok(("every test can run".to_owned(), ()))
    })
    .await
}

/// All shell of the recipe can be parsed: a mistake in a hook shows only when it runs, which may be in
/// the middle of a restore.
async fn shell(cx: &mut StageRun, head: &str) -> Step {
    if let Some(reason) = cx.app.opted_out("prepare.shell") {
        cx.skip("prepare.shell", reason);
        return Ok(());
    }
    cx.check("prepare.shell", async |cx: &mut StageRun| {
        cx.app.checkout.check_out(head)?;
        let folder = cx.app.checkout.dir().to_owned();
        let found = host::blocking::blocking(move || {
            recipe_folder::lint::shell(&folder).map_err(|error| {
                Failure::new(Kind::InvalidRecipe, error.to_string(), "the files of the recipe's repository")
            })
        })
        .await?;
        let words = |finding: &recipe_folder::lint::Finding| finding.to_string().replace(": shell-syntax", "");
        for finding in found.pipelines.iter().take(3) {
            cx.note(format!("the pipeline {}; no run of cc-ci takes it up", words(finding)));
        }
        let found = found.deployed;
        match found.first() {
            None => Ok(("every script, hook and healthcheck can be parsed".to_owned(), ())),
            Some(first) if first.text.starts_with(recipe_folder::lint::NO_YAML) => {
                Err(Failure::new(Kind::InvalidCompose, words(first), "that place in the file"))
            }
            Some(first) => Err(Failure::new(
                Kind::BrokenShell,
                format!("a shell cannot parse {}", words(first)),
                "that place in the recipe; `bash -n` says the same",
            )
            .with_detail(found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))),
        }
    })
    .await
}

/// What must stand before any app can be deployed: not only there, but asked. Images are not pulled on for a world that
/// turns out to be broken.
async fn images_and_world(
    cx: &mut StageRun,
    compose: &Compose,
    mut look: AbortOnDropHandle<Result<String, Failure>>,
    early: &mut EarlyLooks,
) -> Step {
    let mut said = None;
    let ready = {
        let mut pulling = std::pin::pin!(async {
            images(cx, compose).await?;
            super::foreseen::images(cx, compose, early).await
        });
        loop {
            tokio::select! {
                biased;
                ended = &mut look, if said.is_none() => {
                    let is_broken = !matches!(ended, Ok(Ok(_)));
                    said = Some(ended);
                    if is_broken {
                        break Ok(());
                    }
                }
                ended = &mut pulling => break ended,
            }
        }
    };
    let said = match said {
        Some(said) => said,
        None => look.await,
    };
    let world = cx.check("prepare.world", async |_: &mut StageRun| {
        let said = said.map_err(|error| bug(&error))??;
        Ok((said, ()))
    });
    world.await?;
    ready
}

/// A task of cc-ci's own that ended in the middle.
fn bug(error: &tokio::task::JoinError) -> Failure {
    Failure::new(Kind::Bug, error.to_string(), "please report it")
}

fn look_at_world(cx: &mut StageRun) -> AbortOnDropHandle<Result<String, Failure>> {
    let (swarm, until) = (cx.run.swarm.clone(), cx.wait_until());
    let base = cx.app.spec.domain.as_str().split_once('.').map_or("", |(_, base)| base).to_owned();
    let (http, port) = (cx.http.clone(), cx.run.https_port);
    let each = cx.app.spec.cert_resolver.is_some();
    let is_backup = |planned: &PlannedStage| planned.stage == Stage::Backup && planned.skip.is_none();
    let opens = cx.run.started.stages.iter().any(is_backup);
    let begun = cx.holdings.repository.take();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let repository = async {
            if !opens {
                return Ok("no backup is planned".to_owned());
            }
            let looked = match begun {
                Some(begun) => begun.await.map_err(|error| bug(&error))?,
                None => host::repository::opens(&swarm, until).await,
            };
            looked.map(|looked| looked.text().to_owned())
        };
        // The repository takes a second. Of two failures the world's tells more.
        let (routed, opened) = tokio::join!(is_whole(&swarm, &http, &base, port, each), repository);
        Ok(format!("{}; {}", routed?, opened?))
    }))
}

async fn is_whole(swarm: &Swarm, http: &Http, base: &str, port: u16, each: bool) -> Result<String, Failure> {
    let there = host::world::present(swarm).await?;
    let missing = there.missing();
    if !missing.is_empty() {
        return Err(Failure::new(
            Kind::WorldIncomplete,
            format!("the world is not complete: {}", missing.join(", ")),
            "run `cc-ci up`; `cc-ci doctor` has the details",
        ));
    }
    let has_route = there.routes.contains(base);
    if each && !has_route {
        return Err(Failure::new(
            Kind::WorldIncomplete,
            "traefik gets a certificate for each app, and cc-ci has no route that could be requested",
            "run `cc-ci up`, which makes it",
        ));
    }
    trusted(http, base, port, has_route).await
}

/// traefik answers over TLS that cc-ci trusts, and passes a request on to a route of cc-ci's own. A state folder that is
/// not the world's has another CA, and would make every app look wrong.
async fn trusted(http: &Http, base: &str, port: u16, has_route: bool) -> Result<String, Failure> {
    if has_route {
        let url = host::world::route::asked(http, base, port).await?;
        return Ok(format!("traefik passes a request on to {url}, over TLS that is trusted"));
    }
    let url = format!("https://nobody.{base}:{port}/");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let answer = http.get(&url, until).await.map_err(|failure| {
        Failure::new(
            Kind::WorldIncomplete,
            format!("traefik does not answer as it should: {}", failure.what),
            "whether --state (CCCI_STATE) is the folder that `cc-ci up` used; `cc-ci doctor` says more",
        )
    })?;
    Ok(format!(
        "traefik answers {}, over TLS that is trusted; `cc-ci up` makes a route of cc-ci's own to ask",
        answer.status
    ))
}

/// Every image of base and head is here before the first deploy, whose timeout they would eat. A base that
/// asks for what a stranger may not have is held back like one whose images are gone.
async fn images(cx: &mut StageRun, head: &Compose) -> Step {
    if let Some(base) = cx.app.spec.base.clone() {
        let start = std::time::Instant::now();
        let ended = match may_be_deployed(cx, &base) {
            Ok(compose) => ensure(cx, &compose).await.map_err(|failure| ("prepare.base-images", failure)),
            Err(failure) if failure.kind == Kind::ForbiddenCompose => Err(("prepare.base-allowed", failure)),
            Err(failure) => Err(("prepare.base-images", failure)),
        };
        match ended {
            Ok(text) => cx.record("prepare.base-images", Origin::Generic, Outcome::Passed, text, None, start.elapsed()),
            Err((check, failure)) => {
                let mut fault = cx.fault(failure);
                // One that its publisher has taken back looks like a private one.
                if fault.cause == Cause::Recipe || fault.failure.kind == Kind::RegistryRefused {
                    fault = Fault { cause: Cause::BaseRelease, ..fault };
                }
                let text = fault.failure.what.clone();
                cx.record(check, Origin::Generic, Outcome::Failed, text, Some(fault.clone()), start.elapsed());
                cx.faults.push(fault);
                cx.app.base_is_broken = true;
            }
        }
    }
    cx.check("prepare.images", async |cx: &mut StageRun| {
        // Operators may have other compose files than the sample names now.
        let operators = cx.app.change.as_ref().map(|change| change.head.compose.clone());
        for compose in
            operators.iter().filter(|compose| compose.images().iter().any(|one| !head.images().contains(one)))
        {
            ensure(cx, compose).await?;
        }
        ensure(cx, head).await.map(|text| (text, ()))
    })
    .await
}

pub(super) fn may_be_deployed(cx: &StageRun, revision: &str) -> Result<Compose, Failure> {
    let (env, compose) = compose_at(cx, revision)?;
    if cx.app.opted_out("prepare.allowed").is_none() {
        plan::policy::check_compose(&cx.app.checkout, revision, &env, &cx.app.spec, &compose)?;
    }
    Ok(compose)
}

pub(super) async fn ensure(cx: &StageRun, compose: &Compose) -> Result<String, Failure> {
    let images = compose.images();
    let mut speaker = cx.speaker();
    // The run's own folder, also of an app that belongs to another: this run needs the images now.
    let (state, run) = (cx.app.dir.state(), &cx.run.started.run);
    let logins = host::registry::logins(&cx.run.runner.settings, &cx.app.spec.recipe)?;
    let guard::Ensured { pulled, remarks } =
        guard::ensure(&cx.run.swarm, state, run, &images, &logins, &mut speaker).await?;
    remarks.into_iter().for_each(|remark| cx.note(remark));
    for (image, why) in pulled.iter().filter_map(|one| Some((&one.image, one.first.as_ref()?))) {
        cx.note(format!("{image} was pulled at the second try; at the first: {why}"));
    }
    Ok(match pulled.len() {
        0 => format!("{}, all here", count(images.len(), "image")),
        count => format!("{} images, {count} of them pulled", images.len()),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_file_of_a_config_that_is_not_there_is_found_before_the_deploy() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("conf")).unwrap();
        std::fs::write(dir.path().join("conf/site.bin"), [0xff, 0]).unwrap();
        let missing = |section: &str| {
            let text = format!("services: {{app: {{image: a}}}}\n{section}\n");
            missing_file(dir.path(), &Compose::load(&[("compose.yml".to_owned(), text)], &BTreeMap::new()).unwrap())
        };
        assert_eq!(missing("configs: {site: {file: ./conf/site.bin}}"), None);
        assert_eq!(missing("secrets: {key: {external: true, name: key}}"), None);
        let said = missing("secrets: {key: {file: key.txt}}").unwrap();
        assert_eq!(said, "the secret key is read from key.txt, which the repository does not have");
        let said = missing("configs: {site: {file: conf}}").unwrap();
        assert_eq!(said, "the config site is read from conf, which is a folder");
    }

    #[test]
    fn the_ports_of_the_files_and_those_that_only_the_folder_knows_are_kept_for_one_run() {
        let text = "services: {app: {image: a, ports: ['2222:22', '80']}}\n".to_owned();
        let compose = Compose::load(&[("compose.yml".to_owned(), text)], &BTreeMap::new()).unwrap();
        let toml = recipe_folder::recipe_toml::parse("host_ports = [64738]").unwrap();
        assert_eq!(ports(&toml, [compose].into_iter()), BTreeSet::from([2222, 64738]));
    }
}
