//! A recipe, an `ABRA_DIR`, an app, and what is left of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use testbed::repos::Builder;

/// The image of every service: `CCCI_CONTRACT_IMAGE` where the real abra looks for it in a registry, such as
/// `busybox:1.36.1`; else the testbed's, which has no shell. Its program is `/bin/busybox`.
pub(crate) fn image() -> String {
    std::env::var("CCCI_CONTRACT_IMAGE").unwrap_or_else(|_| "testbed.invalid/busybox:1".to_owned())
}

/// An image with a shell.
pub(crate) fn image_with_shell() -> String {
    std::env::var("CCCI_CONTRACT_IMAGE").unwrap_or_else(|_| "testbed.invalid/nginx:1.22.1".to_owned())
}

pub(crate) fn compose() -> String {
    COMPOSE.replace("IMAGE", &image())
}

const COMPOSE: &str = r#"version: "3.8"
services:
  app:
    image: IMAGE
    command: ["tail", "-f", "/dev/null"]
    networks: [internal]
    volumes: ["data:/data"]
    configs: [{ source: greeting, target: /greeting }]
    secrets: [password]
    healthcheck: { test: ["CMD", "/bin/busybox", "true"], interval: 1s, retries: 3 }
    deploy:
      endpoint_mode: dnsrr
      labels:
        - "traefik.enable=true"
        - "coop-cloud.${STACK_NAME}.version=1.1.0+1"
        - "coop-cloud.${STACK_NAME}.timeout=${TIMEOUT:-30}"
        - "backupbot.backup=true"
networks: { internal: }
volumes: { data: }
configs:
  greeting: { name: "${STACK_NAME}_greeting_${GREETING_VERSION}", file: greeting.txt }
secrets:
  password: { external: true, name: "${STACK_NAME}_password_${SECRET_PASSWORD_VERSION}" }
"#;

pub(crate) const SAMPLE: &str = "TYPE=tiny\nDOMAIN=tiny.example.com\nLETS_ENCRYPT_ENV=production\n# TIMEOUT=30\n\
                                 SECRET_PASSWORD_VERSION=v1 # length=40 charset=hex\n";

/// The variable by which abra-lite does the other thing at some points; the real one does not know it.
const OTHERWISE: &str = "ABRA_LITE_OTHERWISE";

/// The program that is held to the contract.
fn program() -> std::ffi::OsString {
    std::env::var_os("CCCI_ABRA").unwrap_or_else(|| env!("CARGO_BIN_EXE_abra-lite").into())
}

/// Whether it is abra-lite: only that can be told to do the other thing.
pub(crate) fn is_lite() -> bool {
    std::env::var_os("CCCI_ABRA").is_none()
}

/// The recipe at two releases.
pub(crate) fn tiny() -> Builder {
    let compose = compose();
    let files = [
        ("compose.yml", compose.as_str()),
        (".env.sample", SAMPLE),
        (
            "abra.sh",
            "export GREETING_VERSION=v1\n\ngreet() {\n  /bin/busybox echo \"hello $1\"\n}\n\nhere() {\n  echo \"here $1\"\n}\n",
        ),
        ("greeting.txt", "hello\n"),
        ("README.md", "# tiny\n<!-- metadata -->\n<!-- endmetadata -->\n"),
    ];
    Builder::new()
        .files(files)
        .commit("First")
        .tag_annotated("1.0.0+1", "1.0.0+1")
        .files([("release/1.1.0+1", "Nothing to do.\n")])
        .commit("Second")
        .tag_annotated("1.1.0+1", "1.1.0+1")
        .branch("main")
}

/// One app of one recipe. What it made on the swarm goes when it is dropped.
pub(crate) struct World {
    dir: tempfile::TempDir,
    pub(crate) domain: String,
    pub(crate) stack: String,
}

/// What a call said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) all: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let stdout = text(&output.stdout);
        Self { code: output.status.code().unwrap_or(-1), all: format!("{}{stdout}", text(&output.stderr)), stdout }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let start = self.stdout.find(['[', '{']).unwrap_or_else(|| panic!("no JSON in {}", self.all));
        serde_json::from_str(&self.stdout[start..]).unwrap()
    }

    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.all);
        self
    }

    /// The call failed as every abra call does: exit code 1, and a line that says FATA.
    #[track_caller]
    pub(crate) fn fatal(self, words: &str) {
        assert_eq!(self.code, 1, "{}", self.all);
        assert!(self.all.contains("FATA") && self.all.contains(words), "{}", self.all);
    }
}

impl World {
    /// The recipe is there, the server is known, the app is not yet made. `name` is the test's own.
    pub(crate) fn with(name: &str, recipe: &Builder) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("recipes")).unwrap();
        std::fs::create_dir(dir.path().join("catalogue")).unwrap();
        std::fs::write(dir.path().join("catalogue/recipes.json"), "{}").unwrap();
        recipe.build(&dir.path().join("recipes/tiny")).unwrap();
        let domain = format!("{name}-{}.contract.localhost", std::process::id());
        let mut stack = domain.replace('.', "_");
        stack.truncate(45);
        let world = Self { dir, domain, stack };
        world.abra(&["server", "add", "--local"]).fine();
        world
    }

    /// The same with the app made from the newest release and its secrets generated.
    pub(crate) fn made(name: &str, recipe: &Builder) -> Self {
        let world = Self::with(name, recipe);
        world.new_app(&[]).fine();
        world.abra(&["app", "secret", "generate", &world.domain, "--all", "-m", "-C", "-o", "-n"]).fine();
        world
    }

    pub(crate) fn new_app(&self, more: &[&str]) -> Said {
        let domain = format!("--domain={}", self.domain);
        let mut words = vec!["app", "new", "tiny", "--server=default", &domain, "-n", "-o"];
        words.extend(more);
        self.abra(&words)
    }

    /// A deploy as cc-ci does it, with the words given in place of its own.
    pub(crate) fn deploy(&self, more: &[&str]) -> Said {
        let mut words = vec!["app", "deploy", &self.domain, "-n", "-o", "--no-domain-checks"];
        words.extend(more);
        self.abra(&words)
    }

    pub(crate) fn abra(&self, words: &[&str]) -> Said {
        self.otherwise("", words)
    }

    /// abra-lite doing the other thing at these points.
    pub(crate) fn otherwise(&self, points: &str, words: &[&str]) -> Said {
        let mut call = Command::new(program());
        call.args(words).env("ABRA_DIR", self.dir.path()).env(OTHERWISE, points).stdin(Stdio::null());
        Said::of(&call.output().unwrap())
    }

    /// The same on a terminal.
    pub(crate) fn on_a_terminal(&self, words: &[&str]) -> Said {
        self.otherwise_on_a_terminal("", words)
    }

    pub(crate) fn otherwise_on_a_terminal(&self, points: &str, words: &[&str]) -> Said {
        let (program, points) = (program(), format!("{OTHERWISE}={points}"));
        let abra = coopcloud::abra::Abra::new("/usr/bin/env".into(), self.dir.path().to_owned());
        let mut all = vec![points.as_str(), program.to_str().unwrap()];
        all.extend(words);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let call = runtime.block_on(abra.terminal(&all, Duration::from_secs(120))).unwrap();
        Said { code: call.exit.unwrap_or(-1), stdout: call.stdout().to_owned(), all: call.output().to_owned() }
    }

    /// A command in a container of the service `app`.
    pub(crate) fn inside(&self, words: &[&str]) -> Said {
        let mut all = vec!["app", "run", "--no-tty", &self.domain, "app", "--"];
        all.extend(words);
        self.abra(&all)
    }

    pub(crate) fn recipe(&self) -> PathBuf {
        self.dir.path().join("recipes/tiny")
    }

    pub(crate) fn env_file(&self) -> PathBuf {
        self.dir.path().join(format!("servers/default/{}.env", self.domain))
    }

    pub(crate) fn env(&self) -> String {
        std::fs::read_to_string(self.env_file()).unwrap()
    }

    /// `docker` with its output, trimmed.
    pub(crate) fn docker(&self, words: &[&str]) -> String {
        docker(words)
    }

    /// One label of the service `app`.
    pub(crate) fn label(&self, name: &str) -> String {
        let format = format!("{{{{index .Spec.Labels \"coop-cloud.{}.{name}\"}}}}", self.stack);
        docker(&["service", "inspect", "-f", &format, &format!("{}_app", self.stack)])
    }

    pub(crate) fn secrets(&self) -> String {
        docker(&["secret", "ls", "--filter", &format!("name={}_", self.stack), "--format", "{{.Name}}"])
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let stack = base::names::StackName::try_from(self.stack.clone()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let left = runtime.block_on(async {
            let swarm = swarm::Swarm::connect().await.unwrap();
            let until = std::time::Instant::now() + Duration::from_secs(60);
            swarm.remove(&stack, swarm::Removal::Kill, until).await.unwrap()
        });
        if !std::thread::panicking() {
            assert!(left.is_empty(), "{left:?}");
        }
    }
}

fn docker(words: &[&str]) -> String {
    let output = Command::new("docker").args(words).output().unwrap();
    assert!(output.status.success(), "docker {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn git(dir: &Path, words: &[&str]) -> String {
    let output = Command::new("git").args(words).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
