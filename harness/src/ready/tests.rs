use std::cell::RefCell;
use std::net::SocketAddr;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::tls::Trust;
use crate::tls::scripted::{self_signed, signed};

fn patience(in_a_row: u32, ms: u64) -> Patience {
    Patience {
        in_a_row: in_a_row.try_into().unwrap(),
        between: Duration::from_millis(1),
        deadline: Instant::now() + Duration::from_millis(ms),
    }
}

/// Each try has the next of these ends, the last one for ever: right where it is empty.
async fn over(ends: &[&str], patience: Patience) -> (Result<(), Failure>, Vec<String>, usize) {
    let (mut lines, tries) = (Vec::new(), RefCell::new(0));
    let ended = steadily("the port", patience, &mut |line| lines.push(line.to_owned()), || {
        let mut tries = tries.borrow_mut();
        let end = (*ends.get(*tries).or(ends.last()).unwrap()).to_owned();
        *tries += 1;
        async move { if end.is_empty() { Ok(()) } else { Err(Unmet::NotYet(end)) } }
    })
    .await;
    (ended, lines, tries.into_inner())
}

/// A port at which each connection ends in the same way.
async fn port(end: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            end(stream);
        }
    });
    at
}

async fn taken(at: SocketAddr) -> Result<(), String> {
    takes_connections("127.0.0.1", at.port()).await.map_err(words)
}

fn words(unmet: Unmet) -> String {
    match unmet {
        Unmet::NotYet(why) => why,
        Unmet::Never(failure) => failure.what,
    }
}

#[tokio::test]
async fn it_is_asked_until_it_was_right_often_enough_and_each_change_is_told_once() {
    let (ended, lines, tries) = over(&["closed", "closed", "", "reset", "", "", ""], patience(3, 10_000)).await;
    assert_eq!((ended, tries), (Ok(()), 7));
    assert_eq!(lines, ["the port: closed", "the port: reset"]);
    let (ended, lines, tries) = over(&[""], patience(1, 10_000)).await;
    assert_eq!((ended, lines.len(), tries), (Ok(()), 0, 1));
}

#[tokio::test]
async fn at_the_deadline_the_last_wrong_answer_is_told() {
    let failure = over(&["closed", "reset"], patience(1, 100)).await.0.unwrap_err();
    assert_eq!(failure.kind, Kind::NoAnswer);
    assert!(failure.what.starts_with("the port is not ready: reset, after "), "{}", failure.what);
}

#[tokio::test]
async fn what_comes_and_goes_is_not_ready() {
    let flapping = ["", "", "reset"].repeat(500);
    let failure = over(&flapping, patience(3, 300)).await.0.unwrap_err();
    let said = "the port comes and goes: right at most 2 of 3 times in a row, then reset, after ";
    assert!(failure.what.starts_with(said), "{}", failure.what);
    let slow = Patience { between: Duration::from_secs(60), ..patience(3, 10_000) };
    let failure = over(&[""], slow).await.0.unwrap_err();
    assert!(failure.what.contains("right 1 times in a row when time is up, and 3 are wanted"), "{}", failure.what);
}

#[tokio::test]
async fn a_try_that_hangs_ends_at_the_deadline() {
    let ended = steadily("the port", patience(1, 50), &mut |_| {}, std::future::pending).await;
    assert!(ended.unwrap_err().what.starts_with("the port is not ready: no answer in time, after 1 tries"));
}

#[tokio::test]
async fn what_cannot_change_is_not_waited_for() {
    let never = Failure::new(Kind::CheckBroken, "no such service", "recipe.toml");
    let ended = steadily("x", patience(1, 60_000), &mut |_| {}, async || Err(Unmet::Never(never.clone()))).await;
    assert_eq!(ended, Err(never));
}

#[tokio::test]
async fn a_port_is_open_that_greets_or_waits_and_not_one_that_ends_or_refuses() {
    let kept = std::sync::Mutex::new(Vec::new());
    let silent = port(move |stream| kept.lock().unwrap().push(stream)).await;
    assert_eq!(taken(silent).await, Ok(()));
    let greets = port(|mut stream| {
        tokio::spawn(async move { stream.write_all(b"220 hello\r\n").await });
    });
    assert_eq!(taken(greets.await).await, Ok(()));
    let ends = port(drop).await;
    assert_eq!(taken(ends).await, Err("it takes the connection and ends it at once".to_owned()));
    let resets = port(|stream| {
        // No time to send what is left: a reset in place of an end.
        stream.set_zero_linger().unwrap();
    });
    let said = taken(resets.await).await.unwrap_err();
    assert!(said.contains("reset"), "{said}");
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let said = taken(gone).await.unwrap_err();
    assert!(said.contains("refused"), "{said}");
}

#[tokio::test]
async fn a_handshake_needs_a_server_that_speaks_tls_and_its_right_certificate() {
    let certificate = signed("voice.test.invalid");
    let tls = Tls::new(Trust::Authorities(&certificate.authority), None).unwrap();
    let (right, own) =
        (certificate.serve(async |_| ()).await, self_signed("voice.test.invalid").serve(async |_| ()).await);
    let asked = async |tls: &Tls, at: SocketAddr, name: &str| {
        shakes_hands(tls, Server { host: "127.0.0.1", port: at.port(), name }).await.map_err(words)
    };
    assert_eq!(asked(&tls, right, "voice.test.invalid").await, Ok(()));
    let said = asked(&tls, right, "mail.test.invalid").await.unwrap_err();
    assert!(said.starts_with("the certificate is not good for mail.test.invalid: "), "{said}");
    let said = asked(&tls, own, "voice.test.invalid").await.unwrap_err();
    assert!(said.starts_with("the certificate is not good for voice.test.invalid: "), "{said}");
    assert_eq!(asked(&Tls::new(Trust::Anyone, None).unwrap(), own, "voice.test.invalid").await, Ok(()));
    let said = asked(&tls, port(drop).await, "voice.test.invalid").await.unwrap_err();
    assert!(said.starts_with("the TLS handshake fails: "), "{said}");
    let resets = port(|stream| stream.set_zero_linger().unwrap()).await;
    let said = asked(&tls, resets, "voice.test.invalid").await.unwrap_err();
    assert!(said.starts_with("the TLS handshake fails: "), "{said}");
}
