//! Images of a private registry: which runs pull them with the operator's login, from a shell and from the environment
//! that the systemd unit gives. The runner's image is in `plugin.rs`.

use std::path::Path;
use std::process::Command;

use cc_ci::serve::UNIT;
use journal::event::{Event, Outcome};

use super::registry::{Door, LOGIN, Registry, registry_behind};
use super::support::{Said, cc_ci, left, root, state};

/// Two recipes with an image of a private registry, one of which is on the operator's list; not below /tmp, which the
/// unit has for itself.
struct Private {
    folder: tempfile::TempDir,
    registry: String,
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", &format!("{}/listed:1", self.registry)]).output();
    }
}

impl Private {
    /// Images that hold no program, so that the healthcheck is refused as soon as they have been pulled.
    fn new(door: Door) -> Self {
        Self::of(registry_behind(door))
    }

    fn of(registry: String) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let private = Self { folder, registry: registry.clone() };
        let builder = testbed::repos::Source::load("custom-html-unreleased").unwrap().builder().unwrap();
        let builder = builder.at("good/new-release").unwrap();
        for recipe in ["listed", "other"] {
            std::fs::create_dir_all(private.path(&format!("recipes/{recipe}"))).unwrap();
            std::fs::write(private.path(&format!("recipes/{recipe}/recipe.toml")), "").unwrap();
            let image = format!("{registry}/{recipe}:1");
            let built = builder.clone().replace("compose.yml", "testbed.invalid/nginx:1.22.1-2", &image).unwrap();
            let repository = Path::new(&private.path("sources")).join(recipe);
            built.commit("A private image").branch("private").build(&repository).unwrap();
        }
        std::fs::create_dir(private.path("docker")).unwrap();
        let login = format!(r#"{{"auths": {{"{registry}": {{"auth": "{LOGIN}"}}}}}}"#);
        std::fs::write(private.path("docker/config.json"), login).unwrap();
        std::fs::write(private.path("list"), "listed\n").unwrap();
        std::fs::create_dir(private.path("state")).unwrap();
        let copied = Command::new("cp").arg("-a").arg(state().join("world")).arg(private.path("state")).status();
        assert!(copied.unwrap().success());
        private
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The settings of cc-ci for these recipes, with some more.
    fn settings(&self, more: &[(&str, String)]) -> Vec<(String, String)> {
        let own = [("CCCI_RECIPES", self.path("recipes")), ("CCCI_SOURCES", self.path("sources"))];
        own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn run(&self, mut command: Command, recipe: &str) -> Said {
        Said::of(command.args(["run", recipe, "--ref", "private", "--json", "--only", "install"]).output().unwrap())
    }

    /// From a shell.
    fn by_a_shell(&self, recipe: &str, more: &[(&str, String)]) -> Said {
        let mut command = cc_ci(Path::new(&self.path("state")));
        command.env_remove("DOCKER_CONFIG").env("HOME", self.path("nobody")).envs(self.settings(more));
        self.run(command, recipe)
    }

    /// As systemd starts what the unit names: with the unit's variables and those of its file alone, no home, and the
    /// unit's view of the file system.
    fn under_the_unit(&self, recipe: &str, more: &[(&str, String)]) -> Said {
        let mut variables = self.settings(more);
        let mut script = vec!["set -e".to_owned()];
        let state = self.path("state");
        // What is mounted before stays writable when the rest is not.
        let read_only = |folder: &str| format!("mount --bind {folder} {folder}; mount -o remount,bind,ro {folder}");
        let mut last = vec![];
        for line in UNIT.split_once("[Service]").unwrap().1.split("[Install]").next().unwrap().lines() {
            let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
            match (key, value) {
                ("StateDirectory", "cc-ci") => script.push(format!("mount --bind {state} {state}")),
                // Its folder is this test's own.
                ("Environment", "CCCI_STATE=/var/lib/cc-ci") => {
                    variables.push(("CCCI_STATE".to_owned(), state.clone()))
                }
                ("EnvironmentFile", "/etc/cc-ci/env") => {}
                ("PrivateTmp", "yes") => script.push("mount -t tmpfs tmpfs /tmp".to_owned()),
                ("ProtectHome", "read-only") => script.push(read_only("/root")),
                ("ProtectSystem", "strict") => last.push("mount -o remount,bind,ro /".to_owned()),
                ("UMask", "0077") => last.push("umask 0077".to_owned()),
                ("NoNewPrivileges", "yes") => last.push("exec setpriv --no-new-privs \"$@\"".to_owned()),
                // Who starts, watches and ends it, and what it may ask of the kernel: no file is out of reach by these.
                (
                    "Type"
                    | "ExecStart"
                    | "TimeoutStartSec"
                    | "TimeoutStopSec"
                    | "KillMode"
                    | "Restart"
                    | "RestartSec"
                    | "WatchdogSec"
                    | "ProtectKernelTunables"
                    | "ProtectKernelModules"
                    | "ProtectControlGroups"
                    | "ProtectClock"
                    | "RestrictSUIDSGID"
                    | "RestrictRealtime"
                    | "LockPersonality"
                    | "SystemCallArchitectures",
                    _,
                ) => {}
                _ => panic!("this test does not know what {line} does to the login"),
            }
        }
        script.extend(last);
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private", "sh", "-c", &script.join("\n"), "sh"])
            .arg(env!("CARGO_BIN_EXE_cc-ci"))
            .env_clear()
            // systemd's own, with what a developer's machine keeps elsewhere.
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(variables)
            .env("CCCI_SLOTS", "ccci-tests")
            .env("MAX_TESTS", "64")
            .current_dir(root());
        self.run(command, recipe)
    }
}

/// Whether the images came.
#[track_caller]
fn came(said: &Said) -> bool {
    let images = said.records.iter().find_map(|record| match &record.event {
        Event::CheckEnded { check, .. } if check.name == "prepare.images" => Some(check.outcome),
        _ => None,
    });
    let came = images.unwrap_or_else(|| panic!("{}\n{}", said.verdict().line, said.stderr)) == Outcome::Passed;
    let told = format!("{}\n{}", said.verdict().line, said.stderr);
    assert_eq!(said.decided() == "registry-refused", !came, "{told}");
    assert!(!told.contains(LOGIN) && !told.contains("me:pass"), "{told}");
    came
}

#[test]
fn only_the_images_of_listed_recipes_are_pulled_with_the_login() {
    for door in [Door::Basic, Door::Token] {
        let private = Private::new(door);
        let login = ("CCCI_REGISTRY_LOGIN", private.path("docker/config.json"));
        let list = ("CCCI_REGISTRY_RECIPES", private.path("list"));
        assert!(!came(&private.by_a_shell("other", &[login.clone(), list.clone()])), "{door:?}");
        assert!(!came(&private.by_a_shell("listed", std::slice::from_ref(&login))), "{door:?}: no list");
        assert!(!came(&private.by_a_shell("listed", std::slice::from_ref(&list))), "{door:?}: no login");
        assert!(came(&private.by_a_shell("listed", &[login, list])), "{door:?}");
    }
}

/// The engine is given a login by cc-ci alone: swarm asks the registry as anyone, is refused, and starts what is here.
#[test]
fn a_private_image_is_pulled_once_and_runs() {
    let registry = Registry::with(Door::Token, "testbed.invalid/nginx:1.22.1-2");
    let private = Private::of(registry.here.clone());
    let login = ("CCCI_REGISTRY_LOGIN", private.path("docker/config.json"));
    let said = private.by_a_shell("listed", &[login, ("CCCI_REGISTRY_RECIPES", private.path("list"))]);
    assert!(came(&said) && said.code == 0, "{}\n{}", said.verdict().line, said.stderr);
    assert_eq!(registry.given(), 1, "one pull for all that the run does");
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

#[test]
fn under_the_unit_the_login_is_where_its_file_says() {
    let private = Private::new(Door::Basic);
    let list = ("CCCI_REGISTRY_RECIPES", private.path("list"));
    let docker = ("DOCKER_CONFIG", private.path("docker"));
    assert!(
        !came(&private.under_the_unit("listed", std::slice::from_ref(&list))),
        "the user's home has no login for it"
    );
    assert!(!came(&private.under_the_unit("other", &[list.clone(), docker.clone()])));
    assert!(came(&private.under_the_unit("listed", &[list.clone(), docker])));
    let private = Private::new(Door::Token);
    let list = ("CCCI_REGISTRY_RECIPES", private.path("list"));
    let login = ("CCCI_REGISTRY_LOGIN", private.path("docker/config.json"));
    assert!(came(&private.under_the_unit("listed", &[list, login])));
}
