//! One revision of the recipe onto the swarm: checkout, env file, secrets, abra, and the wait.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Instant;

use base::failure::Failure;
use base::names::StackName;
use coopcloud::abra::{generated_values, nothing_generated};
use coopcloud::compose::Compose;
use coopcloud::envfile::{EnvFile, SecretSpec};
use overlay::OverlayFile;
use swarm::{Before, Settled};

use crate::context::StageRun;
use crate::random_text::random_text;
use crate::stage;
use journal::event::Event;
use plan::links::OVERRIDE_FILE;
use plan::override_file::{least_version, override_file};
use plan::peers::CA_FILE;
use plan::policy::{check_compose, check_repository, normalize_env};
use plan::revision::{INSTALL_STEPS, invalid_compose, sample_of};

impl StageRun {
    /// Deploys a revision and waits until the swarm has settled. The first deployment of an app
    /// makes its env file; a later one goes in place.
    ///
    /// # Errors
    /// Why it did not settle.
    pub async fn deploy(&mut self, revision: &str, before: &Before) -> Result<Settled, Failure> {
        self.app.checkout.check_out(revision)?;
        let mut compose = self.configure(revision).await?;
        if self.app.deployed.is_none() && self.install_steps().await? {
            // They may have switched on compose files that nobody has looked at yet.
            compose = self.configure(revision).await?;
        }
        self.make_secrets(&compose).await?;
        let mut watch = self.run.swarm.watch(&self.app.spec.stack).await?;
        self.progress(format!("abra deploys {revision}"));
        let call = self.app.abra.app_deploy(&self.app.spec.domain, self.time_left()).await;
        self.took(call, "deploy the app")?;
        let waits = Instant::now();
        self.run.emitter.emit(Event::ComposeDeployed {
            stage: self.stage,
            version: revision.to_owned(),
            yaml: compose.to_yaml(),
        });
        self.app.settled = None;
        let was = self.app.deployed.replace(revision.to_owned());
        let mut speaker = self.speaker();
        let settled = watch.settled(before, self.wait_until(), &mut speaker).await?;
        for service in &settled.services {
            if let Some(ended) = &service.before {
                let name = &service.name;
                self.note(format!("service {name} {ended}, before it stayed up; it may wait for another by ending"));
            }
        }
        let took = settled.healthy_at.unwrap_or(settled.seen_at).saturating_duration_since(waits);
        if let Some(note) = stage::too_slow(&compose, &self.app.spec.stack, took) {
            self.note(note);
        }
        self.run_commands(was.as_deref(), revision).await?;
        self.app.settled = Some(self.run.swarm.before(&self.app.spec.stack).await?);
        Ok(settled)
    }

    /// Writes the env file, the compose files as they were checked, and cc-ci's own, for a revision.
    async fn configure(&mut self, revision: &str) -> Result<Compose, Failure> {
        let path = self.app.abra.env_file(&self.app.spec.domain);
        let sample = sample_of(&self.app.checkout, revision)?;
        if !path.exists() {
            // Its folder says that abra knows the server, from an earlier deploy or another app of the run.
            if !path.parent().is_some_and(std::path::Path::is_dir) {
                let call = self.app.abra.server_add_local(self.time_left()).await;
                self.took(call, "add the local server")?;
            }
            let call = self.app.abra.app_new(&self.app.spec.recipe, &self.app.spec.domain, self.time_left()).await;
            self.took(call, "make the app")?;
            // `app new` may move the checkout to a release.
            self.app.checkout.check_out(revision)?;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::disk("read", &path, &error))?;
        let mut env = EnvFile::parse(&text);
        match &self.app.change {
            // Again, or back: the env file stays.
            Some(change) if self.app.deployed.is_some() => {
                if self.app.deployed.as_deref() == Some(&change.base.revision) && revision == change.head.revision {
                    self.upgrade_settings(change, &mut env, &sample)?;
                }
            }
            _ => {
                let added = env.merge_new_keys_from(&sample);
                if self.app.deployed.is_some() && !added.is_empty() {
                    self.note(format!("new in .env.sample, added to the app's env file: {}", added.join(", ")));
                }
            }
        }
        if let Some(variant) = &self.app.variant {
            variant.settings.write_to(&mut env);
        }
        normalize_env(&mut env, &self.app.spec)?;
        let mut compose = check_repository(&self.app.checkout, revision, &env, &self.app.spec)?;
        if self.app.opted_out("prepare.allowed").is_none() {
            check_compose(&self.app.checkout, revision, &env, &self.app.spec, &compose)?;
        }
        let least = least_version(&self.run.place, &self.app.peers);
        if compose.raise_version(least).map_err(|error| invalid_compose(&error))? {
            self.note(format!(
                "the compose files are deployed as version 3.{least}, which this machine's override needs"
            ));
        }
        compose.hold_ports().map_err(|error| invalid_compose(&error))?;
        env.append_compose_file(OVERRIDE_FILE);
        let own =
            (OVERRIDE_FILE.to_owned(), override_file(&compose, &self.app.labels, &self.run.place, &self.app.peers));
        let ca = self.app.peers.ca.as_ref().map(|pem| (CA_FILE.to_owned(), pem.clone()));
        for (name, text) in compose.files.iter().chain([&own]).chain(&ca) {
            let path = self.app.checkout.dir().join(name);
            write_anew(&path, text).map_err(|error| Failure::disk("write", &path, &error))?;
        }
        std::fs::write(&path, env.to_string()).map_err(|error| Failure::disk("write", &path, &error))?;
        Ok(compose)
    }

    /// Has abra generate what is missing, and inserts the values that the recipe's folder says how to
    /// make. What is there already stays.
    async fn make_secrets(&mut self, compose: &Compose) -> Result<(), Failure> {
        let path = self.app.abra.env_file(&self.app.spec.domain);
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::disk("read", &path, &error))?;
        let secrets = EnvFile::parse(&text).secrets();
        if secrets.is_empty() {
            return Ok(());
        }
        let generated = generated_by_abra(compose, &secrets, &self.app.spec.stack);
        // abra takes it for a failure when nothing is missing, as after an upgrade that adds no secret.
        if !self.all_there(&generated).await? {
            self.progress("abra generates secrets");
            let call = self.app.abra.secret_generate(&self.app.spec.domain, self.time_left()).await;
            if let Ok(call) = &call {
                generated_values(call.stdout()).iter().try_for_each(|value| self.hide(value))?;
            }
            let is_nothing = call.as_ref().is_ok_and(nothing_generated);
            let took = self.took(call, "generate secrets");
            // Where it takes none for missing, the swarm has the last word.
            if !is_nothing || !self.all_there(&generated).await? {
                took?;
            }
        }
        for secret in secrets.iter().filter(|secret| !secret.generate) {
            let Some(made) = self.app.toml.secrets.get(&secret.name).copied() else { continue };
            let name = self.app.spec.stack.object(&format!("{}_{}", secret.name, secret.version));
            if self.run.swarm.has_secret(&name).await? {
                continue;
            }
            let value = random_text(made.length.get());
            self.hide(&value)?;
            // A name of its own: another app of the run may do the same at the same time.
            let file = self.app.dir.work().join(format!("secret-of-{}", self.app.spec.stack));
            write_private(&file, &value).map_err(|error| Failure::disk("write", &file, &error))?;
            let left = self.time_left();
            let call =
                self.app.abra.secret_insert(&self.app.spec.domain, &secret.name, &secret.version, &file, left).await;
            std::fs::remove_file(&file).map_err(|error| Failure::disk("remove", &file, &error))?;
            self.took(call, &format!("insert the secret {}", secret.name))?;
        }
        Ok(())
    }

    async fn all_there(&self, secrets: &[String]) -> Result<bool, Failure> {
        for name in secrets {
            if !self.run.swarm.has_secret(name).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the recipe's folder has steps that run before the first deploy.
    pub(crate) fn has_install_steps(&self) -> bool {
        self.app.folder.join(INSTALL_STEPS).exists()
    }

    /// Runs `install_steps.sh` of cc-ci's folder for the recipe: settings and secrets that only a test run
    /// needs, between `app new` and the first deploy. Whether there is one.
    async fn install_steps(&mut self) -> Result<bool, Failure> {
        let path = self.app.folder.join(INSTALL_STEPS);
        if !path.exists() {
            return Ok(false);
        }
        self.progress(format!("runs {INSTALL_STEPS}"));
        let file = OverlayFile { name: INSTALL_STEPS.to_owned(), path };
        let context = stage::overlay_context(self, self.time_left()).await;
        let result = stage::tried(self, &file, &context).await;
        self.note(format!("{INSTALL_STEPS}: {}", result.text));
        result.failure(&file).map_or(Ok(true), Err)
    }

    /// What runs now, as it was when it had settled last: what ended since then counts as news.
    pub async fn before(&self) -> Result<Before, Failure> {
        let mut before = self.run.swarm.before(&self.app.spec.stack).await?;
        if let Some(settled) = &self.app.settled {
            before.over.retain(|task| settled.over.contains(task));
        }
        Ok(before)
    }

    /// Waits until nothing of the stack is on its way, after something else than a deploy.
    ///
    /// # Errors
    /// Why it did not settle.
    pub async fn settle(&mut self, before: &Before) -> Result<Settled, Failure> {
        let mut watch = self.run.swarm.watch(&self.app.spec.stack).await?;
        let mut speaker = self.speaker();
        let settled = watch.settled(before, self.wait_until(), &mut speaker).await?;
        self.app.settled = Some(self.run.swarm.before(&self.app.spec.stack).await?);
        Ok(settled)
    }
}

/// The swarm's names of the secrets that abra generates: those that the env file lets it, and that a service has.
fn generated_by_abra(compose: &Compose, secrets: &[SecretSpec], stack: &StackName) -> Vec<String> {
    let is_used = |name: &String| {
        let named = compose.secrets.iter().filter(|secret| secret.name == *name);
        let mut keys = named.map(|secret| &secret.key);
        keys.any(|key| compose.services.iter().any(|service| service.secrets.contains(key)))
    };
    let generated = secrets.iter().filter(|secret| secret.generate);
    generated.map(|secret| stack.object(&format!("{}_{}", secret.name, secret.version))).filter(is_used).collect()
}

/// Writes a file that was not there before: whatever had the name is gone, and no link is followed.
fn write_anew(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::OpenOptions::new().create_new(true).write(true).open(path)?.write_all(text.as_bytes())
}

fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn abra_generates_the_secrets_that_a_service_has() {
        let text = "services:\n  app: {image: a, secrets: [one, by_hand]}\nsecrets:\n  one: {external: true, name: s_one_v2}\n  \
                    by_hand: {external: true, name: s_by_hand_v1}\n  unused: {external: true, name: s_unused_v1}\n";
        let compose = Compose::load(&[("compose.yml".to_owned(), text.to_owned())], &BTreeMap::new()).unwrap();
        let env = "SECRET_ONE_VERSION=v2\nSECRET_BY_HAND_VERSION=v1 # generate=false\nSECRET_UNUSED_VERSION=v1\n";
        let stack = StackName::try_from("s".to_owned()).unwrap();
        assert_eq!(generated_by_abra(&compose, &EnvFile::parse(env).secrets(), &stack), ["s_one_v2"]);
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (outside, place) = (dir.path().join("outside"), dir.path().join("compose.yml"));
        std::fs::write(&outside, "mine").unwrap();
        std::os::unix::fs::symlink(&outside, &place).unwrap();
        write_anew(&place, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "mine");
        assert!(place.symlink_metadata().unwrap().is_file());
        write_anew(&place, "newer").unwrap();
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "newer");
        assert!(write_anew(dir.path(), "x").is_err());
    }
}
