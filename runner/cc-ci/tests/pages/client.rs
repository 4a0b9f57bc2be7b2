//! Asks as a reader's program does, with nothing between: any path goes over the line as it is written.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer may take longer.
const LONGEST: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("an answer is UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Asks, and reads to the end of the answer.
pub(crate) async fn ask(to: SocketAddr, method: &str, path: &str, form: &str) -> Answer {
    let asked = async {
        let mut stream = open(to, method, path, form).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("an answer is read");
        parsed(&bytes)
    };
    timeout(LONGEST, asked).await.unwrap_or_else(|_| panic!("{method} {path} has no answer"))
}

/// Asks with GET.
pub(crate) async fn get(to: SocketAddr, path: &str) -> Answer {
    ask(to, "GET", path, "").await
}

/// Reads a stream until it has said a text; what it has said by then.
pub(crate) async fn until(to: SocketAddr, path: &str, wanted: &str) -> String {
    let heard = async {
        let mut stream = open(to, "GET", path, "").await;
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let count = stream.read(&mut piece).await.expect("a stream is read");
            assert!(count > 0, "{path} ended: {}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&piece[..count]);
            let text = String::from_utf8_lossy(&bytes);
            if text.contains(wanted) {
                return text.into_owned();
            }
        }
    };
    timeout(LONGEST, heard).await.unwrap_or_else(|_| panic!("{path} never says {wanted:?}"))
}

async fn open(to: SocketAddr, method: &str, path: &str, form: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.expect("the server is there");
    let length = form.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
    );
    stream.write_all(head.as_bytes()).await.expect("a question is written");
    stream
}

fn parsed(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
    let header = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Answer {
        status: status.parse().expect("a status"),
        headers: lines.map(header).collect(),
        body: bytes[end + 4..].to_vec(),
    }
}
