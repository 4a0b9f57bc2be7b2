use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A server on a free port that gives each connection the next answer, and the last one for ever.
async fn server(answers: &'static [&'static str]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for count in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let answer = answers.get(count).or(answers.last()).unwrap();
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://app.test.invalid:{}/x", address.port())
}

fn http() -> Http {
    let resolve = vec![("test.invalid".to_owned(), IpAddr::from([127, 0, 0, 1]))];
    Http::new(&HttpConfig { ca_pem: None, resolve }).unwrap()
}

fn expect(url: String) -> Expect {
    Expect { url, status: vec![200], body: Some("hello".to_owned()) }
}

fn soon(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

const BAD: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\nset-cookie: a=b\r\nconnection: close\r\n\r\nbad";
const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: b\r\nconnection: close\r\n\r\nhello";
const AWAY: &str = "HTTP/1.1 302 Found\r\nlocation: /y\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn it_asks_until_the_answer_is_right_and_tells_each_change_once() {
    let url = server(&[BAD, BAD, EMPTY, GOOD]).await;
    let mut lines = Vec::new();
    let answer =
        http().answers(&expect(url.clone()), soon(5000), &mut |line| lines.push(line.to_owned())).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str(), answer.tries), (200, "hello", 4));
    assert!(answer.headers.contains(&("x-a".to_owned(), "b".to_owned())));
    assert_eq!(
        lines,
        [format!("{url} answered 502 (wanted 200)"), format!("{url} answered 200 without \"hello\" in the body")]
    );
}

#[tokio::test]
async fn at_the_deadline_the_last_answer_is_told() {
    let url = server(&[BAD]).await;
    let failure = http().answers(&expect(url.clone()), soon(300), &mut |_| {}).await.unwrap_err();
    assert_eq!(failure.kind, Kind::NoAnswer);
    assert!(failure.what.starts_with(&format!("{url} answered 502 (wanted 200), after ")), "{}", failure.what);
    assert!(failure.detail.starts_with("status 502\n") && failure.detail.ends_with("\nbad"), "{}", failure.detail);
    assert!(!failure.detail.contains("a=b"), "a cookie is in the report: {}", failure.detail);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let url = server(&[AWAY]).await;
    assert_eq!(http().get(&url, soon(5000)).await.unwrap().status, 302);
}

#[tokio::test]
async fn nobody_there_is_no_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://app.test.invalid:{}/", listener.local_addr().unwrap().port());
    drop(listener);
    let failure = http().answers(&expect(url), soon(100), &mut |_| {}).await.unwrap_err();
    assert_eq!(failure.kind, Kind::ProxyUnreachable, "TLS ends in traefik: an app refuses no connection");
    assert!(failure.what.contains("does not answer: Connection refused"), "{}", failure.what);
}

#[tokio::test]
async fn a_server_that_says_nothing_does_not_outlive_the_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://app.test.invalid:{}/", listener.local_addr().unwrap().port());
    let start = Instant::now();
    let failure = http().answers(&expect(url), soon(200), &mut |_| {}).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(3));
    assert!(failure.what.contains("does not answer: time is up"), "{}", failure.what);
}

#[test]
fn only_names_at_or_below_the_base_are_answered_for() {
    let (one, two) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
    let below = Below(vec![("ci.localhost".to_owned(), one), ("b.example".to_owned(), two)]);
    for name in ["ci.localhost", "a.b.ci.localhost", "A.CI.localhost."] {
        assert_eq!(below.address(name), Some(one), "{name}");
    }
    assert_eq!(below.address("b.example"), Some(two));
    for name in ["localhost", "xci.localhost", "ci.localhost.org", "xb.example"] {
        assert_eq!(below.address(name), None, "{name}");
    }
}

#[test]
fn a_file_that_is_no_certificate_is_named() {
    let config = HttpConfig { ca_pem: Some(b"nonsense".to_vec()), resolve: Vec::new() };
    assert_eq!(Http::new(&config).unwrap_err().kind, Kind::WorldIncomplete);
}

/// A TLS server with a certificate of a CA of its own. Gives its address and the CA's PEM.
fn tls_server(name: &str) -> (String, String) {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&ca_key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let certificate = rcgen::CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(GOOD.as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (format!("https://{name}:{port}/"), ca.pem())
}

#[tokio::test]
async fn a_certificate_of_the_given_authority_is_trusted_and_no_other() {
    let (url, pem) = tls_server("app.test.invalid");
    let resolve = vec![("test.invalid".to_owned(), IpAddr::from([127, 0, 0, 1]))];
    let trusting = Http::new(&HttpConfig { ca_pem: Some(pem.into_bytes()), resolve }).unwrap();
    assert_eq!(trusting.get(&url, soon(5000)).await.unwrap().body, "hello");
    let failure = http().get(&url, soon(5000)).await.unwrap_err();
    assert!(failure.what.contains("certificate"), "{}", failure.what);
    assert!(failure.look_at.contains("certificate"), "{}", failure.look_at);
}

fn at(url: &str) -> Url {
    url.parse().unwrap()
}

/// A server that answers one request with what it got, as its body.
async fn echo() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = String::new();
        // Both bodies below end so, and no header does.
        while !got.ends_with('Z') && !got.ends_with("Z\"}") {
            let mut part = [0; 4096];
            let n = stream.read(&mut part).await.unwrap();
            got.push_str(std::str::from_utf8(&part[..n]).unwrap());
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{got}", got.len());
        stream.write_all(head.as_bytes()).await.unwrap();
    });
    format!("http://{address}/x")
}

#[tokio::test]
async fn a_request_has_its_method_its_authority_and_its_body() {
    let form = http().ask(Method::POST, &at(&echo().await)).basic("ada", &"pass".into());
    let got = form.form([("a b", "1&2"), ("c", "=éZ")]).send().await.unwrap().body;
    assert!(got.starts_with("POST /x HTTP/1.1\r\n"), "{got}");
    assert!(got.contains("authorization: Basic YWRhOnBhc3M=\r\n"), "{got}");
    assert!(got.contains("content-type: application/x-www-form-urlencoded\r\n"), "{got}");
    assert!(got.ends_with("\r\n\r\na+b=1%262&c=%3D%C3%A9Z"), "{got}");

    let json = http().ask(Method::PUT, &at(&echo().await)).bearer(&"t0ken".into()).json(&serde_json::json!({"a": "Z"}));
    let shown = format!("{json:?}");
    assert!(shown.contains("PUT http") && !shown.contains("t0ken") && !shown.contains('Z'), "{shown}");
    let got = json.send().await.unwrap().body;
    assert!(got.starts_with("PUT /x HTTP/1.1\r\n") && got.contains("authorization: Bearer t0ken\r\n"), "{got}");
    assert!(got.contains("content-type: application/json\r\n") && got.ends_with("\r\n\r\n{\"a\":\"Z\"}"), "{got}");
}

#[tokio::test]
async fn a_request_reads_as_much_and_waits_as_long_as_it_says() {
    let url = server(&[GOOD]).await;
    assert_eq!(http().ask(Method::GET, &at(&url)).up_to(2).send().await.unwrap().body, "he");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = at(&format!("http://{}/", listener.local_addr().unwrap()));
    let start = Instant::now();
    let failure = http().ask(Method::GET, &silent).within(Duration::from_millis(300)).send().await.unwrap_err();
    assert!(failure.to_string().ends_with("does not answer: no answer in 0.3 s"), "{failure}");
    assert!(start.elapsed() < Duration::from_secs(5));
}
