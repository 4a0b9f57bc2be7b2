use secrecy::ExposeSecret as _;

use super::super::scripted::Scripted;
use super::*;
use crate::HttpConfig;

fn visitor() -> Session {
    Http::new(&HttpConfig::default()).unwrap().session()
}

#[tokio::test]
async fn a_visitor_keeps_cookies_and_another_has_none() {
    let server = Scripted::start(|request, _| {
        let head = if request.starts_with("GET /set") { "200 OK\r\nset-cookie: sid=c-1; Path=/app" } else { "200 OK" };
        (head.to_owned(), String::new())
    })
    .await;
    let one = visitor();
    let url = |path: &str| Url::parse(&format!("{}{path}", server.url)).unwrap();
    one.ask(Method::GET, &url("/set")).send().await.unwrap();
    for (visitor, path) in [(one.clone(), "/app/x"), (one.clone(), "/other"), (visitor(), "/app/x")] {
        visitor.ask(Method::GET, &url(path)).send().await.unwrap();
    }
    let sent: Vec<bool> = server.seen().iter().map(|request| request.contains("cookie: sid=c-1")).collect();
    assert_eq!(sent, [false, true, false, false]);
    assert_eq!(one.cookie(&url("/app"), "sid").unwrap().expose_secret(), "c-1");
    assert!(one.cookie(&url("/app"), "si").is_none() && one.cookie(&url("/"), "sid").is_none());
    assert_eq!(format!("{one:?}"), "Session(…)");
}

#[tokio::test]
async fn nothing_that_was_sent_or_came_is_shown() {
    let server = Scripted::start(|_, own| {
        (format!("302 Found\r\nlocation: {own}/back?code=s-1\r\nset-cookie: a=s-2"), "s-3".to_owned())
    })
    .await;
    let url = Url::parse(&format!("{}/login?state=s-4#s-5", server.url)).unwrap();
    let token = SecretString::from("s-6");
    let ask = visitor().ask(Method::POST, &url).bearer(&token).form([("password", "s-7 &=ä")]);
    assert_eq!(ask.asked(), format!("POST {}/login", server.url));
    let shown = format!("{ask:?}");
    let answer = ask.send().await.unwrap();
    let shown = format!("{shown} {answer:?}");
    assert!((1..8).all(|n| !shown.contains(&format!("s-{n}"))), "{shown}");
    assert!(server.seen()[0].ends_with("\r\n\r\npassword=s-7+%26%3D%C3%A4"), "{:?}", server.seen());
    // Neither when nobody answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = Url::parse(&format!("http://{}/x?code=s-1", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = visitor().ask(Method::GET, &nobody).send().await.unwrap_err();
    assert!(error.to_string().ends_with("/x does not answer: Connection refused (os error 111)"), "{error}");
    // A header that cannot be sent is not sent.
    let error = visitor().ask(Method::GET, &url).bearer(&SecretString::from("s-6\n")).send().await.unwrap_err();
    assert!(!error.to_string().contains("s-"), "{error}");
}

#[test]
fn a_chain_of_redirects_has_an_end() {
    let here = Url::parse("https://a.ci/x?y").unwrap();
    let answer = |status, location: &str| Answer {
        status,
        headers: vec![("location".to_owned(), location.to_owned())],
        body: String::new(),
        took: std::time::Duration::ZERO,
        tries: 1,
    };
    let next = |status, location| Chain::new(&here).next(&here, &answer(status, location)).unwrap().map(String::from);
    assert_eq!(next(302, "z#fragment").as_deref(), Some("https://a.ci/z"));
    assert_eq!(next(307, "https://b.ci").as_deref(), Some("https://b.ci/"));
    assert_eq!(next(200, "z"), None);
    assert_eq!(next(304, "z"), None);
    let mut chain = Chain::new(&here);
    let error = (0..100).find_map(|_| chain.next(&here, &answer(302, "/x?code=1")).err()).unwrap();
    assert_eq!(error.to_string(), "https://a.ci/x redirects more than 20 times, lastly to https://a.ci/x");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_after_the_limit() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/x", listener.local_addr().unwrap())).unwrap();
    let limit = std::time::Duration::from_millis(1200);
    let error = visitor().ask(Method::GET, &url).within(limit).send().await.unwrap_err();
    assert_eq!(error.why, "no answer in 1.2 s");
}

#[tokio::test]
async fn what_is_asked_is_put_down_without_cookies_and_tokens() {
    let server = Scripted::start(|request, _| match request.starts_with("POST") {
        true => ("302 Found\r\nlocation: /home?code=s-1\r\nset-cookie: sid=s-2".to_owned(), String::new()),
        false => ("200 OK\r\ncontent-type: text/plain".to_owned(), "x".repeat(100_000)),
    })
    .await;
    let recorder = base::exchange::Recorder::default();
    let http = Http::new(&HttpConfig::default()).unwrap().recorded_by(&recorder);
    let visitor = http.session();
    let login = Url::parse(&format!("{}/login?state=s-3#s-4", server.url)).unwrap();
    let form = [("user", "eve"), ("password", "s-5")];
    visitor.ask(Method::POST, &login).bearer(&SecretString::from("s-6")).form(form).send().await.unwrap();
    http.get(&format!("{}/page", server.url), std::time::Instant::now() + std::time::Duration::from_secs(9))
        .await
        .unwrap();
    drop(server);
    let nobody = Url::parse("http://127.0.0.1:9/").unwrap();
    visitor.ask(Method::GET, &nobody).send().await.unwrap_err();
    let (list, _) = recorder.take().shown(&base::redact::Redactor::new());
    let text = serde_json::to_string(&list).unwrap();
    assert!(!text.contains("s-"), "{text}");
    let [posted, got, refused] = list.as_slice() else { panic!("{text}") };
    assert_eq!((posted.method.as_str(), posted.status), ("POST", Some(302)));
    assert_eq!(posted.request.text, "user=eve&password=[redacted]");
    assert_eq!((posted.answer.location.as_str(), posted.request.bytes), ("/home?code=[redacted]", 21));
    assert_eq!((got.answer.media.as_str(), got.answer.bytes, got.answer.cut), ("text/plain", 100_000, true));
    assert_eq!(got.answer.text.len(), 600);
    assert!(refused.status.is_none() && refused.error.contains("refused"), "{text}");
}
