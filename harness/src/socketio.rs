//! Socket.IO as apps without another API have it: events both ways, and calls that are answered.
//!
//! It speaks version 4 of Engine.IO (`EIO=4`) by long-polling, which every server takes and every proxy passes. No
//! binary events and one namespace, the default one. Source: the protocol's own description, revision 4 of Engine.IO
//! and 5 of Socket.IO.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::Value;
use url::Url;

use http_client::{Answer, Http, Method, NoAnswer, Session};

/// What stands between packets of one body.
const BETWEEN: char = '\u{1e}';
/// Lists that a server pushes may be long.
const BODY_BYTES: usize = 4 * 1024 * 1024;

/// Why a server is not talked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketIoError {
    /// Nothing came back.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The request itself was refused.
    #[error("{place} answered {status}, so it speaks no Socket.IO there: {body}")]
    Refused {
        /// What was asked.
        place: String,
        /// The answer's status.
        status: u16,
        /// The beginning of its body.
        body: String,
    },
    /// It did not let this client in, or put it out.
    #[error("the server closed the connection: {0}")]
    Closed(String),
    /// What came is none of the protocol's packets.
    #[error("the server sent no packet of Socket.IO: {0:?}")]
    NoPacket(String),
    /// What was waited for did not come in time.
    #[error("{0} did not come in time")]
    Late(String),
}

/// One connection. It ends when it is forgotten: the server finds that no more is asked.
#[derive(Debug)]
pub struct SocketIo {
    session: Session,
    url: Url,
    calls: u64,
    came: VecDeque<Packet>,
}

/// What a server says, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
enum Packet {
    Ping,
    Nothing,
    Connected,
    Event(String, Vec<Value>),
    Answer(u64, Vec<Value>),
}

impl SocketIo {
    /// Connects to the server of an app, at the usual path.
    pub async fn connect(http: &Http, app: &Url, patience: Duration) -> Result<Self, SocketIoError> {
        let deadline = Instant::now() + patience;
        let mut url = app.clone();
        url.set_path("/socket.io/");
        url.set_query(Some("EIO=4&transport=polling"));
        let mut new = Self { session: http.session(), url, calls: 0, came: VecDeque::new() };
        let opened = new.got(deadline).await?;
        let id = opened.strip_prefix('0').and_then(|text| serde_json::from_str::<Value>(text).ok());
        let id = id.as_ref().and_then(|open| open.get("sid")?.as_str()).ok_or_else(|| no_packet(&opened))?;
        new.url.query_pairs_mut().append_pair("sid", id);
        new.send("40", deadline).await?;
        while new.next(deadline, "the connection").await? != Packet::Connected {}
        Ok(new)
    }

    /// Sends an event and waits for its answer, whose first value it is.
    pub async fn call(&mut self, event: &str, values: &[Value], patience: Duration) -> Result<Value, SocketIoError> {
        let deadline = Instant::now() + patience;
        let id = self.calls;
        self.calls += 1;
        let mut all = vec![Value::from(event)];
        all.extend_from_slice(values);
        self.send(&format!("42{id}{}", Value::Array(all)), deadline).await?;
        let answer = |packet| match packet {
            Packet::Answer(other, values) if other == id => Ok(values.into_iter().next().unwrap_or_default()),
            other => Err(other),
        };
        self.first(&format!("the answer to {event}"), deadline, answer).await
    }

    /// The first event of this name whose values are as wanted, of those that nobody was given yet. Others stay.
    pub async fn event(
        &mut self,
        name: &str,
        patience: Duration,
        wanted: impl Fn(&[Value]) -> bool,
    ) -> Result<Vec<Value>, SocketIoError> {
        let what = format!("the event {name}");
        let event = |packet| match packet {
            Packet::Event(own, values) if own == name && wanted(&values) => Ok(values),
            other => Err(other),
        };
        self.first(&what, Instant::now() + patience, event).await
    }

    /// What the first fitting packet says; the others stay in their order.
    async fn first<T>(
        &mut self,
        what: &str,
        deadline: Instant,
        fits: impl Fn(Packet) -> Result<T, Packet>,
    ) -> Result<T, SocketIoError> {
        let mut passed = VecDeque::new();
        let found = loop {
            match self.next(deadline, what).await.map(&fits) {
                Ok(Ok(found)) => break Ok(found),
                Ok(Err(other)) => passed.push_back(other),
                Err(error) => break Err(error),
            }
        };
        passed.append(&mut self.came);
        self.came = passed;
        found
    }

    async fn next(&mut self, deadline: Instant, wanted: &str) -> Result<Packet, SocketIoError> {
        loop {
            if let Some(packet) = self.came.pop_front() {
                return Ok(packet);
            }
            // A request that the deadline cut short says less than what it was for.
            self.poll(deadline).await.map_err(|error| match error {
                SocketIoError::NoAnswer(_) if Instant::now() >= deadline => SocketIoError::Late(wanted.to_owned()),
                other => other,
            })?;
        }
    }

    /// Takes what the server has to say, and answers its pings.
    async fn poll(&mut self, deadline: Instant) -> Result<(), SocketIoError> {
        for text in self.got(deadline).await?.split(BETWEEN) {
            match packet(text)? {
                Packet::Ping => self.send("3", deadline).await?,
                Packet::Nothing => {}
                other => self.came.push_back(other),
            }
        }
        Ok(())
    }

    async fn got(&self, deadline: Instant) -> Result<String, SocketIoError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let ask = self.session.ask(Method::GET, &self.url).within(left).up_to(BODY_BYTES);
        let place = ask.place();
        Ok(fine(place, ask.send().await?)?.body)
    }

    async fn send(&self, packet: &str, deadline: Instant) -> Result<(), SocketIoError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let ask = self.session.ask(Method::POST, &self.url).within(left);
        let ask = ask.body("text/plain;charset=UTF-8", packet.as_bytes().to_vec());
        let place = ask.place();
        fine(place, ask.send().await?)?;
        Ok(())
    }
}

fn fine(place: String, answer: Answer) -> Result<Answer, SocketIoError> {
    if answer.status == 200 {
        return Ok(answer);
    }
    let body = answer.body.chars().take(200).collect();
    Err(SocketIoError::Refused { place, status: answer.status, body })
}

fn packet(text: &str) -> Result<Packet, SocketIoError> {
    let none = || no_packet(text);
    match text.as_bytes() {
        [b'2'] => return Ok(Packet::Ping),
        [b'3' | b'6', ..] => return Ok(Packet::Nothing),
        [b'1', ..] | [b'4', b'1', ..] => return Err(SocketIoError::Closed("it said no more".to_owned())),
        [b'4', b'4', ..] => return Err(SocketIoError::Closed(text.chars().skip(2).take(200).collect())),
        [b'4', b'0', ..] => return Ok(Packet::Connected),
        _ => {}
    }
    let (kind, rest) = text.split_at_checked(2).ok_or_else(none)?;
    let begin = rest.find('[').ok_or_else(none)?;
    let (id, values) = rest.split_at(begin);
    let mut values: Vec<Value> = serde_json::from_str(values).map_err(|_| none())?;
    match kind {
        "42" if !values.is_empty() => {
            let name = values.remove(0).as_str().ok_or_else(none)?.to_owned();
            Ok(Packet::Event(name, values))
        }
        "43" => Ok(Packet::Answer(id.parse().map_err(|_| none())?, values)),
        _ => Err(none()),
    }
}

/// What is wrong, without all of it: it may hold a token.
fn no_packet(text: &str) -> SocketIoError {
    SocketIoError::NoPacket(text.chars().take(40).collect())
}

#[cfg(test)]
mod tests;
