use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::scripted::{self_signed, signed};
use super::*;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn at(port: u16, name: &str) -> Server<'_> {
    Server { host: "127.0.0.1", port, name }
}

async fn greets(mut stream: tokio_rustls::server::TlsStream<TcpStream>) {
    let _ = stream.write_all(b"hello").await;
    let _ = stream.shutdown().await;
}

#[tokio::test]
async fn a_certificate_for_the_name_is_believed_and_bytes_come_through() {
    let certificate = signed("voice.test.invalid");
    let tls = Tls::new(Trust::Authorities(&certificate.authority), None).unwrap();
    let place = certificate.serve(greets).await;
    let mut stream = tls.connect(at(place.port(), "voice.test.invalid"), soon()).await.unwrap();
    let mut said = [0; 5];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"hello");
}

#[tokio::test]
async fn a_certificate_for_another_name_or_of_another_authority_is_not() {
    let certificate = signed("voice.test.invalid");
    let tls = Tls::new(Trust::Authorities(&certificate.authority), None).unwrap();
    let place = certificate.serve(greets).await;
    let wrong = tls.connect(at(place.port(), "other.test.invalid"), soon()).await.unwrap_err();
    assert!(matches!(&wrong, TlsError::Certificate { name, .. } if name == "other.test.invalid"), "{wrong}");
    assert!(wrong.to_string().contains("not valid for"), "{wrong}");

    let stranger = self_signed("voice.test.invalid").serve(greets).await;
    let wrong = tls.connect(at(stranger.port(), "voice.test.invalid"), soon()).await.unwrap_err();
    assert!(matches!(wrong, TlsError::Certificate { .. }), "{wrong}");
    let anyone = Tls::new(Trust::Anyone, Some(&Identity::new("me").unwrap())).unwrap();
    assert!(anyone.connect(at(stranger.port(), "voice.test.invalid"), soon()).await.is_ok());
}

#[tokio::test]
async fn what_is_not_there_and_what_speaks_no_tls_are_told_apart() {
    let tls = Tls::new(Trust::Anyone, None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        let _ = stream.write_all(b"220 mail.test.invalid ESMTP\r\n").await;
        // Until the other side has gone: a reset would say less.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let wrong = tls.connect(at(place.port(), "a.test.invalid"), soon()).await.unwrap_err();
    assert!(matches!(wrong, TlsError::Handshake(_)), "{wrong}");
    let wrong = tls.connect(at(place.port(), "a.test.invalid"), soon()).await.unwrap_err();
    assert!(matches!(&wrong, TlsError::Unreachable(why) if why.contains("refused")), "{wrong}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_late() {
    let tls = Tls::new(Trust::Anyone, None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let soon = Instant::now() + Duration::from_millis(50);
    assert_eq!(tls.connect(at(port, "a.test.invalid"), soon).await.unwrap_err(), TlsError::Late);
}

#[test]
fn an_identity_outlives_a_test_as_one_word_and_shows_nothing_of_itself() {
    let identity = Identity::new("alice").unwrap();
    assert_eq!(Identity::of_secret(&identity.to_secret()).unwrap(), identity);
    assert!(Identity::of_secret("no").is_err());
    assert_eq!(format!("{identity:?}"), "Identity { .. }");
}

#[test]
fn authorities_that_are_none_are_refused() {
    assert!(Tls::new(Trust::Authorities(b"nothing"), None).is_err());
}
