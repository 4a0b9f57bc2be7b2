//! Has abra run the commands that a recipe sets for after a deploy.

use base::failure::{Failure, Kind};
use coopcloud::envfile::EnvFile;

use crate::context::StageRun;
use journal::event::Stage;
use plan::commands::{After, Commands, parsed};

impl StageRun {
    /// Has abra run what is set for after a deploy, or says that it was not run.
    ///
    /// # Errors
    /// [`Kind::CommandFailed`], or what kept abra from running it.
    pub(crate) async fn run_commands(&mut self, was: Option<&str>, revision: &str) -> Result<(), Failure> {
        self.app.unrun = None;
        let Some(after) = After::of(was, revision, self.app.spec.head.as_str()) else { return Ok(()) };
        let path = self.app.abra.env_file(&self.app.spec.domain);
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::disk("read", &path, &error))?;
        let (key, Some(value)) = (after.key(), after.set_in(&EnvFile::parse(&text))) else { return Ok(()) };
        if let Commands::NotRun(why) = &self.app.commands {
            if matches!(self.stage, Stage::Install | Stage::Upgrade) {
                self.not_shown = Some(format!("not shown: what {value} of {key} sets up, which did not run: {why}"));
            }
            self.app.unrun = Some(format!("{key}={value:?}"));
            return Ok(());
        }
        let failed = |what: String| {
            let look_at =
                format!("{key} in .env.sample, and the function in abra.sh; it runs in the service's container");
            Failure::new(Kind::CommandFailed, what, look_at)
        };
        for command in parsed(&value).map_err(|why| failed(format!("{key}: {why}")))? {
            let words = command.join(" ");
            self.progress(format!("abra runs {words}"));
            let call = self.app.abra.app_cmd(&self.app.spec.domain, &command, self.time_left()).await;
            self.took(call, &format!("run {words}")).map_err(|failure| match failure.kind {
                Kind::AbraFailed => {
                    let what = failure.what.trim_start_matches("abra failed to ").to_owned();
                    failed(format!("{key} fails: {what}")).with_detail(failure.detail)
                }
                _ => failure,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_apart() {
        let of = |value: &str| parsed(value).map(|list| list.iter().map(|words| words.join(" ")).collect::<Vec<_>>());
        assert_eq!(of("app make_ready"), Ok(vec!["app make_ready".to_owned()]));
        assert_eq!(of(" app  set a b| db grant "), Ok(vec!["app set a b".to_owned(), "db grant".to_owned()]));
        assert_eq!(of("make_ready"), Err("\"make_ready\" is no service and function".to_owned()));
        assert!(of("app a|").is_err());
    }

    #[test]
    fn each_deploy_has_the_commands_that_abra_would_run() {
        let of = |was, now| After::of(was, now, "1a2b3c4");
        assert_eq!(of(None, "1.0.0"), Some(After::Deploy));
        assert_eq!(of(None, "1a2b3c4"), Some(After::Deploy));
        assert_eq!(of(Some("1a2b3c4"), "1a2b3c4"), Some(After::Deploy), "taken down and deployed again");
        assert_eq!(of(Some("1.0.0"), "1a2b3c4"), Some(After::Upgrade));
        assert_eq!(of(Some("1a2b3c4"), "1.0.0"), None);
    }

    #[test]
    fn the_plan_says_what_runs_and_what_does_not() {
        let env = EnvFile::parse("POST_DEPLOY_CMDS=\"app make_ready\"\nPOST_UPGRADE_CMDS=\n");
        let run = Commands::Run.planned(After::Deploy, &env).unwrap();
        assert_eq!(run, "run app make_ready of POST_DEPLOY_CMDS, as abra does once the app is up");
        let not = Commands::NotRun("no operator approved it".to_owned()).planned(After::Deploy, &env).unwrap();
        assert!(not.starts_with("leave app make_ready of POST_DEPLOY_CMDS out"), "{not}");
        assert_eq!(Commands::Run.planned(After::Upgrade, &env), None);
    }
}
