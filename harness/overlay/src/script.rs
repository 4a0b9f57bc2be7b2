//! A script: its own process group, the run's variables and little else in its environment.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use coopcloud::abra::ProcessGroup;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;

use super::bounded::Bounded;
use super::{Context, OverlayFile, OverlayResult, Variables, one_line};

/// What is kept of the output at either end, in bytes.
const KEPT: usize = 64 * 1024;
/// The longest that the last line of the output may be in a result's text.
const LINE: usize = 300;
/// What a script keeps of the runner's environment: where programs are, and which engine the app is on, since
/// it may call abra. Tokens and settings of the server stay out.
const INHERITED: [&str; 7] =
    ["PATH", "HOME", "LANG", "DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION"];
/// How long the output may stay open once everything that the script started was killed.
const DRAIN: Duration = Duration::from_secs(1);

pub(super) async fn run(file: &OverlayFile, context: &Context, variables: &Variables) -> OverlayResult {
    if let Some(broken) = cannot_run(&file.path).await {
        return broken;
    }
    let ran = match std::path::absolute(&file.path) {
        Ok(path) => supervise(Command::new(path), context, variables).await,
        Err(error) => Err(error),
    };
    match ran {
        Ok(ran) => hide(judge(ran, context.deadline), variables),
        Err(error) => OverlayResult::broken(format!("cannot be started: {error}")),
    }
}

/// How a program ended that was watched.
pub(super) struct Ran {
    /// Its end; none where it was killed at the deadline.
    pub(super) status: Option<ExitStatus>,
    /// Whether it left processes behind, which were killed.
    left: bool,
    /// What it printed, both streams in order.
    pub(super) output: String,
}

impl Ran {
    /// The output, with a word on what was left behind.
    pub(super) fn detail(self) -> String {
        if self.left && self.status.is_some() {
            return format!("{}\n[processes that it left behind were killed]\n", self.output.trim_end());
        }
        self.output
    }
}

/// What can be said before it is started.
pub(super) async fn cannot_run(path: &Path) -> Option<OverlayResult> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match std::fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & 0o111 == 0 => {
            return Some(OverlayResult::broken(format!("no run bit: chmod +x {name}")));
        }
        Ok(_) => {}
        Err(error) => return Some(OverlayResult::broken(error.to_string())),
    }
    let text = std::fs::read(path).unwrap_or_default();
    let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
    if !first.starts_with(b"#!") {
        return Some(OverlayResult::broken("no first line that names its shell, such as #!/usr/bin/env bash"));
    }
    if !first.ends_with(b"bash") && !first.ends_with(b"sh") {
        return None;
    }
    let parsed = Command::new("bash").arg("-n").arg(path).stdin(Stdio::null()).output().await.ok()?;
    let said = String::from_utf8_lossy(&parsed.stderr).into_owned();
    let line = said.lines().next().unwrap_or_default().replace(&*path.to_string_lossy(), &name);
    (!parsed.status.success()).then(|| OverlayResult::broken(one_line(&line, LINE)).with_detail(said))
}

/// Runs a program in a process group of its own until it ends or the time is up; then the group goes.
pub(super) async fn supervise(mut command: Command, context: &Context, variables: &Variables) -> std::io::Result<Ran> {
    // One pipe for both streams, so that their lines stay in order.
    let (reader, writer) = std::io::pipe()?;
    command
        .current_dir(&context.work_dir)
        .env_clear()
        .envs(INHERITED.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))))
        .envs(variables.iter())
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    // The command holds the pipe's other end: while it lives, the output has no end.
    drop(command);
    let mut group = ProcessGroup::led_by(child.id());
    let mut receiver = Receiver::from_owned_fd(reader.into())?;

    let mut kept = Bounded::new(KEPT);
    let ended = {
        let output = read(&mut receiver, &mut kept);
        let mut output = std::pin::pin!(output);
        let mut drained = false;
        let waited = tokio::time::timeout(context.deadline, async {
            loop {
                tokio::select! {
                    status = child.wait() => break status,
                    () = &mut output, if !drained => drained = true,
                }
            }
        })
        .await;
        let left = group.kill();
        if !drained {
            // Nothing writes any more, unless it fled into a session of its own.
            let _ = tokio::time::timeout(DRAIN, output).await;
        }
        waited.ok().map(|status| status.map(|status| (status, left))).transpose()?
    };
    let output = kept.into_text();
    Ok(match ended {
        Some((status, left)) => Ran { status: Some(status), left, output },
        None => {
            let _ = child.wait().await;
            Ran { status: None, left: true, output }
        }
    })
}

async fn read(receiver: &mut Receiver, kept: &mut Bounded) {
    let mut chunk = vec![0; 8192];
    while let Ok(n) = receiver.read(&mut chunk).await {
        if n == 0 {
            break;
        }
        kept.push(&chunk[..n]);
    }
}

/// The result of a script that was killed at its deadline.
pub fn late(limit: Duration, output: String) -> OverlayResult {
    let seconds = limit.as_secs_f32();
    let last = last_line(&output).map(|line| format!("; its last line: {line}")).unwrap_or_default();
    OverlayResult::failed(format!("did not end within {seconds:.0} s and was killed{last}")).with_detail(output)
}

/// The result of a script that ran elsewhere and ended with a code there.
pub fn of_exit(code: i64, output: String) -> OverlayResult {
    use std::os::unix::process::ExitStatusExt as _;
    // Any other code than 0 is red, also one that no shell can tell.
    let code = u8::try_from(code).unwrap_or(u8::MAX);
    judge(Ran { status: Some(ExitStatus::from_raw(i32::from(code) << 8)), left: false, output }, Duration::MAX)
}

fn judge(ran: Ran, limit: Duration) -> OverlayResult {
    use std::os::unix::process::ExitStatusExt as _;
    let Some(status) = ran.status else { return late(limit, ran.output) };
    let last = last_line(&ran.output);
    let result = match (status.code(), status.signal()) {
        (Some(0), _) => OverlayResult::passed(last.unwrap_or_else(|| "exit 0".to_owned())),
        (Some(code), _) => OverlayResult::failed(match last {
            Some(line) => format!("exit {code}: {line}"),
            None => format!("exit {code}, and no output"),
        }),
        (None, signal) => OverlayResult::failed(format!("ended by signal {}", signal.unwrap_or_default())),
    };
    result.with_detail(ran.detail())
}

pub(super) fn last_line(text: &str) -> Option<String> {
    text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| one_line(line, LINE))
}

pub(super) fn hide(mut result: OverlayResult, variables: &Variables) -> OverlayResult {
    for secret in variables.secrets().filter(|secret| !secret.is_empty()) {
        result.text = result.text.replace(secret, "***");
        result.detail = result.detail.replace(secret, "***");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::{OverlayOutcome, VARIABLES_FILE};
    use super::*;

    struct Scene {
        dir: tempfile::TempDir,
        context: Context,
    }

    fn scene(deadline: Duration) -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let mut variables = Variables::new();
        variables.set("CCCI_RECIPE", "custom-html");
        variables.set_secret("PASSWORD", "hunter2");
        let work_dir = dir.path().join("work");
        Scene {
            context: Context { variables, work_dir, deadline, ca_pem_file: None, resolve: vec![], recipe_tests: None },
            dir,
        }
    }

    impl Scene {
        async fn run(&self, script: &str) -> OverlayResult {
            let path = self.dir.path().join("test.sh");
            // Written by another process: one that writes here would be inherited, while it is open,
            // by a script that a test beside this one starts, and a file open for writing is not run.
            let made = std::process::Command::new("sh")
                .args(["-c", "printf '%s' \"$2\" > \"$1\" && chmod +x \"$1\"", "sh"])
                .arg(&path)
                .arg(format!("#!/usr/bin/env bash\nset -eu\n{script}"))
                .status()
                .unwrap();
            assert!(made.success());
            super::super::run(&OverlayFile { name: "functional/test.sh".to_owned(), path }, &self.context).await
        }
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn the_last_line_says_what_was_shown() {
        let scene = scene(LONG);
        let result = scene.run("echo one; echo \"wrote $CCCI_RECIPE with $PASSWORD\"\n").await;
        assert_eq!(result.outcome, OverlayOutcome::Passed, "{}", result.detail);
        assert_eq!(result.text, "wrote custom-html with ***");
        let result = scene.run("echo fine; echo 'no such page' >&2; exit 3\n").await;
        assert_eq!((result.outcome, result.text.as_str()), (OverlayOutcome::Failed, "exit 3: no such page"));
        assert_eq!(result.detail, "fine\nno such page\n");
    }

    #[tokio::test]
    async fn the_environment_has_the_variables_and_nothing_of_the_runner() {
        let scene = scene(LONG);
        std::fs::create_dir_all(&scene.context.work_dir).unwrap();
        std::fs::write(scene.context.work_dir.join(VARIABLES_FILE), "room=!a:b\n").unwrap();
        let result = scene.run("env | cut -d= -f1 | sort | tr '\\n' ' '; echo; echo \"$room in $PWD\"\n").await;
        assert!(result.text.starts_with("!a:b in ") && result.text.ends_with("/work"), "{}", result.text);
        let names = result.detail.lines().next().unwrap();
        for name in names.split(' ').filter(|name| !INHERITED.contains(name)) {
            let known = ["CCCI_RECIPE", "PASSWORD", "PWD", "SHLVL", "_", "room", ""];
            assert!(known.contains(&name), "{name} should not be there");
        }
    }

    #[tokio::test]
    async fn at_the_deadline_the_whole_group_goes() {
        let scene = scene(Duration::from_millis(300));
        let result = scene.run("sleep 600 & echo \"child $!\"; sleep 600\n").await;
        assert_eq!(result.outcome, OverlayOutcome::Failed);
        assert!(result.text.starts_with("did not end within"), "{}", result.text);
        assert_gone(&result.detail);
    }

    #[tokio::test]
    async fn what_a_script_leaves_running_is_killed_and_mentioned() {
        let scene = scene(LONG);
        let result = scene.run("sleep 600 & echo \"child $!\"\n").await;
        assert_eq!(result.outcome, OverlayOutcome::Passed);
        assert!(result.detail.ends_with("[processes that it left behind were killed]\n"), "{}", result.detail);
        assert_gone(&result.detail);
        assert!(result.took < LONG, "it waited for a process that holds the output open");
    }

    /// The process that the output names dies (a signal is on its way when the run ends), or is a
    /// zombie that its new parent will take.
    fn assert_gone(output: &str) {
        let id = output.lines().find_map(|line| line.strip_prefix("child ")).unwrap();
        let start = std::time::Instant::now();
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            if stat.is_empty() || stat.contains(") Z ") {
                return;
            }
            assert!(start.elapsed() < LONG, "{stat}");
            std::thread::yield_now();
        }
    }

    #[tokio::test]
    async fn long_output_keeps_both_ends() {
        let result = scene(LONG).run("echo first; head -c 300000 /dev/zero | tr '\\0' x; echo; echo last\n").await;
        assert!(result.detail.starts_with("first\n") && result.detail.ends_with("last\n"));
        assert!(result.detail.contains("[cut: ") && result.detail.len() < 3 * KEPT);
    }

    #[tokio::test]
    async fn a_script_that_cannot_run_is_broken_and_says_how_to_mend_it() {
        let scene = scene(LONG);
        let result = scene.run("if true\n").await;
        assert_eq!(result.outcome, OverlayOutcome::Broken);
        assert!(result.text.contains("test.sh: line") && result.text.contains("syntax error"), "{}", result.text);

        let path = scene.dir.path().join("plain.sh");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        let file = OverlayFile { name: "functional/plain.sh".to_owned(), path };
        let result = super::super::run(&file, &scene.context).await;
        assert_eq!((result.outcome, result.text.as_str()), (OverlayOutcome::Broken, "no run bit: chmod +x plain.sh"));
    }
}
