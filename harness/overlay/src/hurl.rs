//! A Hurl file, run inside this process by Hurl's own library.

use std::path::Path;
use std::time::Duration;

use hurl::runner::{HurlResult, RunnerOptions, RunnerOptionsBuilder, Value, VariableSet, run_entries};
use hurl::util::logger::{Logger, LoggerOptionsBuilder};
use hurl::util::path::ContextDir;
use hurl::util::term::{Stderr, Stdout, WriteMode};
use hurl_core::ast::HurlFile;
use hurl_core::error::DisplaySourceError as _;
use hurl_core::input::Input;
use tokio::sync::oneshot;

use super::{Context, OverlayFile, OverlayResult, VARIABLES_FILE, Variables, calls, explain, policy};

/// A capture whose name starts so is handed to the tests that run later.
const KEEP: &str = "keep_";
/// The longest that a connection may take to stand; the app is known to answer by then.
const CONNECT: Duration = Duration::from_secs(20);

pub(super) async fn run(file: &OverlayFile, context: &Context, variables: Variables) -> OverlayResult {
    let (content, parsed) = match read(file) {
        Ok(read) => read,
        Err(broken) => return broken,
    };
    let (name, options) = (file.name.clone(), options(&file.path, context));
    let (done, ended) = oneshot::channel();
    // A thread of its own and not one of tokio's: those are waited for when the program ends, and
    // nothing can stop a Hurl file between its requests.
    let spawned = std::thread::Builder::new().name("hurl".to_owned()).spawn(move || {
        let result = execute(&parsed, &content, &name, &options, &variables);
        let (told, captures) = explain::result(&result, &content, &name);
        // Nobody listens after the deadline.
        let _ = done.send((told.with_exchanges(calls::exchanges(&result)), captures));
    });
    if let Err(error) = spawned {
        return OverlayResult::broken(format!("no thread to run it: {error}"));
    }
    match tokio::time::timeout(context.deadline, ended).await {
        Ok(Ok((result, captures))) => match keep(&context.work_dir, &captures) {
            Ok(()) => result,
            Err(error) => OverlayResult::broken(error),
        },
        Ok(Err(_)) => OverlayResult::broken("Hurl ended without a result"),
        Err(_) => OverlayResult::failed(format!("did not end within {:.0} s", context.deadline.as_secs_f32())),
    }
}

/// The text and what it says, or why it is no test.
pub(super) fn read(file: &OverlayFile) -> Result<(String, HurlFile), OverlayResult> {
    let content = std::fs::read_to_string(&file.path).map_err(|error| OverlayResult::broken(error.to_string()))?;
    let parsed = hurl_core::parser::parse_hurl_file(&content).map_err(|error| {
        let line = error.source_info().start.line;
        let shown = error.render(&file.name, &content, None, hurl_core::error::OutputFormat::Terminal(false));
        OverlayResult::broken(format!("{}:{line}: {}", file.name, error.description())).with_detail(shown)
    })?;
    match policy::objection(&parsed, &file.name) {
        Some(broken) => Err(broken),
        None => Ok((content, parsed)),
    }
}

fn execute(file: &HurlFile, content: &str, name: &str, options: &RunnerOptions, variables: &Variables) -> HurlResult {
    let mut set = VariableSet::new();
    for (name, value) in variables.iter() {
        if variables.is_secret(name) {
            set.insert_secret(name.to_owned(), value.to_owned());
        } else {
            set.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    }
    // Buffered and dropped: what Hurl would print is told from its result.
    let mut stdout = Stdout::new(WriteMode::Buffered);
    let stderr = Stderr::new(WriteMode::Buffered);
    let mut logger = Logger::new(&LoggerOptionsBuilder::new().build(), stderr, &set.secrets());
    run_entries(&file.entries, content, Some(&Input::new(name)), options, &set, &mut stdout, None, &mut logger)
}

/// Nothing of the user's: no proxy, no netrc, no cookie file. Files that a request sends lie below
/// the test's own folder.
fn options(path: &Path, context: &Context) -> RunnerOptions {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let current = std::env::current_dir().unwrap_or_default();
    let ca = context.ca_pem_file.as_ref().map(|path| path.to_string_lossy().into_owned());
    RunnerOptionsBuilder::new()
        .cacert_file(ca)
        .resolves(&context.resolve)
        // libcurl reads http_proxy and its kin from the environment unless every host is excepted.
        .no_proxy(Some("*".to_owned()))
        .connect_timeout(CONNECT.min(context.deadline))
        .timeout(context.deadline)
        .context_dir(&ContextDir::new(&current, folder))
        .build()
}

/// Adds captures named `keep_…` to the scratch folder's variables, the newest last and alone.
fn keep(work_dir: &Path, captures: &[(String, String)]) -> Result<(), String> {
    let kept: Vec<_> = captures.iter().filter(|(name, _)| name.starts_with(KEEP)).collect();
    if kept.is_empty() {
        return Ok(());
    }
    let path = work_dir.join(VARIABLES_FILE);
    let mut lines: Vec<String> =
        std::fs::read_to_string(&path).unwrap_or_default().lines().map(str::to_owned).collect();
    for (name, value) in kept {
        if value.contains('\n') {
            return Err(format!("{name} has more than one line and cannot be kept"));
        }
        lines.retain(|line| !line.starts_with(&format!("{name}=")));
        lines.push(format!("{name}={value}"));
    }
    std::fs::write(&path, lines.join("\n") + "\n").map_err(|error| format!("{VARIABLES_FILE}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};

    use super::super::OverlayOutcome;
    use super::*;

    /// Answers every request the same way, until the test ends with its process.
    fn server(answer: &'static str) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        format!("http://app.test:{port}")
    }

    const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\
        Set-Cookie: sid=s3cret\r\nConnection: close\r\n\r\n{\"body\":\"hello\",\"token\":\"t0psec\"}";

    struct Scene {
        dir: tempfile::TempDir,
        context: Context,
    }

    fn scene(url: &str) -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let mut variables = Variables::new();
        variables.set("CCCI_URL", url);
        variables.set_secret("password", "hunter2");
        let port = url.rsplit(':').next().unwrap();
        let context = Context {
            variables,
            work_dir: dir.path().join("work"),
            deadline: Duration::from_secs(20),
            ca_pem_file: None,
            resolve: vec![format!("app.test:{port}:127.0.0.1")],
            recipe_tests: None,
        };
        Scene { dir, context }
    }

    impl Scene {
        async fn run(&self, content: &str) -> OverlayResult {
            let path = self.dir.path().join("check.hurl");
            std::fs::write(&path, content).unwrap();
            super::super::run(&OverlayFile { name: "data/check.hurl".to_owned(), path }, &self.context).await
        }
    }

    #[tokio::test]
    async fn a_green_file_says_how_much_it_asserted_and_keeps_what_it_captured() {
        let scene = scene(&server(ANSWER));
        let first = "GET {{CCCI_URL}}/a\nHTTP 200\n[Captures]\nkeep_word: jsonpath \"$.body\"\n";
        let result = scene.run(first).await;
        assert_eq!(result.outcome, OverlayOutcome::Passed, "{} {}", result.text, result.detail);
        assert_eq!(result.text, "1 request, 1 value captured");
        let second = "GET {{CCCI_URL}}/a\nHTTP 200\n[Asserts]\njsonpath \"$.body\" == \"{{keep_word}}\"\n";
        let result = scene.run(second).await;
        assert_eq!(result.outcome, OverlayOutcome::Passed, "{} {}", result.text, result.detail);
        assert_eq!(result.text, "1 request, 1 assertion");
        let kept = std::fs::read_to_string(scene.context.work_dir.join(VARIABLES_FILE)).unwrap();
        assert_eq!(kept, "keep_word=hello\n");
    }

    #[tokio::test]
    async fn what_was_asked_is_told_without_what_only_the_file_knows() {
        let url = server(ANSWER);
        let file = "POST {{CCCI_URL}}/a?x=hunter2\n{ \"say\": \"{{password}}\" }\nHTTP 200\n\
            [Captures]\nword_token: jsonpath \"$.body\"\n\nGET {{CCCI_URL}}/b\nHTTP 200\n";
        let mut scene = scene(&url);
        scene.context.variables.set_secret("password", "correct-horse");
        let file = file.replace("hunter2", "correct-horse");
        let answer = base::redact::Redactor::new();
        let (list, left_out) = scene.run(&file).await.exchanges.shown(&answer);
        let text = serde_json::to_string(&list).unwrap();
        assert!(!text.contains("horse") && !text.contains("s3cret") && !text.contains("t0psec"), "{text}");
        assert_eq!((list.len(), left_out, list[0].status, list[1].method.as_str()), (2, 0, Some(200), "GET"), "{text}");
        assert!(list[0].url.ends_with("/a?x=[redacted]") && list[1].url.ends_with("/b"), "{text}");
        assert_eq!(list[0].request.text, "{ \"say\": \"[redacted]\" }");
        assert_eq!((list[0].answer.media.as_str(), list[0].answer.bytes), ("application/json", 33));
    }

    #[tokio::test]
    async fn a_red_assertion_is_one_line_with_what_was_wanted_and_got() {
        let url = server(ANSWER);
        let scene = scene(&url);
        let result = scene
            .run(
                "GET {{CCCI_URL}}/a\nAuthorization: Bearer {{password}}\nHTTP 200\nContent-Type: text/plain\n\
                 [Asserts]\njsonpath \"$.body\" == \"bye {{password}}\"\njsonpath \"$.none\" exists\n",
            )
            .await;
        assert_eq!(result.outcome, OverlayOutcome::Failed);
        let port = url.rsplit(':').next().unwrap();
        insta::assert_snapshot!(result.text.replace(port, "PORT"));
        let detail: Vec<_> = result.detail.lines().filter(|line| !line.starts_with("> User-Agent")).collect();
        insta::assert_snapshot!(detail.join("\n").replace(port, "PORT"));
    }

    #[tokio::test]
    async fn no_answer_is_red_and_says_why() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let result = scene(&format!("http://app.test:{port}")).run("GET {{CCCI_URL}}/\nHTTP 404\n").await;
        assert_eq!(result.outcome, OverlayOutcome::Failed);
        assert!(result.text.contains("no answer: ") && result.text.contains("connect"), "{}", result.text);
        let (list, _) = result.exchanges.shown(&base::redact::Redactor::new());
        let [asked] = list.as_slice() else { panic!("{list:?}") };
        assert_eq!((asked.method.as_str(), asked.url.as_str()), ("GET", format!("http://app.test:{port}/").as_str()));
        assert!(asked.status.is_none() && asked.error.contains("onnect"), "{asked:?}");
    }

    #[tokio::test]
    async fn a_server_that_never_answers_ends_at_the_deadline() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut scene = scene(&format!("http://app.test:{}", listener.local_addr().unwrap().port()));
        scene.context.deadline = Duration::from_millis(300);
        let result = scene.run("GET {{CCCI_URL}}/\nHTTP 404\n").await;
        assert_eq!(result.outcome, OverlayOutcome::Failed);
        assert!(result.took < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_file_with_a_fault_of_its_own_is_broken() {
        let scene = scene(&server(ANSWER));
        let result = scene.run("GET {{CCCI_URL}}/{{room}}\nHTTP 404\n").await;
        assert_eq!(result.outcome, OverlayOutcome::Broken);
        assert_eq!(result.text, "data/check.hurl:1: the variable room is not set");
        let result = scene.run("GET\n").await;
        assert_eq!(result.outcome, OverlayOutcome::Broken);
        assert!(result.text.starts_with("data/check.hurl:"), "{}", result.text);
    }
}
