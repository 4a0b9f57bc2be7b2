//! The pages over a history with many runs: asked by many, watched by many, in a process of their own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::figures::{Figure, millis};
use super::journals::{id, run};
use journal::run_dir::RunDir;

/// Requests a second, and how long.
const RATE: u32 = 50;
const SECONDS: u32 = 10;
/// Viewers of one log.
const VIEWERS: usize = 200;
/// How often the log grows while they look.
const GROWS: usize = 20;
/// No answer may take longer.
const LONGEST: Duration = Duration::from_secs(30);

/// Measures `cc-ci serve` (this `program`) over the history of the state folder `state`, which has `runs` runs.
///
/// # Errors
/// When the server does not start or does not answer.
pub async fn pages(program: &Path, state: &Path, runs: u32) -> Result<Vec<Figure>, Failure> {
    let begin = Instant::now();
    let (mut server, address) = serve(program, state).await?;
    get(address, "/").await?;
    let start = begin.elapsed();
    let mut figures = vec![Figure::new(
        "serve starts, and the first page",
        millis(start),
        "under 1 s",
        start < Duration::from_secs(1),
    )];
    figures.push(overview(address).await?);
    figures.push(viewers(address, state, runs).await?);
    let process = server.id().map_or_else(|| "ended".to_owned(), |id| id.to_string());
    figures.push(Figure::memory("serve's memory after all that", &process));
    let _ = server.kill().await;
    Ok(figures)
}

/// Starts a server on a free port; its address, once it says so.
async fn serve(program: &Path, state: &Path) -> Result<(Child, SocketAddr), Failure> {
    let mut server = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--state"])
        .arg(state)
        // All of them are asked for: by its defaults it would drop most of them while it is measured.
        .args(["--keep-runs", "1000000", "--keep-days", "36500"])
        // No forge, no token and no swarm of this machine is its business: it has pages to serve and nothing to sweep.
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("DOCKER_HOST", format!("unix://{}", state.join("no-engine.sock").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| wrong(format!("{} does not start: {error}", program.display())))?;
    let out = server.stdout.take().ok_or_else(|| wrong("the server has no output".to_owned()))?;
    let mut lines = BufReader::new(out).lines();
    let said = async {
        while let Ok(Some(line)) = lines.next_line().await {
            let address = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
            if let Some(address) = address.and_then(|text| text.parse().ok()) {
                return Some(address);
            }
        }
        None
    };
    let address = timeout(LONGEST, said).await.ok().flatten();
    let address = address.ok_or_else(|| wrong("the server does not say where it listens".to_owned()))?;
    // It goes on to say things, and may not stand still because nobody reads.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((server, address))
}

/// The first page, asked at an even rate: a slow answer delays no other question.
async fn overview(address: SocketAddr) -> Result<Figure, Failure> {
    let mut tick = interval(Duration::from_secs(1) / RATE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked = JoinSet::new();
    for _ in 0..RATE * SECONDS {
        tick.tick().await;
        asked.spawn(async move {
            let begin = Instant::now();
            get(address, "/").await.map(|()| begin.elapsed())
        });
    }
    let mut times = Vec::new();
    while let Some(time) = asked.join_next().await {
        times.push(time.map_err(|error| wrong(error.to_string()))??);
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let measured = format!("{} / {}", millis(at(50)), millis(at(99)));
    Ok(Figure::new(
        "overview at 50 a second, p50 / p99",
        measured,
        "p99 under 50 ms",
        at(99) < Duration::from_millis(50),
    ))
}

/// Many look at one log while it grows: how long until the last of them is told.
async fn viewers(address: SocketAddr, state: &Path, runs: u32) -> Result<Figure, Failure> {
    let name = id(runs + 1).ok_or_else(|| wrong("no id is left".to_owned()))?;
    let (dir, journal) = (RunDir::of(state, &name), run(runs + 1).unwrap_or_default());
    let disk = |error: std::io::Error| base::failure::Failure::disk("write", dir.path(), &error);
    let alive = dir.create().map_err(disk)?;
    let lines: Vec<&[u8]> = journal.split_inclusive(|byte| *byte == b'\n').collect();
    std::fs::write(dir.journal(), lines.iter().take(2).copied().collect::<Vec<_>>().concat()).map_err(disk)?;
    let mut streams = Vec::new();
    for _ in 0..VIEWERS {
        let mut stream = ask(address, &format!("/events?run={name}")).await?;
        heard(&mut stream, b"event: change").await?;
        streams.push(stream);
    }
    let mut slowest = Duration::ZERO;
    for part in lines.get(2..).unwrap_or_default().chunks(4).take(GROWS) {
        let begin = Instant::now();
        let mut file = std::fs::OpenOptions::new().append(true).open(dir.journal()).map_err(disk)?;
        std::io::Write::write_all(&mut file, &part.concat()).map_err(disk)?;
        for stream in &mut streams {
            heard(stream, b"event: change").await?;
        }
        slowest = slowest.max(begin.elapsed());
    }
    get(address, &format!("/runs/{name}/log/lines")).await?;
    drop(alive);
    let what = format!("{VIEWERS} viewers of a log that grows, the slowest told");
    let is_met = slowest < Duration::from_secs(2);
    let figure = Figure::new(&what, format!("{}, {} times", millis(slowest), GROWS), "all of them, under 2 s", is_met);
    dir.discard();
    Ok(figure)
}

async fn ask(address: SocketAddr, path: &str) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(address).await.map_err(|error| wrong(error.to_string()))?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.map_err(|error| wrong(error.to_string()))?;
    Ok(stream)
}

/// Asks for a page, and reads all of it.
async fn get(address: SocketAddr, path: &str) -> Result<(), Failure> {
    let mut answer = Vec::new();
    let asked =
        async { ask(address, path).await?.read_to_end(&mut answer).await.map_err(|error| wrong(error.to_string())) };
    timeout(LONGEST, asked).await.map_err(|_| wrong(format!("{path} has no answer")))??;
    if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err(wrong(format!("{path} is not answered with 200"))) }
}

/// Reads until a stream has said something.
async fn heard(stream: &mut TcpStream, wanted: &[u8]) -> Result<(), Failure> {
    let (mut said, mut piece) = (Vec::new(), [0; 4096]);
    let listened = async {
        while !said.windows(wanted.len()).any(|part| part == wanted) {
            match stream.read(&mut piece).await {
                Ok(count @ 1..) => said.extend_from_slice(piece.get(..count).unwrap_or_default()),
                _ => return Err(wrong("a stream ended".to_owned())),
            }
        }
        Ok(())
    };
    timeout(LONGEST, listened).await.unwrap_or_else(|_| Err(wrong("a viewer is not told".to_owned())))
}

fn wrong(what: String) -> Failure {
    Failure::new(Kind::Bug, what, "the server that is measured, by `cc-ci serve` in the same state folder")
}
