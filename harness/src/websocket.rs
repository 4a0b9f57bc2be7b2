//! A websocket, as a client: messages of bytes both ways over one connection by HTTPS. Source: RFC 6455.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::tls::{Server, Tls, TlsError, TlsStream};

/// No head of an answer and no message is longer, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
const LONGEST: u64 = 8 * 1024 * 1024;
/// What a server adds to the client's key before it hashes it.
const MARK: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const CONTINUES: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub enum WebSocketError {
    /// The server cannot be connected to.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The connection broke.
    #[error("the websocket broke: {0}")]
    Broken(#[from] std::io::Error),
    /// The server speaks no websocket there.
    #[error("{path} is no websocket: it answered {said:?}")]
    Refused {
        /// What was asked.
        path: String,
        /// The first line of the answer.
        said: String,
    },
    /// The server ended it.
    #[error("the server closed the websocket")]
    Closed,
    /// A message is too long, or breaks the protocol.
    #[error("the server sent no frame of a websocket")]
    NoFrame,
    /// Nothing came.
    #[error("nothing came by the websocket in time")]
    Late,
}

/// One connection.
#[derive(Debug)]
pub struct WebSocket {
    stream: TlsStream<TcpStream>,
    patience: Duration,
}

impl WebSocket {
    /// Opens one at a path of a server. Each wait is at most `patience`.
    ///
    /// # Errors
    /// See [`WebSocketError`].
    pub async fn connect(
        tls: &Tls,
        server: Server<'_>,
        path: &str,
        patience: Duration,
    ) -> Result<Self, WebSocketError> {
        let stream = tls.connect(server, Instant::now() + patience).await?;
        let mut new = Self { stream, patience };
        let key = BASE64_STANDARD.encode(rand::random::<[u8; 16]>());
        let ask = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n",
            server.name
        );
        new.stream.write_all(ask.as_bytes()).await?;
        new.stream.flush().await?;
        let head = tokio::time::timeout(patience, new.head()).await.map_err(|_| WebSocketError::Late)??;
        if is_agreed(&head, &key) {
            return Ok(new);
        }
        let said = head.lines().next().unwrap_or_default().chars().take(200).collect();
        Err(WebSocketError::Refused { path: path.to_owned(), said })
    }

    /// Sends a message.
    pub async fn send(&mut self, message: &[u8]) -> Result<(), WebSocketError> {
        self.send_frame(BINARY, message).await
    }

    /// The next message, of text or of bytes.
    pub async fn receive(&mut self) -> Result<Vec<u8>, WebSocketError> {
        tokio::time::timeout(self.patience, self.message()).await.map_err(|_| WebSocketError::Late)?
    }

    async fn message(&mut self) -> Result<Vec<u8>, WebSocketError> {
        let mut message = Vec::new();
        loop {
            let (kind, is_last, bytes) = self.frame().await?;
            match kind {
                PING => self.send_frame(PONG, &bytes).await?,
                PONG => {}
                CLOSE => return Err(WebSocketError::Closed),
                CONTINUES | 1 | BINARY => {
                    message.extend(bytes);
                    if message.len() as u64 > LONGEST {
                        return Err(WebSocketError::NoFrame);
                    }
                    if is_last {
                        return Ok(message);
                    }
                }
                _ => return Err(WebSocketError::NoFrame),
            }
        }
    }

    async fn frame(&mut self) -> Result<(u8, bool, Vec<u8>), WebSocketError> {
        let [first, second] = self.stream.read_u16().await?.to_be_bytes();
        let length = match second {
            // A server masks nothing.
            0x80.. => return Err(WebSocketError::NoFrame),
            127 => self.stream.read_u64().await?,
            126 => self.stream.read_u16().await?.into(),
            short => short.into(),
        };
        if length > LONGEST {
            return Err(WebSocketError::NoFrame);
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| WebSocketError::NoFrame)?];
        self.stream.read_exact(&mut bytes).await?;
        Ok((first & 0x0f, first & 0x80 != 0, bytes))
    }

    async fn send_frame(&mut self, kind: u8, bytes: &[u8]) -> Result<(), WebSocketError> {
        let mask = rand::random::<[u8; 4]>();
        let mut frame = vec![0x80 | kind];
        match bytes.len() {
            short @ 0..=125 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(mask);
        frame.extend(bytes.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&frame).await?;
        Ok(self.stream.flush().await?)
    }

    async fn head(&mut self) -> Result<String, WebSocketError> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
            match self.stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(error) if head.is_empty() => return Err(error.into()),
                Err(_) => break,
            }
        }
        Ok(String::from_utf8_lossy(&head).into_owned())
    }
}

/// Whether an answer says that the connection is a websocket from now on.
fn is_agreed(head: &str, key: &str) -> bool {
    let wanted = BASE64_STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MARK}").as_bytes()));
    let mut lines = head.lines();
    let is_switched = lines.next().is_some_and(|line| line.split_whitespace().nth(1) == Some("101"));
    let accepted = lines
        .filter_map(|line| line.split_once(':'))
        .find_map(|(name, value)| name.eq_ignore_ascii_case("sec-websocket-accept").then(|| value.trim().to_owned()));
    is_switched && accepted == Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Trust;
    use crate::tls::scripted::self_signed;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// The example of the RFC.
    #[test]
    fn the_answer_to_a_key_is_the_one_of_the_description() {
        let head = |accept: &str| format!("HTTP/1.1 101 Switching Protocols\r\nSEC-websocket-accept: {accept}\r\n\r\n");
        assert!(is_agreed(&head("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(!is_agreed(&head("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "another"));
        assert!(!is_agreed(&head("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").replace("101", "200"), "dGhlIHNhbXBsZSBub25jZQ=="));
    }

    /// Connects to a server that agrees, says these frames, and then says back what it is sent, without its mask.
    async fn connected(says: &'static [u8]) -> Result<WebSocket, WebSocketError> {
        let at = self_signed("web.test.invalid").serve(move |mut stream| async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
            let accept = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MARK}").as_bytes());
            let answer =
                format!("HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: {}\r\n\r\n", BASE64_STANDARD.encode(accept));
            stream.write_all(&[answer.as_bytes(), says].concat()).await.unwrap();
            let [kind, length] = stream.read_u16().await.unwrap().to_be_bytes();
            let mut bytes = vec![0; usize::from(length & 0x7f) + 4];
            stream.read_exact(&mut bytes).await.unwrap();
            let (mask, bytes) = bytes.split_at(4);
            let plain: Vec<u8> = bytes.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            stream.write_all(&[&[kind & 0x8f, length & 0x7f][..], &plain].concat()).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        connect(at.await.port()).await
    }

    async fn connect(port: u16) -> Result<WebSocket, WebSocketError> {
        let tls = Tls::new(Trust::Anyone, None).unwrap();
        let server = Server { host: "127.0.0.1", port, name: "web.test.invalid" };
        WebSocket::connect(&tls, server, "/", PATIENCE).await
    }

    #[tokio::test]
    async fn messages_go_both_ways_in_one_frame_or_several() {
        let mut socket = connected(b"\x02\x03one\x80\x04more\x81\x04text").await.unwrap();
        assert_eq!(socket.receive().await.unwrap(), b"onemore");
        assert_eq!(socket.receive().await.unwrap(), b"text");
        socket.send(b"hello").await.unwrap();
        assert_eq!(socket.receive().await.unwrap(), b"hello");
    }

    #[tokio::test]
    async fn a_ping_is_answered_and_an_end_is_told() {
        // The server says the pong back, which is no message either.
        let mut socket = connected(b"\x89\x02hi\x81\x02ho\x88\x00").await.unwrap();
        assert_eq!(socket.receive().await.unwrap(), b"ho");
        assert!(matches!(socket.receive().await, Err(WebSocketError::Closed)));
        let wrong = connected(b"\x82\x85hello").await.unwrap().receive().await;
        assert!(matches!(wrong, Err(WebSocketError::NoFrame)), "a server that masks: {wrong:?}");
    }

    #[tokio::test]
    async fn what_answers_as_a_page_is_no_websocket() {
        let at = self_signed("web.test.invalid").serve(|mut stream| async move {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
            let _ = stream.shutdown().await;
        });
        let said = connect(at.await.port()).await.unwrap_err().to_string();
        assert_eq!(said, "/ is no websocket: it answered \"HTTP/1.1 200 OK\"");
    }
}
