//! A client of a Mumble server, as far as tests need one: it is let in or not, and then exchanges messages.
//!
//! Over TLS come frames: the kind of a message (two bytes), its length (four), and the message, which is one of Protocol
//! Buffers but for voice. Source: the protocol's own description; the numbers were seen against a server of 1.5.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use crate::protobuf::{Fields, Message, NoMessage};
use crate::tls::{Server, Tls, TlsError, TlsStream};

/// No message is longer, in bytes.
const LONGEST: u32 = 8 * 1024 * 1024;
/// The highest kind that a server may send; there are half as many today.
const KINDS: u16 = 64;

/// The kinds of messages.
pub mod kind {
    /// A version.
    pub const VERSION: u16 = 0;
    /// A packet of voice, where UDP does not get through.
    pub const VOICE: u16 = 1;
    /// Who asks to be let in.
    pub const AUTHENTICATE: u16 = 2;
    /// Is answered in the order in which it comes.
    pub const PING: u16 = 3;
    /// The answer to who is not let in.
    pub const REJECT: u16 = 4;
    /// Everything has been told to who is let in.
    pub const SYNC: u16 = 5;
    /// A channel goes.
    pub const CHANNEL_REMOVE: u16 = 6;
    /// A channel is made or changed.
    pub const CHANNEL_STATE: u16 = 7;
    /// A user comes or changes.
    pub const USER_STATE: u16 = 9;
    /// A text.
    pub const TEXT: u16 = 11;
    /// Something was not allowed.
    pub const DENIED: u16 = 12;
    /// The registered users.
    pub const USER_LIST: u16 = 18;
}

/// Why there is no talk with a server.
#[derive(Debug, thiserror::Error)]
pub enum MumbleError {
    /// It cannot be connected to.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The connection broke.
    #[error("the connection to the voice server broke: {0}")]
    Broken(#[from] std::io::Error),
    /// What came is no message of its kind.
    #[error(transparent)]
    NoMessage(#[from] NoMessage),
    /// What answers speaks something else.
    #[error("what answers is no voice server: it sent no frame of Mumble's, but {0:?}")]
    NoFrame([u8; 6]),
    /// What was waited for did not come.
    #[error("{0} did not come in time")]
    Late(String),
    /// The server left out what it has to tell.
    #[error("the server did not tell {0}")]
    Untold(&'static str),
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// By number.
    pub kind: u64,
    /// In the server's words.
    pub why: String,
}

impl Refused {
    /// A wrong password, or a registered name without its certificate.
    pub const WRONG_PASSWORD: u64 = 3;
}

/// One that was let in.
#[derive(Debug)]
pub struct Client {
    stream: TlsStream<TcpStream>,
    patience: Duration,
    /// Its number, by which messages name it.
    pub session: u64,
    /// The server's version: major, minor, patch.
    pub version: (u64, u64, u64),
    /// The channels that there were when it came, by their numbers.
    pub channels: BTreeMap<u64, Fields>,
    /// What the server says of it.
    pub me: Fields,
}

impl Client {
    /// Asks to be let in. Each wait is at most `patience`.
    ///
    /// # Errors
    /// When that is not answered. [`Refused`] is an answer.
    pub async fn join(
        tls: &Tls,
        server: Server<'_>,
        user: &str,
        password: &str,
        patience: Duration,
    ) -> Result<Result<Self, Refused>, MumbleError> {
        let stream = tls.connect(server, Instant::now() + patience).await?;
        let (channels, me) = (BTreeMap::new(), Fields::default());
        let mut new = Self { stream, patience, session: 0, version: (0, 0, 0), channels, me };
        new.stream.write_all(&let_me_in(user, password)).await?;
        new.stream.flush().await?;
        let mut users = BTreeMap::new();
        loop {
            let (kind, said) = new.frame("the answer to who asks to be let in").await?;
            // The key of voice by UDP, which is of no use here, and voice itself.
            if !matches!(kind, kind::VERSION | kind::REJECT | kind::SYNC | kind::CHANNEL_STATE | kind::USER_STATE) {
                continue;
            }
            let said = Fields::decode(&said)?;
            let number = said.number(1).unwrap_or_default();
            match kind {
                kind::VERSION => new.version = version_in(&said),
                kind::CHANNEL_STATE => drop(new.channels.insert(number, said)),
                kind::USER_STATE => drop(users.insert(number, said)),
                kind::SYNC => {
                    new.session = number;
                    new.me = users.remove(&number).ok_or(MumbleError::Untold("who it let in"))?;
                    return Ok(Ok(new));
                }
                _ => {
                    let why = said.text(2).unwrap_or_default().to_owned();
                    return Ok(Err(Refused { kind: number, why }));
                }
            }
        }
    }

    /// Sends a message.
    pub async fn send(&mut self, kind: u16, message: &Message) -> Result<(), MumbleError> {
        self.send_bytes(kind, message.encoded()).await
    }

    /// The same of bytes that are no message, such as voice.
    pub async fn send_bytes(&mut self, kind: u16, bytes: &[u8]) -> Result<(), MumbleError> {
        self.stream.write_all(&frame(kind, bytes)).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next message of this kind that is as wanted; others are passed over.
    pub async fn next(
        &mut self,
        kind: u16,
        what: &str,
        wanted: impl Fn(&Fields) -> bool,
    ) -> Result<Fields, MumbleError> {
        let until = Instant::now() + self.patience;
        while Instant::now() < until {
            let said = Fields::decode(&self.next_bytes(kind, what).await?)?;
            if wanted(&said) {
                return Ok(said);
            }
        }
        Err(MumbleError::Late(what.to_owned()))
    }

    /// The same of bytes that are no message.
    pub async fn next_bytes(&mut self, kind: u16, what: &str) -> Result<Vec<u8>, MumbleError> {
        let until = Instant::now() + self.patience;
        while Instant::now() < until {
            let (other, bytes) = self.frame(what).await?;
            if other == kind {
                return Ok(bytes);
            }
        }
        Err(MumbleError::Late(what.to_owned()))
    }

    /// Whether no message of this kind came before the answer to a ping: what a server sends is in order.
    pub async fn got_no(&mut self, kind: u16) -> Result<bool, MumbleError> {
        self.send(kind::PING, &Message::new().number(1, 1)).await?;
        let mut is_quiet = true;
        loop {
            match self.frame("the answer to a ping").await?.0 {
                kind::PING => return Ok(is_quiet),
                other => is_quiet &= other != kind,
            }
        }
    }

    /// Makes a channel below the first one, and gives its number.
    pub async fn make_channel(&mut self, name: &str, description: &str) -> Result<u64, MumbleError> {
        let wish = Message::new().number(2, 0).text(3, name).text(5, description);
        self.send(kind::CHANNEL_STATE, &wish).await?;
        let made = self.next(kind::CHANNEL_STATE, "the new channel", |said| said.text(3) == Some(name)).await?;
        made.number(1).ok_or(MumbleError::Untold("the number of a new channel"))
    }

    /// Goes into a channel.
    pub async fn enter(&mut self, channel: u64) -> Result<(), MumbleError> {
        let me = self.session;
        self.send(kind::USER_STATE, &Message::new().number(1, me).number(5, channel)).await?;
        let is_there = move |said: &Fields| said.number(1) == Some(me) && said.number(5) == Some(channel);
        self.next(kind::USER_STATE, "the move into a channel", is_there).await.map(drop)
    }

    /// Keeps its name for who has its certificate, and gives the number of the registered user.
    pub async fn register(&mut self) -> Result<u64, MumbleError> {
        let me = self.session;
        self.send(kind::USER_STATE, &Message::new().number(1, me).number(4, 0)).await?;
        let is_known = move |said: &Fields| said.number(1) == Some(me) && said.number(4).is_some();
        let said = self.next(kind::USER_STATE, "the registration", is_known).await?;
        said.number(4).ok_or(MumbleError::Untold("the number of a registered user"))
    }

    async fn frame(&mut self, what: &str) -> Result<(u16, Vec<u8>), MumbleError> {
        let read = async {
            let mut head = [0; 6];
            self.stream.read_exact(&mut head).await?;
            let kind = u16::from_be_bytes([head[0], head[1]]);
            let length = u32::from_be_bytes([head[2], head[3], head[4], head[5]]);
            if kind > KINDS || length > LONGEST {
                return Err(MumbleError::NoFrame(head));
            }
            let mut bytes = vec![0; length as usize];
            self.stream.read_exact(&mut bytes).await?;
            Ok((kind, bytes))
        };
        tokio::time::timeout(self.patience, read).await.map_err(|_| MumbleError::Late(what.to_owned()))?
    }
}

/// What asks a server to let somebody in, as bytes for another way than TLS.
pub fn let_me_in(user: &str, password: &str) -> Vec<u8> {
    // As one of before 1.5, whose packets of voice are simpler.
    let version = Message::new().number(1, 1 << 16 | 4 << 8).text(2, "cc-ci");
    // With the codec Opus, which is the one that servers still have.
    let who = Message::new().text(1, user).text(2, password).number(5, 1);
    [frame(kind::VERSION, version.encoded()), frame(kind::AUTHENTICATE, who.encoded())].concat()
}

/// The server's version, where bytes of it begin with that; a server says it first.
pub fn version(said: &[u8]) -> Option<(u64, u64, u64)> {
    let (head, rest) = said.split_first_chunk::<6>()?;
    let length = usize::try_from(u32::from_be_bytes([head[2], head[3], head[4], head[5]])).ok()?;
    let message = Fields::decode(rest.get(..length)?).ok()?;
    (head[..2] == kind::VERSION.to_be_bytes()).then(|| version_in(&message))
}

fn frame(kind: u16, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), bytes].concat()
}

/// Since 1.5 a number has room for larger parts.
fn version_in(said: &Fields) -> (u64, u64, u64) {
    match (said.number(5), said.number(1).unwrap_or_default()) {
        (Some(long), _) => (long >> 48, long >> 32 & 0xffff, long >> 16 & 0xffff),
        (None, short) => (short >> 16, short >> 8 & 0xff, short & 0xff),
    }
}

/// What a server says of itself to who asks by UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pong {
    /// Major and minor. There is one byte for each part, and 255 stands for all that is more.
    pub version: (u64, u64),
    /// How many are there.
    pub users: u32,
    /// How many may be.
    pub most: u32,
}

/// Pings a server by UDP once; none where no answer comes in time, which may be a datagram that got lost.
pub async fn ping(host: &str, port: u16, mark: u64, patience: Duration) -> Result<Option<Pong>, MumbleError> {
    let any = if host.contains(':') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(any).await?;
    socket.connect((host, port)).await?;
    let mut asked = [0; 12];
    asked[4..].copy_from_slice(&mark.to_be_bytes());
    socket.send(&asked).await?;
    let mut said = [0; 64];
    match tokio::time::timeout(patience, socket.recv(&mut said)).await {
        Ok(length) => pong(&said[..length?], &asked[4..]).map(Some),
        Err(_) => Ok(None),
    }
}

/// The version in four bytes, what was sent, and three numbers.
fn pong(said: &[u8], mark: &[u8]) -> Result<Pong, MumbleError> {
    if said.len() != 24 || said[4..12] != *mark {
        return Err(MumbleError::Untold("its version and its users in the answer to a ping"));
    }
    let number = |at: usize| said[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    Ok(Pong { version: (said[1].into(), said[2].into()), users: number(12), most: number(16) })
}

#[cfg(test)]
mod tests;
