//! `cc-ci doctor --probe-abra`: tests how the installed abra behaves where that is uncertain, in a scratch `ABRA_DIR`
//! with scratch stacks: first one whose services have no replicas, then one that runs. The answers are stored for later
//! runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base::failure::{Failure, Kind};
use base::names::{Domain, NameError, RecipeName};
use coopcloud::abra::{Abra, BEHAVIOURS, Call, Point, ProbeAnswer, Probed, environment, find_program, version_of};
use rand::Rng as _;
use swarm::Swarm;
use tokio_util::sync::CancellationToken;

use super::running::{self, NO_TERMINAL};
use super::scratch::Scratch;
use host::queue::Runner;

/// The recipe of the scratch folder.
const RECIPE: &str = "ccci-probe";
/// The same in a repository with SHA-256 commit ids.
const SHA256: &str = "ccci-probe-sha256";
/// Timeout of one call: abra may try to reach an unavailable network.
pub(super) const CALL: Duration = Duration::from_secs(15);
/// Timeout of all calls, without the removal.
const ALL: Duration = Duration::from_secs(80);
/// The points that a deployment answers.
const DEPLOYED: [Point; 7] = [
    Point::StackNameCut,
    Point::ExportsByPattern,
    Point::VersionInType,
    Point::PostCommandsAfterWait,
    Point::CleanTreeForDeploys,
    Point::SchemaFirst,
    Point::SchemaFirstForNumbers,
];
/// The flags that the help is searched for.
const FLAGS: [(&[&str], &str); 2] = [(&["app", "backup", "list"], "--all"), (&["app", "restore"], "--hooks")];

/// Probes, and stores the answers; `None` if it was cancelled. Everything that it created is removed in either case.
///
/// # Errors
/// No abra, no swarm, or no disk space. A refusal of abra is an answer.
pub async fn probe(runner: &Runner, cancel: &CancellationToken) -> Result<Option<Probed>, Failure> {
    let program = find_program(runner.settings.abra.as_deref())?;
    let version = version_of(&program).await?;
    let swarm = Swarm::connect().await?;
    let scratch = Scratch::make(&swarm, runner, ALL).await?;
    let letters: String = (0..6).map(|_| char::from(rand::rng().random_range(b'a'..=b'z'))).collect();
    let domain = |name: &str| -> Result<Domain, Failure> {
        format!("probe-{letters}{name}.localhost").parse().map_err(|error: NameError| bug(&error.to_string()))
    };
    let mut asking = Asking {
        abra: Abra::new(program, scratch.abra()),
        domain: domain("-of-a-name-that-is-longer-than-stacks-may-be")?,
        short: domain("")?,
        image: runner.settings.traefik_image.clone(),
        scratch,
        answers: BTreeMap::new(),
        flags: Vec::new(),
    };
    let asked = tokio::select! {
        asked = tokio::time::timeout(ALL, asking.ask(&swarm)) => Some(asked),
        () = cancel.cancelled() => None,
    };
    let Asking { scratch, mut answers, flags, .. } = asking;
    scratch.end().await?;
    match asked {
        None => return Ok(None),
        Some(Ok(asked)) => asked?,
        Some(Err(_)) => {
            for row in BEHAVIOURS {
                let late = || ProbeAnswer::Unknown("the timeout ended before it was probed".to_owned());
                answers.entry(row.name.to_owned()).or_insert_with(late);
            }
        }
    }
    let probed = Probed { version, answers, flags };
    probed.keep(&runner.state).map_err(|error| Failure::disk("write to", &runner.state, &error))?;
    Ok(Some(probed))
}

pub(super) fn recipe() -> Result<RecipeName, Failure> {
    RECIPE.parse().map_err(|error: NameError| bug(&error.to_string()))
}

/// The answers for people: each question, its answer, and how cc-ci handles it.
pub fn told(probed: &Probed) -> String {
    let mut text = format!("{}\n", probed.version);
    for row in BEHAVIOURS {
        let (mark, answer) = match probed.answers.get(row.name) {
            Some(ProbeAnswer::AsTold) => ("yes", String::new()),
            Some(ProbeAnswer::Otherwise) => ("no ", row.otherwise.unwrap_or("it does not").to_owned()),
            Some(ProbeAnswer::Unknown(why)) => ("?  ", format!("not clear: {why}")),
            None if row.otherwise.is_none() => ("-  ", "not probed: it is certain enough".to_owned()),
            None if row.point == Point::NameWithoutDots => ("-  ", "not probed: no such name reaches abra".to_owned()),
            None => ("-  ", "not asked".to_owned()),
        };
        let _ = writeln!(text, "\n{mark} {}: {}", row.name, row.does);
        if !answer.is_empty() {
            let _ = writeln!(text, "    {answer}");
        }
        let _ = writeln!(text, "    cc-ci: {}", row.so);
    }
    for (command, flag) in FLAGS {
        let flag = format!("{} {flag}", command.join(" "));
        let (mark, so) = if probed.has(&flag) { ("yes", "is given") } else { ("no ", "is not given") };
        let _ = writeln!(text, "\n{mark} its help lists {flag}: it {so}");
    }
    text
}

/// The result of a call.
pub(super) struct CallEnd {
    pub(super) is_fine: bool,
    pub(super) said: String,
}

impl CallEnd {
    pub(super) fn of(call: &Call) -> Self {
        Self { is_fine: call.ok(), said: call.shown().to_owned() }
    }
}

/// Confirmed if it was refused, with any message.
fn by_refusal(ended: &CallEnd) -> ProbeAnswer {
    if ended.is_fine { ProbeAnswer::Otherwise } else { ProbeAnswer::AsTold }
}

/// Confirmed if it was refused with one of these messages.
pub(super) fn by_words(ended: &CallEnd, words: &[&str]) -> ProbeAnswer {
    let said = ended.said.to_lowercase();
    match (ended.is_fine, words.iter().any(|word| said.contains(word))) {
        (true, _) => ProbeAnswer::Otherwise,
        (false, true) => ProbeAnswer::AsTold,
        (false, false) => unknown(&ended.said),
    }
}

pub(super) fn unknown(said: &str) -> ProbeAnswer {
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it printed nothing");
    ProbeAnswer::Unknown(last.trim().chars().take(200).collect())
}

fn bug(what: &str) -> Failure {
    Failure::new(Kind::Bug, what, "please report it")
}

fn git(folder: &Path, words: &[&str]) -> Result<(), Failure> {
    let ran = duct::cmd("git", words).dir(folder).stdin_null().stdout_null().stderr_capture().unchecked().run();
    match ran {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(bug("git cannot create a scratch repository").with_detail(said))
        }
        Err(error) => Err(bug(&format!("git cannot be started: {error}"))),
    }
}

pub(super) struct Asking {
    pub(super) abra: Abra,
    /// Longer than a stack's name may be, and cut within a word: no config's name ends in a hyphen.
    pub(super) domain: Domain,
    pub(super) short: Domain,
    /// The image of its containers, if there are any.
    pub(super) image: String,
    pub(super) scratch: Scratch,
    answers: BTreeMap<String, ProbeAnswer>,
    flags: Vec<String>,
}

impl Asking {
    async fn ask(&mut self, swarm: &Swarm) -> Result<(), Failure> {
        self.flags = self.flags().await?;
        let recipe = recipe()?;
        for domain in [self.domain.clone(), self.short.clone()] {
            self.scratch.claim(&domain, &recipe).await?;
        }
        self.write("0", "30s")?;
        self.git(&["init", "--quiet"])?;
        self.git(&["add", "--all"])?;
        let who = ["-c", "user.name=cc-ci", "-c", "user.email=cc-ci@localhost"];
        self.git(&[&who[..], &["commit", "--quiet", "--message", "First"]].concat())?;
        self.git(&[&who[..], &["tag", "--annotate", "--message", "First", "1.0.0+1"]].concat())?;
        self.abra.server_add_local(CALL).await?;
        let domain = self.domain.to_string();
        self.catalogue(&domain).await?;
        self.files(&domain).await?;
        self.sha256().await?;
        self.secrets().await?;
        self.deploys(swarm).await?;
        let labels: String =
            self.scratch.labels().iter().map(|(name, value)| format!("        - \"{name}={value}\"\n")).collect();
        self.put("compose.yml", &running::compose(&self.image, &labels))?;
        self.running(swarm).await
    }

    pub(super) fn say(&mut self, point: Point, answer: ProbeAnswer) {
        self.answers.insert(point.row().name.to_owned(), answer);
    }

    async fn flags(&self) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        for (command, flag) in FLAGS {
            let help = self.call(&[command, &["--help"]].concat()).await?;
            if help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == flag) {
                found.push(format!("{} {flag}", command.join(" ")));
            }
        }
        Ok(found)
    }

    /// Without a catalogue, abra either creates the app or not, and either clones the catalogue or not.
    async fn catalogue(&mut self, domain: &str) -> Result<(), Failure> {
        let catalogue = self.abra.dir().join("catalogue");
        let removed = match catalogue.is_symlink() {
            true => std::fs::remove_file(&catalogue),
            false => std::fs::remove_dir_all(&catalogue),
        };
        removed.map_err(|error| Failure::disk("remove", &catalogue, &error))?;
        let named = format!("--domain={domain}");
        let new = ["app", "new", RECIPE, "--server=default", &named, "--chaos", "--offline", "--no-input"];
        let said = self.call(&new).await?;
        let is_made = self.abra.env_file(&self.domain).exists();
        let answer = match (is_made, catalogue.exists()) {
            (true, false) => ProbeAnswer::Otherwise,
            (true, true) => ProbeAnswer::AsTold,
            (false, _) if said.to_lowercase().contains("catalogue") || said.to_lowercase().contains("clone") => {
                ProbeAnswer::AsTold
            }
            (false, _) => unknown(&said),
        };
        self.say(Point::CatalogueWanted, answer);
        if !is_made {
            // This call provides one.
            let call = self.abra.app_new(&recipe()?, &self.domain, CALL).await?;
            if !call.ok() {
                return Err(Failure::new(
                    Kind::AbraUnusable,
                    "abra cannot create an app of the scratch recipe",
                    "its words",
                )
                .with_detail(call.shown()));
            }
        }
        Ok(())
    }

    /// The points that need neither a secret nor a stack.
    async fn files(&mut self, domain: &str) -> Result<(), Failure> {
        let other = format!("--domain=other-{}", self.domain);
        let new = ["app", "new", RECIPE, "1.0.0+1", "--server=default", &other, "--chaos", "--offline", "--no-input"];
        let answer = by_refusal(&self.ended(&new).await?);
        self.say(Point::NewTakesNoVersionInChaos, answer);
        let lint = ["recipe", "lint", RECIPE, "--chaos", "--offline", "--no-input"];
        let answer = by_words(&self.ended(&lint).await?, &NO_TERMINAL);
        self.say(Point::TerminalWanted, answer);
        self.put("untracked.txt", "x")?;
        let list = ["app", "secret", "ls", domain, "--machine", "--offline", "--no-input"];
        let answer = by_words(&self.ended(&list).await?, &["unstaged"]);
        self.say(Point::CleanTreeForAll, answer);
        Ok(())
    }

    /// The same recipe in a repository with SHA-256 commit ids.
    async fn sha256(&mut self) -> Result<(), Failure> {
        let recipes = self.abra.dir().join("recipes");
        let (from, to) = (recipes.join(RECIPE), recipes.join(SHA256));
        std::fs::create_dir_all(&to).map_err(|error| Failure::disk("make", &to, &error))?;
        for name in ["compose.yml", ".env.sample", "abra.sh", "README.md", "text"] {
            std::fs::copy(from.join(name), to.join(name)).map_err(|error| Failure::disk("write to", &to, &error))?;
        }
        git(&to, &["init", "--quiet", "--object-format=sha256"])?;
        git(&to, &["add", "--all"])?;
        let who = ["-c", "user.name=cc-ci", "-c", "user.email=cc-ci@localhost"];
        git(&to, &[&who[..], &["commit", "--quiet", "--message", "First"]].concat())?;
        let name = SHA256.parse().map_err(|error: base::names::NameError| bug(&error.to_string()))?;
        let call = self.abra.recipe_lint(&name, CALL).await?;
        self.say(Point::Sha1Only, by_words(&CallEnd::of(&call), &["objectformat"]));
        Ok(())
    }

    async fn secrets(&mut self) -> Result<(), Failure> {
        let first = self.abra.secret_generate(&self.domain, CALL).await?;
        let second = self.abra.secret_generate(&self.domain, CALL).await?;
        let answer = match (first.ok(), second.ok()) {
            (false, _) => unknown(first.shown()),
            (true, true) => ProbeAnswer::Otherwise,
            (true, false) => ProbeAnswer::AsTold,
        };
        self.say(Point::GenerateNothingFails, answer);
        Ok(())
    }

    /// A stack without containers.
    async fn deploys(&mut self, swarm: &Swarm) -> Result<(), Failure> {
        let call = self.abra.app_deploy(&self.domain, CALL).await?;
        let stack = self.domain.stack();
        let services = swarm.services(&stack).await?;
        if services.iter().all(|name| name != "app") {
            DEPLOYED.into_iter().for_each(|point| self.say(point, unknown(call.shown())));
            return Ok(());
        }
        self.say(Point::StackNameCut, ProbeAnswer::AsTold);
        let configs = self.configs(swarm, stack.as_str()).await?;
        let has = |end: &str| configs.iter().any(|name| *name == stack.object(end));
        self.say(
            Point::ExportsByPattern,
            match ["none", "v1"].map(|value| ["indented", "quoted"].map(|name| has(&format!("{name}_{value}")))) {
                [[true, true], _] => ProbeAnswer::AsTold,
                [_, [true, true]] => ProbeAnswer::Otherwise,
                _ => unknown(&configs.join(" ")),
            },
        );
        let env = std::fs::read_to_string(self.abra.env_file(&self.domain)).unwrap_or_default();
        let has_version = env.lines().any(|line| line.starts_with(&format!("TYPE={RECIPE}:")));
        self.say(Point::VersionInType, if has_version { ProbeAnswer::AsTold } else { ProbeAnswer::Otherwise });

        // It has no container, so that the command fails on execution.
        let domain = self.domain.clone();
        self.add_to_env(&domain, "POST_DEPLOY_CMDS=\"app command_of_the_probe\"\n")?;
        let call = self.abra.app_deploy(&self.domain, CALL).await?;
        self.say(Point::PostCommandsAfterWait, if call.ok() { ProbeAnswer::AsTold } else { ProbeAnswer::Otherwise });

        // The last assignment of a name counts.
        self.add_to_env(&domain, "POST_DEPLOY_CMDS=\n")?;
        let again = ["--force", "--no-converge-checks", "--no-domain-checks", "--offline", "--no-input"];
        let ended = self.ended(&[&["app", "deploy", self.domain.as_str()][..], &again].concat()).await?;
        self.say(Point::CleanTreeForDeploys, by_words(&ended, &["unstaged"]));
        self.write("0", "\"${EVERY:-30s}\"")?;
        let call = self.abra.app_deploy(&self.domain, CALL).await?;
        self.say(Point::SchemaFirst, by_words(&CallEnd::of(&call), &["duration"]));
        self.write("\"${COPIES:-0}\"", "30s")?;
        let call = self.abra.app_deploy(&self.domain, CALL).await?;
        let answer = by_words(&CallEnd::of(&call), &["integer", "number", "replicas"]);
        self.say(Point::SchemaFirstForNumbers, answer);
        Ok(())
    }

    async fn configs(&self, swarm: &Swarm, stack: &str) -> Result<Vec<String>, Failure> {
        let all = swarm.docker().list_configs(None::<bollard::query_parameters::ListConfigsOptions>).await;
        let all = all.map_err(|error| Failure::new(Kind::EngineUnreachable, error.to_string(), "docker config ls"))?;
        let names = all.into_iter().filter_map(|config| config.spec?.name);
        Ok(names.filter(|name| name.starts_with(stack)).collect())
    }

    pub(super) fn add_to_env(&self, domain: &Domain, line: &str) -> Result<(), Failure> {
        let path = self.abra.env_file(domain);
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::disk("read", &path, &error))?;
        std::fs::write(&path, format!("{text}{line}")).map_err(|error| Failure::disk("write", &path, &error))
    }

    fn put(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.abra.dir().join("recipes").join(RECIPE).join(name);
        std::fs::write(&path, text).map_err(|error| Failure::disk("write", &path, &error))
    }

    fn write(&self, replicas: &str, interval: &str) -> Result<(), Failure> {
        let image = &self.image;
        let labels: String =
            self.scratch.labels().iter().map(|(name, value)| format!("        - \"{name}={value}\"\n")).collect();
        let folder = self.abra.dir().join("recipes").join(RECIPE);
        std::fs::create_dir_all(&folder).map_err(|error| Failure::disk("make", &folder, &error))?;
        let compose = format!(
            r#"version: "3.8"
services:
  app:
    image: {image}
    command: ["true"]
    networks: [internal]
    configs: [indented, quoted]
    secrets: [value]
    healthcheck: {{ test: ["CMD", "true"], interval: {interval} }}
    deploy:
      replicas: {replicas}
      endpoint_mode: dnsrr
      labels:
        - "coop-cloud.${{STACK_NAME}}.version=1.0.0+1"
{labels}networks: {{ internal: }}
configs:
  indented: {{ name: "${{STACK_NAME}}_indented_${{INDENTED_VERSION:-none}}", file: text }}
  quoted: {{ name: "${{STACK_NAME}}_quoted_${{QUOTED_VERSION:-none}}", file: text }}
secrets:
  value: {{ external: true, name: "${{STACK_NAME}}_value_${{SECRET_VALUE_VERSION}}" }}
"#
        );
        self.put("compose.yml", &compose)?;
        self.put(
            ".env.sample",
            "TYPE=ccci-probe\nDOMAIN=probe.example.com\nLETS_ENCRYPT_ENV=\nSECRET_VALUE_VERSION=v1\n",
        )?;
        let exports = "export PLAIN_VERSION=v1\n  export INDENTED_VERSION=v1\nexport QUOTED_VERSION=\"v1\"\n";
        self.put("abra.sh", &format!("{exports}{}", running::function()))?;
        self.put("README.md", "# ccci-probe\n")?;
        self.put("text", "probe\n")
    }

    fn git(&self, words: &[&str]) -> Result<(), Failure> {
        git(&self.abra.dir().join("recipes").join(RECIPE), words)
    }

    /// A call without a terminal and without the wrapper's workarounds: its success and output.
    pub(super) async fn ended(&self, words: &[&str]) -> Result<CallEnd, Failure> {
        self.ended_within(words, CALL).await
    }

    pub(super) async fn ended_within(&self, words: &[&str], limit: Duration) -> Result<CallEnd, Failure> {
        let program = self.abra.program();
        let mut command = tokio::process::Command::new(program);
        command.args(words).env_clear().envs(environment(self.abra.dir())).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(limit, command.output()).await;
        let text = |output: &std::process::Output| {
            format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
        };
        match output {
            Err(_) => Ok(CallEnd { is_fine: false, said: format!("no end after {} s", limit.as_secs()) }),
            Ok(Ok(output)) => Ok(CallEnd { is_fine: output.status.success(), said: text(&output) }),
            Ok(Err(error)) => {
                let what = format!("{} cannot be started: {error}", program.display());
                Err(Failure::new(Kind::AbraUnusable, what, "cc-ci doctor"))
            }
        }
    }

    async fn call(&self, words: &[&str]) -> Result<String, Failure> {
        Ok(self.ended(words).await?.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_abra_says_is_an_answer_or_is_not_clear() {
        let ended = |is_fine, said: &str| by_words(&CallEnd { is_fine, said: said.to_owned() }, &["unstaged"]);
        assert_eq!(ended(false, "FATA x has locally UNSTAGED changes"), ProbeAnswer::AsTold);
        assert_eq!(ended(true, "[]"), ProbeAnswer::Otherwise);
        assert_eq!(ended(false, "FATA no route to host\n\n"), ProbeAnswer::Unknown("FATA no route to host".to_owned()));
    }

    #[test]
    fn each_question_is_told_with_its_answer() {
        let answers = BTreeMap::from([
            ("generate-nothing-fails".to_owned(), ProbeAnswer::Otherwise),
            ("clean-tree-for-all".to_owned(), ProbeAnswer::AsTold),
            ("exports-by-pattern".to_owned(), ProbeAnswer::Unknown("no deploy".to_owned())),
        ]);
        let text =
            told(&Probed { version: "abra 0.13".to_owned(), answers, flags: vec!["app restore --hooks".to_owned()] });
        assert!(text.contains("no  generate-nothing-fails: secret generate --all ends with 1"), "{text}");
        assert!(text.contains("\n    it ends with 0\n    cc-ci: the swarm is asked"), "{text}");
        assert!(text.contains("yes clean-tree-for-all: ") && text.contains("    not clear: no deploy\n"), "{text}");
        assert!(
            text.contains("-   bot-goes-by-domain: ") && text.contains("yes its help lists app restore --hooks"),
            "{text}"
        );
    }
}
