use serde_json::json;

use super::*;
use crate::scripted::{Script, Scripted};
use http_client::HttpConfig;

const PATIENCE: Duration = Duration::from_secs(5);

async fn connected(script: Script) -> (Scripted, Result<SocketIo, SocketIoError>) {
    let server = Scripted::start(script).await;
    let url = Url::parse(&server.url).unwrap();
    let http = Http::new(&HttpConfig::default()).unwrap();
    let new = SocketIo::connect(&http, &url, PATIENCE).await;
    (server, new)
}

fn fine(body: &str) -> (String, String) {
    ("200 OK".to_owned(), body.to_owned())
}

/// What a server pushes comes in one body, between the packets of the protocol itself.
fn talkative(request: &str, _: &str) -> (String, String) {
    if request.starts_with("POST") {
        fine("ok")
    } else if !request.contains("sid=") {
        fine(r#"0{"sid":"s 1","upgrades":["websocket"],"pingInterval":25000}"#)
    } else {
        fine(concat!(
            r#"40{"sid":"x"}"#,
            "\u{1e}",
            "2",
            "\u{1e}",
            r#"42["beat",{"n":1}]"#,
            "\u{1e}",
            r#"431["other"]"#,
            "\u{1e}",
            r#"430[{"ok":true}]"#,
            "\u{1e}",
            r#"42["beat",{"n":2}]"#
        ))
    }
}

#[tokio::test]
async fn a_call_has_its_own_answer_and_what_came_meanwhile_stays() {
    let (server, new) = connected(talkative).await;
    let mut socket = new.unwrap();
    assert_eq!(socket.call("do", &[json!("x"), json!(1)], PATIENCE).await.unwrap(), json!({ "ok": true }));
    let beat = socket.event("beat", PATIENCE, |values| values[0]["n"] == 2).await.unwrap();
    assert_eq!(beat, [json!({ "n": 2 })]);
    assert_eq!(socket.event("beat", PATIENCE, |_| true).await.unwrap(), [json!({ "n": 1 })]);
    let seen = server.seen();
    assert!(seen.iter().any(|request| request.ends_with("\r\n\r\n420[\"do\",\"x\",1]")), "{seen:?}");
    assert!(seen.iter().any(|request| request.ends_with("\r\n\r\n3")), "a ping has its pong: {seen:?}");
    assert!(seen[1].contains("sid=s+1"), "{seen:?}");
}

#[tokio::test]
async fn an_event_that_does_not_come_is_late() {
    let (_server, new) = connected(talkative).await;
    let late = new.unwrap().event("never", Duration::from_millis(50), |_| true).await.unwrap_err();
    assert_eq!(late.to_string(), "the event never did not come in time");
}

#[tokio::test]
async fn what_is_no_server_of_socket_io_is_named() {
    let (_server, new) = connected(|_, _| ("404 Not Found".to_owned(), "nothing".to_owned())).await;
    let error = new.unwrap_err().to_string();
    assert!(error.ends_with("/socket.io/ answered 404, so it speaks no Socket.IO there: nothing"), "{error}");
    let (_server, new) = connected(|_, _| fine("<html>")).await;
    assert_eq!(new.unwrap_err(), SocketIoError::NoPacket("<html>".to_owned()));
}

#[test]
fn packets_are_read_and_nothing_else_is_one() {
    assert_eq!(packet("2").unwrap(), Packet::Ping);
    assert_eq!(packet("6").unwrap(), Packet::Nothing);
    assert_eq!(packet(r#"42["a",1,[2]]"#).unwrap(), Packet::Event("a".to_owned(), vec![json!(1), json!([2])]));
    assert_eq!(packet("4312[]").unwrap(), Packet::Answer(12, Vec::new()));
    assert_eq!(packet("41").unwrap_err(), SocketIoError::Closed("it said no more".to_owned()));
    assert_eq!(packet(r#"44{"message":"no"}"#).unwrap_err(), SocketIoError::Closed(r#"{"message":"no"}"#.to_owned()));
    for none in ["", "4", "42", "42[]", "42[1]", "43x[]", "<html>", "42[\"a\"", "é[]"] {
        assert_eq!(packet(none).unwrap_err(), no_packet(none), "{none}");
    }
}
