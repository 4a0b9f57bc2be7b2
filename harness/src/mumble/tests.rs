use super::*;
use crate::tls::Trust;
use crate::tls::scripted::self_signed;

const PATIENCE: Duration = Duration::from_secs(10);

fn frame(kind: u16, message: &Message) -> Vec<u8> {
    super::frame(kind, message.encoded())
}

/// What a server of 1.5 says to who is let in, with a kind that a test has no use for in between.
fn let_in() -> Vec<u8> {
    let version = Message::new().number(1, 1 << 16 | 5 << 8 | 255).number(5, 1 << 48 | 5 << 32 | 735 << 16);
    [
        frame(kind::VERSION, &version),
        frame(15, &Message::new().bytes(1, &[7; 16])),
        frame(kind::CHANNEL_STATE, &Message::new().number(1, 0).text(3, "Root")),
        frame(kind::USER_STATE, &Message::new().number(1, 9).text(3, "alice")),
        frame(kind::SYNC, &Message::new().number(1, 9)),
    ]
    .concat()
}

/// Joins a server that says this to everybody and then keeps what it is told until the client ends.
async fn joined(says: Vec<u8>, patience: Duration) -> Result<Result<Client, Refused>, MumbleError> {
    let at = self_signed("voice.test.invalid").serve(move |mut stream| {
        let says = says.clone();
        async move {
            let _ = stream.write_all(&says).await;
            let _ = stream.flush().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let (tls, at) = (Tls::new(Trust::Anyone, None).unwrap(), at.await);
    let server = Server { host: "127.0.0.1", port: at.port(), name: "voice.test.invalid" };
    Client::join(&tls, server, "alice", "", patience).await
}

#[tokio::test]
async fn who_is_let_in_knows_itself_the_version_and_the_channels() {
    let mut client = joined([let_in(), frame(kind::PING, &Message::new())].concat(), PATIENCE).await.unwrap().unwrap();
    assert_eq!((client.session, client.version, client.me.text(3)), (9, (1, 5, 735), Some("alice")));
    assert_eq!(client.channels[&0].text(3), Some("Root"));
    assert!(client.got_no(kind::TEXT).await.unwrap());
}

#[tokio::test]
async fn who_is_refused_is_told_why() {
    let says = frame(kind::REJECT, &Message::new().number(1, 3).text(2, "Wrong password"));
    let refused = joined(says, PATIENCE).await.unwrap().err().unwrap();
    assert_eq!(refused, Refused { kind: Refused::WRONG_PASSWORD, why: "Wrong password".to_owned() });
}

#[tokio::test]
async fn messages_are_waited_for_and_others_are_passed_over() {
    let text = |words: &str| frame(kind::TEXT, &Message::new().number(1, 4).text(5, words));
    let more = [
        text("one"),
        frame(kind::VOICE, &Message::new()),
        text("two"),
        text("three"),
        frame(kind::PING, &Message::new()),
    ];
    let mut client = joined([let_in(), more.concat()].concat(), PATIENCE).await.unwrap().unwrap();
    let said = client.next(kind::TEXT, "a text", |said| said.text(5) == Some("two")).await.unwrap();
    assert_eq!(said.number(1), Some(4));
    assert!(!client.got_no(kind::TEXT).await.unwrap(), "the third text came before the answer to the ping");
}

#[tokio::test]
async fn what_speaks_something_else_or_nothing_is_told() {
    let wrong = joined(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), PATIENCE).await.unwrap_err();
    assert!(matches!(wrong, MumbleError::NoFrame(_)), "{wrong}");
    let wrong = joined(Vec::new(), Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(wrong, MumbleError::Late(_)), "{wrong}");
    let nameless = [frame(kind::SYNC, &Message::new().number(1, 9))].concat();
    assert!(matches!(joined(nameless, PATIENCE).await, Err(MumbleError::Untold(_))));
}

#[test]
fn servers_of_before_have_a_shorter_version() {
    assert_eq!(version(&frame(kind::VERSION, &Message::new().number(1, 0x01_03_04))), Some((1, 3, 4)));
    assert_eq!(version(&let_in()), Some((1, 5, 735)));
    assert_eq!(version(&frame(kind::TEXT, &Message::new().number(1, 1))), None);
    assert_eq!((version(b"HTTP/1.1 400 Bad Request"), version(&let_in()[..8])), (None, None));
}

#[tokio::test]
async fn a_ping_by_udp_is_answered_with_what_was_sent_or_not_at_all() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut asked = [0; 64];
        for round in 0.. {
            let (length, from) = server.recv_from(&mut asked).await.unwrap();
            let numbers = [2_u32, 100, 558_000].map(u32::to_be_bytes).concat();
            let answer = [&[0, 1, 5, 255], &asked[4..length], &numbers].concat();
            match round {
                0 => drop(server.send_to(&answer, from).await),
                1 => drop(server.send_to(&asked[..length], from).await),
                _ => {}
            }
        }
    });
    let pong = ping("127.0.0.1", port, 77, PATIENCE).await.unwrap();
    assert_eq!(pong, Some(Pong { version: (1, 5), users: 2, most: 100 }));
    assert!(ping("127.0.0.1", port, 77, PATIENCE).await.is_err(), "an echo is no answer");
    assert_eq!(ping("127.0.0.1", port, 77, Duration::from_millis(50)).await.unwrap(), None);
}
