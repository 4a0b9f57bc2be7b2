//! A log of 50 MB is one page.

use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

use journal::event::{Event, Record, Stage};
use journal::line;

use crate::browser::Eye;
use crate::fixtures;
use crate::scene::{Scene, Shows, another};
use crate::stories::{GREEN, hours};

const RECORDS: u64 = 130_000;
/// The most elements of a page that shows a part of it.
const BOUND: u64 = 40_000;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_scroll() {
    let scene = Scene::new();
    let all = another(&fixtures::passed(), GREEN, hours(1), |_| {});
    let (run, alive) = scene.begin(&all[..1]);
    let file = std::fs::OpenOptions::new().append(true).open(scene.dir(&run).journal()).unwrap();
    let mut file = BufWriter::new(file);
    let padding = "the app says what it does, at length; ".repeat(8);
    for seq in 1..RECORDS {
        let text = format!("record {seq} of many: {padding}");
        let event = Event::Noted { stage: Stage::Functional, text };
        file.write_all(&line(&Record { seq, at: all[0].at, ms: seq, event }).unwrap()).unwrap();
    }
    file.flush().unwrap();
    assert!(std::fs::metadata(scene.dir(&run).journal()).unwrap().len() > 50_000_000);
    drop(alive);
    scene.history.import(&scene.dir(&run)).unwrap();
    let server = scene.serve(Shows::default());
    let eye = Eye::open().await;
    eye.goto(&server, "/runs").await;

    let begin = Instant::now();
    eye.goto(&server, &format!("/runs/{GREEN}/log")).await;
    eye.browser.see("#r1").await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2), "opened in {:?}", begin.elapsed());
    println!("opened in {:?}", begin.elapsed());

    let bottom = "window.scrollTo(0, document.documentElement.scrollHeight)";
    let last = RECORDS - 1;
    eye.until(
        "the end",
        &format!("({bottom}, document.getElementById('r{last}')?.textContent.includes('record {last} of'))"),
    )
    .await;
    eye.run("window.scrollTo(0, document.documentElement.scrollHeight / 2)").await;
    let middle = "(() => {
        const at = document.elementFromPoint(300, innerHeight / 2)?.closest('li');
        const number = Number(at?.id.slice(1));
        return number > 55000 && number < 75000 && at.textContent.includes('record ' + number + ' of');
    })()";
    eye.until("the middle", middle).await;
    for part in 0..20 {
        eye.run(&format!("window.scrollTo(0, document.documentElement.scrollHeight * {part} / 20)")).await;
    }
    eye.until("all but the near let go", &format!("document.querySelectorAll('*').length < {BOUND}")).await;
    eye.picture("log-50mb").await;
    // The same by a link, in the middle.
    eye.goto(&server, &format!("/runs/{GREEN}/log?from=65200#r65217")).await;
    eye.until(
        "the linked record in view",
        "(() => {
        const box = document.getElementById('r65217')?.getBoundingClientRect();
        return box && box.top > 0 && box.bottom < innerHeight;
    })()",
    )
    .await;
}
