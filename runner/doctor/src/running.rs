//! The probes that need a running app, and those that also need the backup bot.

use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::names::Domain;
use coopcloud::abra::{Point, ProbeAnswer};
use coopcloud::snapshot_id::SnapshotId;
use swarm::{Bot, Swarm};

use super::probe::{Asking, CALL, CallEnd, by_words, recipe, unknown};
use host::repository::beside_backups;

/// The points that a running app answers.
const OF_APP: [Point; 3] = [Point::RunWantsTerminal, Point::RunGoesByPrefix, Point::PostCommandsWantTerminal];
/// The points that also need the bot.
const OF_BOT: [Point; 3] = [Point::BotGoesByDomain, Point::BackupListIsShort, Point::RestoreRunsHooks];
/// Timeout of the app's start.
const UP: Duration = Duration::from_secs(30);
/// Messages about a missing terminal.
pub(super) const NO_TERMINAL: [&str; 3] = ["ioctl", "not a tty", "terminal"];
/// Files written by a command, a backup and a hook.
const BY_COMMAND: &str = "/tmp/by-command";
const SAVED: &str = "/data/saved-by-the-probe";
const BY_HOOK: &str = "/data/by-hook";

/// Two idle services, the name of one being a prefix of the other's. The labels are those of a service.
pub(super) fn compose(image: &str, labels: &str) -> String {
    let service = format!("image: {image}\n    entrypoint: [tail, -f, /dev/null]\n    networks: [internal]");
    format!(
        r#"version: "3.8"
services:
  app:
    {service}
    volumes: ["data:/data"]
    deploy:
      endpoint_mode: dnsrr
      labels:
        - "coop-cloud.${{STACK_NAME}}.version=1.0.0+1"
        - "coop-cloud.${{STACK_NAME}}.timeout=30"
        - "backupbot.backup=true"
        - "backupbot.restore.post-hook=touch {BY_HOOK}"
{labels}  app2:
    {service}
    deploy:
      endpoint_mode: dnsrr
      labels:
{labels}networks: {{ internal: }}
volumes: {{ data: }}
"#
    )
}

/// The function of abra.sh that a command after a deployment calls.
pub(super) fn function() -> String {
    format!("command_of_the_probe() {{\n  touch {BY_COMMAND}\n}}\n")
}

impl Asking {
    /// Probes with an app of a short name, and the bot with one of a long name as well.
    pub(super) async fn running(&mut self, swarm: &Swarm) -> Result<(), Failure> {
        let short = self.short.clone();
        self.abra.app_new(&recipe()?, &short, CALL).await?;
        if let Err(failure) = self.comes_up(swarm, &short).await {
            OF_APP.into_iter().chain(OF_BOT).for_each(|point| self.say(point, unknown(&failure.what)));
            return Ok(());
        }
        self.run(&short).await?;
        // If it reached the command, it has waited until the app ran again.
        let is_up = self.after_a_deploy(swarm, &short).await?;
        let up = if is_up { Ok(()) } else { self.comes_up(swarm, &short).await };
        let why = match (swarm.backup_bot().await?, up) {
            (Bot::Here { .. }, Ok(())) => return self.bot(swarm, &short).await,
            (Bot::Here { .. }, Err(failure)) => failure.what,
            (Bot::Elsewhere { node }, _) => format!("the backup bot runs on the node {node}"),
            (Bot::None | Bot::Stopped { .. }, _) => "no backup bot runs".to_owned(),
        };
        OF_BOT.into_iter().for_each(|point| self.say(point, unknown(&why)));
        Ok(())
    }

    /// Deploys an app, and waits until it runs.
    async fn comes_up(&self, swarm: &Swarm, domain: &Domain) -> Result<(), Failure> {
        swarm.ensure(std::slice::from_ref(&self.image), &mut |_| {}).await?;
        let stack = domain.stack();
        let before = swarm.before(&stack).await?;
        let mut watch = swarm.watch(&stack).await?;
        let call = self.abra.app_deploy(domain, CALL).await?;
        if !call.ok() {
            return Err(Failure::new(Kind::AbraUnusable, format!("it deploys no app: {}", call.shown()), ""));
        }
        watch.settled(&before, Instant::now() + UP, &mut |_: &str| {}).await.map(drop)
    }

    async fn run(&mut self, domain: &Domain) -> Result<(), Failure> {
        let domain = domain.as_str();
        let ended = self.ended(&["app", "run", domain, "app2", "--", "true"]).await?;
        self.say(Point::RunWantsTerminal, by_words(&ended, &NO_TERMINAL));
        // One name begins with app2, and two begin with app.
        let alone = self.ended(&["app", "run", "--no-tty", domain, "app2", "--", "true"]).await?;
        let among = self.ended(&["app", "run", "--no-tty", domain, "app", "--", "true"]).await?;
        let answer = match (alone.is_fine, among.is_fine) {
            (true, true) => ProbeAnswer::Otherwise,
            (true, false) => ProbeAnswer::AsTold,
            (false, _) => unknown(&alone.said),
        };
        self.say(Point::RunGoesByPrefix, answer);
        Ok(())
    }

    /// A command in the env file, after a deployment that abra itself waits for; returns whether abra reached the
    /// command.
    async fn after_a_deploy(&mut self, swarm: &Swarm, domain: &Domain) -> Result<bool, Failure> {
        self.add_to_env(domain, "POST_DEPLOY_CMDS=\"app2 command_of_the_probe\"\n")?;
        let flags = ["--chaos", "--force", "--no-domain-checks", "--offline", "--no-input"];
        let words = [&["app", "deploy", domain.as_str()][..], &flags].concat();
        let ended = self.ended_within(&words, UP + CALL).await?;
        let is_there = self.inside(swarm, domain, "app2", &format!("test -e {BY_COMMAND}")).await?;
        let answer = match by_words(&ended, &NO_TERMINAL) {
            ProbeAnswer::Otherwise if !is_there => unknown("the deploy ended well, and the command did not run"),
            answer => answer,
        };
        let is_up = matches!(answer, ProbeAnswer::AsTold | ProbeAnswer::Otherwise);
        self.say(Point::PostCommandsWantTerminal, answer);
        self.add_to_env(domain, "POST_DEPLOY_CMDS=\n")?;
        Ok(is_up)
    }

    async fn bot(&mut self, swarm: &Swarm, short: &Domain) -> Result<(), Failure> {
        self.inside(swarm, short, "app", &format!("echo saved >{SAVED}")).await?;
        // Runs that remove snapshots exclude backups meanwhile.
        let turn = beside_backups(swarm, Instant::now() + UP).await.ok().flatten();
        let made = self.backup(short).await?;
        if !made.is_fine {
            OF_BOT.into_iter().for_each(|point| self.say(point, unknown(&made.said)));
            return Ok(());
        }
        let list = ["app", "backup", "list", short.as_str(), "--chaos", "--offline", "--no-input"];
        let names = |call: &coopcloud::abra::Call| call.output().contains(SAVED.rsplit('/').next().unwrap_or(SAVED));
        let few = self.abra.terminal(&list, CALL).await?;
        let answer = if names(&few) {
            ProbeAnswer::Otherwise
        } else {
            let all = self.abra.terminal(&[&list[..], &["--all"]].concat(), CALL).await?;
            if few.ok() && names(&all) { ProbeAnswer::AsTold } else { unknown(all.shown()) }
        };
        self.say(Point::BackupListIsShort, answer);

        let restored = self.abra.restore(short, UP).await?;
        let has_run = self.inside(swarm, short, "app", &format!("test -e {BY_HOOK}")).await?;
        let answer = match (restored.ok(), has_run) {
            (true, true) => ProbeAnswer::AsTold,
            (true, false) => unknown("the hook left no file: it was not run, or needs a bash that the image lacks"),
            (false, _) => unknown(restored.shown()),
        };
        self.say(Point::RestoreRunsHooks, answer);

        let long = self.domain.clone();
        let answer = match self.comes_up(swarm, &long).await {
            Err(failure) => unknown(&failure.what),
            // An app with an uncut name was backed up a moment before.
            Ok(()) if self.backup(&long).await?.is_fine => ProbeAnswer::Otherwise,
            Ok(()) => ProbeAnswer::AsTold,
        };
        drop(turn);
        self.say(Point::BotGoesByDomain, answer);
        Ok(())
    }

    /// A backup, whose snapshots are recorded.
    async fn backup(&self, domain: &Domain) -> Result<CallEnd, Failure> {
        let call = self.abra.backup_create(domain, UP).await?;
        let ids = SnapshotId::saved_in(call.output());
        self.scratch.made(&ids)?;
        if call.ok() && ids.is_empty() {
            tracing::warn!(
                "the backup bot did not report which snapshot of {domain} it created: it stays in its repository"
            );
        }
        Ok(CallEnd::of(&call))
    }

    /// Whether a shell command in a container of the app exits with 0.
    async fn inside(&self, swarm: &Swarm, domain: &Domain, service: &str, command: &str) -> Result<bool, Failure> {
        let Some(container) = swarm.local_container(&domain.stack(), service).await? else { return Ok(false) };
        let words = ["sh", "-c", command].map(str::to_owned);
        Ok(swarm.exec(&container, &words, &[], Instant::now() + CALL).await?.exit == 0)
    }
}
