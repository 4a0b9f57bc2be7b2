//! Of each kind of failure: an example as a report says it, and what to do.

use base::failure::Kind;

/// What a maintainer needs beside the kind's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// As a report says it.
    pub example: &'static str,
    /// What to do.
    pub act: &'static str,
}

/// The row of a kind. Exhaustive on purpose: a kind needs its row.
pub fn advice(kind: Kind) -> Advice {
    let (example, act) = match kind {
        Kind::ImageMissing => (
            "the image example/app:9.9 is not here and cannot be pulled, the image does not exist",
            "correct the image's name or tag in the compose file",
        ),
        Kind::CrashLoop => (
            "service app (example/app:2) exited 3 times, last with code 1",
            "read its last log lines in the report, then entrypoint and environment; run it once by hand with the same settings",
        ),
        Kind::NeverHealthy => (
            "service app (example/app:2) was ended 2 times by its healthcheck",
            "run the healthcheck's command in the container: does the image have it, is start_period long enough",
        ),
        Kind::HealthcheckMissing => (
            "the healthcheck of service app calls curl, which its image does not have",
            "call a program that the image has, or take an image that has this one",
        ),
        Kind::SettingMissing => (
            "an operator's env file lacks SITE_MOTTO, which has no default in the compose files",
            "give it a default (`${SITE_MOTTO:-value}`); or raise the major version, or name it in release/VERSION, since operators must act",
        ),
        Kind::OrphanInTheWay => (
            "service web, which the change no longer names, runs on and holds the route of service app",
            "keep the service's name, or write the printed `docker service rm` into the release note",
        ),
        Kind::RollbackFailed => (
            "the base does not come up on the volumes that the change has written",
            "mend what cannot go back, or take [rollback] out of recipe.toml and say in the release note that there is no way back",
        ),
        Kind::NotRecovered => (
            "the app does not recover from the outage of its database within 60 s: https://app.example.org/ answered 500",
            "make it connect again, or end, so that swarm starts it anew; `restart_policy` with no max_attempts; more time in [faults] of recipe.toml where it only is slow",
        ),
        Kind::SecretIgnored => (
            "with a wrong password for its database the app is as well as before: it said that it was well and showed its data",
            "let the database ask for a password (no `trust` in pg_hba.conf or POSTGRES_HOST_AUTH_METHOD), and the app take it from its secret",
        ),
        Kind::CommandFailed => (
            "POST_DEPLOY_CMDS fails: run app make_admin: occ: not found",
            "run it by hand: `abra app cmd DOMAIN SERVICE FUNCTION`; does the image have what the function calls",
        ),
        Kind::NoRoute => (
            "no router's rule accepts a request to app.example.org/: Host(`www.app.example.org`)",
            "mend the router's labels under deploy.labels, or the service's networks, as the line says",
        ),
        Kind::NoNode => (
            "no node is suitable for service app: insufficient resources on 1 node",
            "compare reservations and placement constraints with `docker node ls`; a constraint that no server meets is the recipe's",
        ),
        Kind::TaskRejected => (
            "the engine refuses to start service app: exec: \"/start.sh\": permission denied",
            "check command, user, working_dir and mounts of the service against its image",
        ),
        Kind::PlatformMissing => (
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            "take an image or tag that is built for the servers' processors, or say in the README which ones it runs on",
        ),
        Kind::NodeNetwork => (
            "service app could not start, tried 2 times: failed to allocate gateway (10.0.7.1): Address already in use",
            "operator: `docker network ls`, orphaned vxlan interfaces, free address pools; a restart of docker often clears it",
        ),
        Kind::RuntimeFailed => (
            "service app could not start, tried 2 times: failed to create shim task: … cgroup …",
            "operator: `journalctl -u docker`, `dmesg`; limits of docker's unit",
        ),
        Kind::SwarmStuck => (
            "service app waits for 20 s and the swarm assigns it no address or port, and no reason",
            "operator: the engine's log on the swarm's leader; used-up addresses of the network `proxy`",
        ),
        Kind::UnknownTrouble => (
            "service app could not start, tried 2 times: cc-ci does not know these words: …",
            "read the words; where they are about the recipe after all, report them, so that they become a row",
        ),
        Kind::ConfigChanged => (
            "config app_conf changed under a version that is already deployed",
            "raise its *_VERSION export in abra.sh",
        ),
        Kind::SecretMissing => (
            "the compose file uses the secret db_password, and nothing generates it",
            "add SECRET_DB_PASSWORD_VERSION=v1 to .env.sample",
        ),
        Kind::SecretNotGiven => (
            "secret smtp is marked generate=false and was not inserted",
            "say in recipe.toml how a test makes it: [secrets.smtp] length = 32",
        ),
        Kind::InvalidCompose => (
            "docker refuses the compose files: services.app.depends_on must be a list",
            "correct that key; `docker compose config` or `abra app config` shows it",
        ),
        Kind::ForbiddenCompose => (
            "service app mounts /var/run/docker.sock of the host",
            "leave it out; where the recipe cannot do without, an operator opts out of prepare.allowed",
        ),
        Kind::BrokenShell => {
            ("a shell cannot parse entrypoint.sh: line 7: unexpected end of file", "`bash -n FILE` says the same")
        }
        Kind::InvalidRecipe => (
            "1a2b3c4 has no .env.sample, so it is no recipe that abra can deploy",
            "compare with any recipe of the catalogue; check the address and the revision",
        ),
        Kind::CommitGone => (
            "pull request 7 no longer has commit 1a2b3c4",
            "the branch was pushed with force: a new word (`!testme`) tests what is there now",
        ),
        Kind::DomainTooLong => {
            ("the domain is longer than 45 characters", "operator: a shorter base domain (--base-domain)")
        }
        Kind::LightweightTag => (
            "the release tag 1.2.0+3.4 is lightweight; abra deploys no release of this recipe (R014)",
            "tag it again with a message: git tag -f -a",
        ),
        Kind::RolledBack => (
            "swarm rolled service app back to example/app:1 after example/app:2 exited with code 1",
            "read why the new version ended: operators see the same rollback",
        ),
        Kind::DidNotMove => (
            "the upgrade did not move: the running service was deployed from 1a2b3c4",
            "is anything changed that swarm would deploy; abra's deploy output",
        ),
        Kind::UpdatePaused => (
            "swarm stopped the update of service app midway after example/app:2 exited with code 1",
            "read why the new version ended; with failure_action rollback operators would keep the old one",
        ),
        Kind::DataLost => (
            "the upgrade lost data: data/check.hurl says …",
            "what the change does to volumes and migrations; a renamed volume starts empty",
        ),
        Kind::NothingToProve => (
            "nothing identifiable can be planted in what is backed up",
            "bring data/seed, data/wipe and data/check in cc-ci's folder for the recipe",
        ),
        Kind::BackupEmpty => (
            "the backup succeeded and contains nothing of the app's volumes but cc-ci's own marker",
            "check the paths of the backupbot labels, that the pre-hook writes its dump there, and that no hook removes it",
        ),
        Kind::BackupFailed => (
            "the backup succeeded, and backup.sql.gz, which was written for it, is empty",
            "run the pre-hook by hand in the container; put `set -o pipefail` before a pipe",
        ),
        Kind::WipeDidNothing => (
            "data/check.hurl is green after data/wipe.sh, so a restore would prove nothing",
            "make the wipe remove what the check looks for",
        ),
        Kind::RestoreEmpty => (
            "the restore did not bring the data back: data/check.hurl says …",
            "a database needs its dump loaded again by a restore post-hook, not only copied back",
        ),
        Kind::RestoreFailed => (
            "a hook of the recipe failed: restore.post-hook of db ended with exit code 1",
            "run the hook by hand in the container; it may run while the app holds connections",
        ),
        Kind::NoAnswer => (
            "https://app.example.org/ answered 502 (wanted 200), after 40 tries in 60 s",
            "404: the router's rule; 502 and 504: the port label and the network proxy; else the app's log",
        ),
        Kind::CheckFailed => {
            ("functional/10-login.hurl: line 12 …", "read the check's output; it tells what the app answered")
        }
        Kind::CheckBroken => ("functional/10-login.sh cannot be parsed", "`cc-ci lint RECIPE` says what is wrong"),
        Kind::Usage => {
            ("--only functional/99: the recipe's folder brings no such test", "the argument or setting that it names")
        }
        Kind::PortTaken => (
            "service app cannot get its host port; service web_app holds port 443",
            "operator: what publishes the port; a recipe that needs one of traefik's own ports cannot run beside it",
        ),
        Kind::OutOfMemory => (
            "service app exited 3 times and was OOM-killed, at its limit of 64 MiB",
            "raise deploy.resources.limits.memory, or find what eats it",
        ),
        Kind::NodeOutOfMemory => (
            "service app was OOM-killed, since the node ran out of memory",
            "operator: fewer runs at once (MAX_TESTS); a limit in the recipe would tell whose fault it is",
        ),
        Kind::NodeFull => ("63 MiB free of 2048 required", "operator: `docker system df`, old images"),
        Kind::DiskFull => {
            ("the disk is full: no space left on device", "operator: free space where docker keeps its data")
        }
        Kind::SourceUnreachable => (
            "https://git.example.org/x cannot be read, its rate limit is exceeded (429)",
            "operator: the forge and the login of cc-ci there; the same word later",
        ),
        Kind::GitUnusable => ("git is missing or cannot be started", "operator: install git"),
        Kind::StateUnusable => {
            ("cannot write the state folder: Permission denied", "operator: rights and disk of --state")
        }
        Kind::RegistryUnreachable => (
            "the image x is not here and cannot be pulled, its name has no address here",
            "operator: DNS and network; the registry's status page; then the same word again",
        ),
        Kind::RegistryRefused => (
            "the image x cannot be pulled, the registry does not give it to this machine",
            "check the name first; for a private image the operator gives the machine a login (`docker login REGISTRY`)",
        ),
        Kind::RegistryLimit => {
            ("the image x cannot be pulled: toomanyrequests", "operator: a login or a mirror; the same word later")
        }
        Kind::ProxyUnreachable => (
            "https://app.example.org/ does not answer: Connection refused",
            "operator: does traefik run, are its ports open, does the name resolve; `cc-ci doctor`",
        ),
        Kind::BackupBotUnusable => (
            "the backup bot's repository: another backup holds it",
            "operator: `restic snapshots` and `restic unlock` in the bot's container; its password, its place, its space",
        ),
        Kind::EngineUnreachable => {
            ("the docker engine at unix:///var/run/docker.sock does not answer", "operator: start docker")
        }
        Kind::EngineRestarted => ("the connection to the engine was lost for 4 s", "the same word again"),
        Kind::WorldIncomplete => (
            "traefik does not pass a request on to a service that runs: answered 504",
            "operator: `cc-ci doctor`, then `cc-ci up`",
        ),
        Kind::AbraFailed => (
            "abra failed to deploy the app: …",
            "read abra's words in the report; where they are about the recipe, report them, so that they become a row",
        ),
        Kind::AbraKilled => {
            ("abra was killed while it was to deploy the app", "operator: `dmesg`; then the same word again")
        }
        Kind::AbraUnusable => ("this abra lacks a command that cc-ci uses", "operator: `cc-ci doctor`"),
        Kind::Deadline => (
            "time is up after 290 s of waiting for app: runs, its healthcheck has not passed yet",
            "what the app waits for, in its log; where it only needs longer, [deadlines] in recipe.toml",
        ),
        Kind::DependencyGone => ("keycloak was up and is not any more", "the log of that app, in the report"),
        Kind::NoSlot => ("there was no slot in 600 s", "operator: `cc-ci status`, `cc-ci caps`"),
        Kind::NotKept => ("no run 20261121-091403-kxqv keeps an app", "run it again with --keep"),
        Kind::ProviderUnreachable => ("the provider of logins does not answer", "the log of that app, in the report"),
        Kind::ProviderRefused => {
            ("the provider refuses cc-ci as its administrator", "the provider's recipe and its admin secret")
        }
        Kind::ProviderUnexpected => {
            ("the provider's answer has no access_token", "the provider's version, and its log")
        }
        Kind::Hollow => {
            ("functional/20-post.hurl is green against an impostor", "make it look for what only the app can answer")
        }
        Kind::ComesAndGoes => ("functional/20-post.hurl is red in 2 of 5 rounds", "find what it does not wait for"),
        Kind::Bug => ("cc-ci itself failed in install: …", "report it with the run's journal"),
        Kind::LeftBehind => {
            ("1 object left after teardown: volume x_data", "operator: who holds it, then `cc-ci reap`")
        }
        Kind::NothingTested => {
            ("nothing was tested: every testing stage was skipped", "`cc-ci plan`; opt-outs in recipe.toml")
        }
    };
    Advice { example, act }
}
