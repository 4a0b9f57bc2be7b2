//! `cc-ci doctor --probe-abra`: what the installed abra does at the points where that is not sure, asked of it in a
//! scratch `ABRA_DIR` and a scratch stack whose services want no container. The answers are kept for later runs.
//!
//! What needs a running container or the backup bot is not asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use harness::abra::{Abra, Answer, BEHAVIOURS, Call, Point, Probed, environment, find_program, version_of};
use harness::failure::{Failure, Kind};
use harness::names::Domain;
use harness::swarm::{Removal, Swarm};
use rand::Rng as _;

use crate::deploy::disk;
use crate::settings::Settings;

/// The recipe of the scratch folder.
const RECIPE: &str = "ccci-probe";
/// The same in a repository with SHA-256 commit ids.
const SHA256: &str = "ccci-probe-sha256";
/// How long one call may take: abra may try to reach a network that is not there.
const CALL: Duration = Duration::from_secs(15);
/// How long removing the scratch stack may take.
const REMOVAL: Duration = Duration::from_secs(20);
/// What is seen of a deploy.
const DEPLOYED: [Point; 7] = [
    Point::StackNameCut,
    Point::ExportsByPattern,
    Point::VersionInType,
    Point::PostCommandsAfterWait,
    Point::CleanTreeForDeploys,
    Point::SchemaFirst,
    Point::SchemaFirstForNumbers,
];
/// The flags that are looked for in the help.
const FLAGS: [(&[&str], &str); 2] = [(&["app", "backup", "list"], "--all"), (&["app", "restore"], "--hooks")];

/// Asks, and keeps what was answered.
///
/// # Errors
/// No abra, no swarm, or no disk. What abra refuses is an answer.
pub async fn probe(settings: &Settings) -> Result<Probed, Failure> {
    let program = find_program(settings.abra.as_deref())?;
    let version = version_of(&program).await?;
    let state = settings.state_dir()?;
    std::fs::create_dir_all(&state).map_err(|error| disk("make", &state, &error))?;
    let scratch = tempfile::Builder::new().prefix("probe-").tempdir_in(&state);
    let scratch = scratch.map_err(|error| disk("make a folder in", &state, &error))?;
    let swarm = Swarm::connect().await?;
    let letters: String = (0..6).map(|_| char::from(rand::rng().random_range(b'a'..=b'z'))).collect();
    // Longer than a stack's name may be.
    let domain = format!("probe-{letters}-of-a-name-that-is-longer-than-a-stack-may-be.localhost");
    let domain: Domain = domain.parse().map_err(|error| bug(&format!("{error}")))?;
    let asking = Asking { abra: Abra::new(program, scratch.path().to_owned()), domain, answers: BTreeMap::new() };
    let image = &settings.traefik_image;
    let stack = asking.domain.stack();
    let asked = asking.ask(&swarm, image).await;
    let left = swarm.remove(&stack, Removal::Kill, Instant::now() + REMOVAL).await?;
    if let Some(object) = left.first() {
        let what = format!("{object} of the scratch stack is left");
        return Err(Failure::new(Kind::LeftBehind, what, "docker's own commands for that object"));
    }
    let (answers, flags) = asked?;
    let probed = Probed { version, answers, flags };
    probed.keep(&state).map_err(|error| disk("write to", &state, &error))?;
    Ok(probed)
}

/// The answers for people: each question, what was answered, and what cc-ci does about it.
#[must_use]
pub fn told(probed: &Probed) -> String {
    let mut text = format!("{}\n", probed.version);
    for row in BEHAVIOURS {
        let (mark, answer) = match probed.answers.get(row.name) {
            Some(Answer::AsTold) => ("yes", String::new()),
            Some(Answer::Otherwise) => ("no ", row.otherwise.unwrap_or("it does not").to_owned()),
            Some(Answer::Unknown(why)) => ("?  ", format!("not clear: {why}")),
            None if row.otherwise.is_none() => ("-  ", "not asked: it is sure enough".to_owned()),
            None if row.point == Point::NameWithoutDots => ("-  ", "not asked: no such name reaches abra".to_owned()),
            None => ("-  ", "not asked: it needs a running container".to_owned()),
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

/// How a call ended.
struct Ended {
    is_fine: bool,
    said: String,
}

impl Ended {
    fn of(call: &Call) -> Self {
        Self { is_fine: call.ok(), said: call.shown().to_owned() }
    }
}

/// As told where it was refused, whatever the words.
fn by_refusal(ended: &Ended) -> Answer {
    if ended.is_fine { Answer::Otherwise } else { Answer::AsTold }
}

/// As told where it was refused with one of these words.
fn by_words(ended: &Ended, words: &[&str]) -> Answer {
    let said = ended.said.to_lowercase();
    match (ended.is_fine, words.iter().any(|word| said.contains(word))) {
        (true, _) => Answer::Otherwise,
        (false, true) => Answer::AsTold,
        (false, false) => unknown(&ended.said),
    }
}

fn unknown(said: &str) -> Answer {
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Answer::Unknown(last.trim().chars().take(200).collect())
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
            Err(bug("git makes no scratch repository").with_detail(said))
        }
        Err(error) => Err(bug(&format!("git cannot be started: {error}"))),
    }
}

struct Asking {
    abra: Abra,
    domain: Domain,
    answers: BTreeMap<String, Answer>,
}

type Answers = (BTreeMap<String, Answer>, Vec<String>);

impl Asking {
    async fn ask(mut self, swarm: &Swarm, image: &str) -> Result<Answers, Failure> {
        let flags = self.flags().await?;
        self.write(image, "0", "30s")?;
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
        self.deploys(swarm, image).await?;
        Ok((self.answers, flags))
    }

    fn say(&mut self, point: Point, answer: Answer) {
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

    /// Without a catalogue, abra makes the app, or does not, and has cloned one, or has not.
    async fn catalogue(&mut self, domain: &str) -> Result<(), Failure> {
        let catalogue = self.abra.dir().join("catalogue");
        let removed = match catalogue.is_symlink() {
            true => std::fs::remove_file(&catalogue),
            false => std::fs::remove_dir_all(&catalogue),
        };
        removed.map_err(|error| disk("remove", &catalogue, &error))?;
        let named = format!("--domain={domain}");
        let new = ["app", "new", RECIPE, "--server=default", &named, "--chaos", "--offline", "--no-input"];
        let said = self.call(&new).await?;
        let is_made = self.env_file().exists();
        let answer = match (is_made, catalogue.exists()) {
            (true, false) => Answer::Otherwise,
            (true, true) => Answer::AsTold,
            (false, _) if said.to_lowercase().contains("catalogue") || said.to_lowercase().contains("clone") => {
                Answer::AsTold
            }
            (false, _) => unknown(&said),
        };
        self.say(Point::CatalogueWanted, answer);
        if !is_made {
            // This call sees to one.
            let recipe = RECIPE.parse().map_err(|error: harness::names::NameError| bug(&error.to_string()))?;
            let call = self.abra.app_new(&recipe, &self.domain, CALL).await?;
            if !call.ok() {
                return Err(Failure::new(Kind::AbraUnusable, "abra makes no app of the scratch recipe", "its words")
                    .with_detail(call.shown()));
            }
        }
        Ok(())
    }

    /// What needs neither a secret nor a stack.
    async fn files(&mut self, domain: &str) -> Result<(), Failure> {
        let other = format!("--domain=other-{}", self.domain);
        let new = ["app", "new", RECIPE, "1.0.0+1", "--server=default", &other, "--chaos", "--offline", "--no-input"];
        let answer = by_refusal(&self.ended(&new).await?);
        self.say(Point::NewTakesNoVersionInChaos, answer);
        let lint = ["recipe", "lint", RECIPE, "--chaos", "--offline", "--no-input"];
        let answer = by_words(&self.ended(&lint).await?, &["ioctl", "not a tty", "terminal"]);
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
        std::fs::create_dir_all(&to).map_err(|error| disk("make", &to, &error))?;
        for name in ["compose.yml", ".env.sample", "abra.sh", "README.md", "text"] {
            std::fs::copy(from.join(name), to.join(name)).map_err(|error| disk("write to", &to, &error))?;
        }
        git(&to, &["init", "--quiet", "--object-format=sha256"])?;
        git(&to, &["add", "--all"])?;
        let who = ["-c", "user.name=cc-ci", "-c", "user.email=cc-ci@localhost"];
        git(&to, &[&who[..], &["commit", "--quiet", "--message", "First"]].concat())?;
        let name = SHA256.parse().map_err(|error: harness::names::NameError| bug(&error.to_string()))?;
        let call = self.abra.recipe_lint(&name, CALL).await?;
        self.say(Point::Sha1Only, by_words(&Ended::of(&call), &["objectformat"]));
        Ok(())
    }

    async fn secrets(&mut self) -> Result<(), Failure> {
        let first = self.abra.secret_generate(&self.domain, CALL).await?;
        let second = self.abra.secret_generate(&self.domain, CALL).await?;
        let answer = match (first.ok(), second.ok()) {
            (false, _) => unknown(first.shown()),
            (true, true) => Answer::Otherwise,
            (true, false) => Answer::AsTold,
        };
        self.say(Point::GenerateNothingFails, answer);
        Ok(())
    }

    /// A stack with no container.
    async fn deploys(&mut self, swarm: &Swarm, image: &str) -> Result<(), Failure> {
        let call = self.abra.app_deploy(&self.domain, CALL).await?;
        let stack = self.domain.stack();
        let services = swarm.services(&stack).await?;
        if services.iter().all(|name| name != "app") {
            DEPLOYED.into_iter().for_each(|point| self.say(point, unknown(call.shown())));
            return Ok(());
        }
        self.say(Point::StackNameCut, Answer::AsTold);
        let configs = self.configs(swarm, stack.as_str()).await?;
        let has = |end: &str| configs.iter().any(|name| *name == stack.object(end));
        self.say(
            Point::ExportsByPattern,
            match (has("indented_none"), has("indented_v1")) {
                (true, _) => Answer::AsTold,
                (false, true) => Answer::Otherwise,
                (false, false) => unknown(&configs.join(" ")),
            },
        );
        let env = std::fs::read_to_string(self.env_file()).unwrap_or_default();
        let has_version = env.lines().any(|line| line.starts_with(&format!("TYPE={RECIPE}:")));
        self.say(Point::VersionInType, if has_version { Answer::AsTold } else { Answer::Otherwise });

        // Its container is not there, so that the command fails where it is run.
        let mut text = env;
        text.push_str("POST_DEPLOY_CMDS=\"app probe\"\n");
        std::fs::write(self.env_file(), &text).map_err(|error| disk("write", &self.env_file(), &error))?;
        let call = self.abra.app_deploy(&self.domain, CALL).await?;
        self.say(Point::PostCommandsAfterWait, if call.ok() { Answer::AsTold } else { Answer::Otherwise });

        let text = text.replace("POST_DEPLOY_CMDS", "NO_CMDS");
        std::fs::write(self.env_file(), text).map_err(|error| disk("write", &self.env_file(), &error))?;
        let again = ["--force", "--no-converge-checks", "--no-domain-checks", "--offline", "--no-input"];
        let ended = self.ended(&[&["app", "deploy", self.domain.as_str()][..], &again].concat()).await?;
        self.say(Point::CleanTreeForDeploys, by_words(&ended, &["unstaged"]));
        self.write(image, "0", "\"${EVERY:-30s}\"")?;
        let call = self.abra.app_deploy(&self.domain, CALL).await?;
        self.say(Point::SchemaFirst, by_words(&Ended::of(&call), &["duration"]));
        self.write(image, "\"${COPIES:-0}\"", "30s")?;
        let call = self.abra.app_deploy(&self.domain, CALL).await?;
        let answer = by_words(&Ended::of(&call), &["integer", "number", "replicas"]);
        self.say(Point::SchemaFirstForNumbers, answer);
        Ok(())
    }

    async fn configs(&self, swarm: &Swarm, stack: &str) -> Result<Vec<String>, Failure> {
        let all = swarm.docker().list_configs(None::<bollard::query_parameters::ListConfigsOptions>).await;
        let all = all.map_err(|error| Failure::new(Kind::EngineUnreachable, error.to_string(), "docker config ls"))?;
        let names = all.into_iter().filter_map(|config| config.spec?.name);
        Ok(names.filter(|name| name.starts_with(stack)).collect())
    }

    fn env_file(&self) -> std::path::PathBuf {
        self.abra.env_file(&self.domain)
    }

    fn put(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.abra.dir().join("recipes").join(RECIPE).join(name);
        std::fs::write(&path, text).map_err(|error| disk("write", &path, &error))
    }

    /// The recipe's files.
    fn write(&self, image: &str, replicas: &str, interval: &str) -> Result<(), Failure> {
        let folder = self.abra.dir().join("recipes").join(RECIPE);
        std::fs::create_dir_all(&folder).map_err(|error| disk("make", &folder, &error))?;
        let compose = format!(
            r#"version: "3.8"
services:
  app:
    image: {image}
    command: ["true"]
    networks: [internal]
    configs: [plain, indented]
    secrets: [value]
    healthcheck: {{ test: ["CMD", "true"], interval: {interval} }}
    deploy:
      replicas: {replicas}
      endpoint_mode: dnsrr
      labels:
        - "coop-cloud.${{STACK_NAME}}.version=1.0.0+1"
networks: {{ internal: }}
configs:
  plain: {{ name: "${{STACK_NAME}}_plain_${{PLAIN_VERSION:-none}}", file: text }}
  indented: {{ name: "${{STACK_NAME}}_indented_${{INDENTED_VERSION:-none}}", file: text }}
secrets:
  value: {{ external: true, name: "${{STACK_NAME}}_value_${{SECRET_VALUE_VERSION}}" }}
"#
        );
        self.put("compose.yml", &compose)?;
        self.put(
            ".env.sample",
            "TYPE=ccci-probe\nDOMAIN=probe.example.com\nLETS_ENCRYPT_ENV=\nSECRET_VALUE_VERSION=v1\n",
        )?;
        self.put("abra.sh", "export PLAIN_VERSION=v1\n  export INDENTED_VERSION=v1\nprobe() {\n  true\n}\n")?;
        self.put("README.md", "# ccci-probe\n")?;
        self.put("text", "probe\n")
    }

    fn git(&self, words: &[&str]) -> Result<(), Failure> {
        git(&self.abra.dir().join("recipes").join(RECIPE), words)
    }

    /// A call without a terminal, and without what the wrapper sees to: whether it ended well, and its words.
    async fn ended(&self, words: &[&str]) -> Result<Ended, Failure> {
        let program = self.abra.program();
        let mut command = tokio::process::Command::new(program);
        command.args(words).env_clear().envs(environment(self.abra.dir())).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(CALL, command.output()).await;
        let text = |output: &std::process::Output| {
            format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
        };
        match output {
            Err(_) => Ok(Ended { is_fine: false, said: format!("no end after {} s", CALL.as_secs()) }),
            Ok(Ok(output)) => Ok(Ended { is_fine: output.status.success(), said: text(&output) }),
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
        let ended = |is_fine, said: &str| by_words(&Ended { is_fine, said: said.to_owned() }, &["unstaged"]);
        assert_eq!(ended(false, "FATA x has locally UNSTAGED changes"), Answer::AsTold);
        assert_eq!(ended(true, "[]"), Answer::Otherwise);
        assert_eq!(ended(false, "FATA no route to host\n\n"), Answer::Unknown("FATA no route to host".to_owned()));
    }

    #[test]
    fn each_question_is_told_with_its_answer() {
        let answers = BTreeMap::from([
            ("generate-nothing-fails".to_owned(), Answer::Otherwise),
            ("clean-tree-for-all".to_owned(), Answer::AsTold),
            ("exports-by-pattern".to_owned(), Answer::Unknown("no deploy".to_owned())),
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
