//! A command in a service's container, with the caller's streams.

use swarm::{ExecError, Inside, Streams};

use super::support::{Stack, stays, with_stack};

struct Ended {
    code: Result<i64, ExecError>,
    output: String,
    errors: String,
}

impl Stack {
    async fn exec_in(&self, run: &str, service: &str, input: &str, argv: &[&str]) -> Ended {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        let streams = Streams { input: input.as_bytes(), output: &mut output, errors: &mut errors };
        let code = self.swarm.exec_in(Inside { stack: &self.name, run, service }, &argv, streams).await;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code, output: text(output), errors: text(errors) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_the_callers_streams_and_its_own_exit_code() {
    with_stack(async |stack| {
        let mut of_run = stays();
        of_run.labels = Some([("cc-ci.run".to_owned(), "r1".to_owned())].into());
        let mut other = of_run.clone();
        super::support::container(&mut other).env = Some(vec!["NAME=other".to_owned()]);
        super::support::container(&mut of_run).env = Some(vec!["NAME=app".to_owned()]);
        let services = vec![("app", of_run), ("app2", other), ("strange", stays())];
        stack.deploy(services).await.unwrap();
        let sh = |script| ["/bin/busybox", "sh", "-c", script];

        let script = "read line; echo \"got $line in $NAME\"; echo bad >&2; test -t 0 && echo terminal; exit 7";
        let ended = stack.exec_in("r1", "app", "a 'word'\n", &sh(script)).await;
        assert_eq!(ended.code, Ok(7));
        assert_eq!((ended.output.as_str(), ended.errors.as_str()), ("got a 'word' in app\n", "bad\n"));
        // The end of the input is passed on too, after a lot of data.
        let ended = stack.exec_in("r1", "app2", &"x".repeat(300_000), &["/bin/busybox", "wc", "-c"]).await;
        assert_eq!((ended.code, ended.output.trim()), (Ok(0), "300000"));
        // A command that does not read it ends all the same; one that closes its output is awaited.
        assert_eq!(stack.exec_in("r1", "app", &"x".repeat(300_000), &["/bin/busybox", "true"]).await.code, Ok(0));
        let quiet = "exec >&- 2>&-; /bin/busybox sleep 0.2; exit 9";
        assert_eq!(stack.exec_in("r1", "app", "", &sh(quiet)).await.code, Ok(9));
        let ended = stack.exec_in("r1", "app", "", &["no-such-program"]).await;
        assert!(matches!(ended.code, Ok(126 | 127) | Err(ExecError::Engine(_))), "{:?}", ended.code);

        let no_service = stack.exec_in("r1", "ap", "", &["x"]).await.code.unwrap_err().to_string();
        assert_eq!(no_service, "the app has no service \"ap\"; its services: app, app2, strange");
        for (run, service) in [("r2", "app"), ("r1", "strange")] {
            let refused = stack.exec_in(run, service, "", &["x"]).await.code;
            assert!(matches!(refused, Err(ExecError::NotOfTheRun { .. })), "{refused:?}");
        }
        let much = stack.exec_in("r1", "app", "", &["/bin/busybox", "yes"]).await;
        assert_eq!(much.code, Err(ExecError::TooMuchOutput));
        assert_eq!(much.output.len(), 16 * 1024 * 1024);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_container_ends_has_no_good_end() {
    with_stack(async |stack| {
        let mut app = super::support::runs(&["sh", "-c", "/bin/busybox mkfifo /end; read word </end; exit 1"]);
        app.labels = Some([("cc-ci.run".to_owned(), "r1".to_owned())].into());
        stack.deploy(vec![("app", app)]).await.unwrap();
        let script = "echo now >/end; exec /bin/busybox tail -f /dev/null";
        let ended = stack.exec_in("r1", "app", "", &["/bin/busybox", "sh", "-c", script]).await;
        assert!(!matches!(ended.code, Ok(0)), "{:?}", ended.code);
    })
    .await;
}
