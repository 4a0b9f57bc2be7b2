//! A page that is open stays true, and its reader keeps his place.

use crate::browser::Eye;
use crate::scene::{Scene, Shows};
use crate::stories::{self, LIVE};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_follows_its_run_and_a_reload_loses_nothing() {
    let scene = Scene::new();
    let (run, alive) = stories::begin(&scene);
    scene.history.import(&scene.dir(&run)).unwrap();
    let mut server = scene.serve(Shows::default());
    let (eye, overview) = (Eye::open().await, Eye::open().await);
    eye.goto(&server, &format!("/runs/{LIVE}")).await;
    overview.goto(&server, "/").await;
    for one in [&eye, &overview] {
        one.until("live", "document.getElementById('live-state').textContent === 'live'").await;
        one.run("window.same = true").await;
    }
    eye.run(
        "const one = document.querySelector('#install details'); one.open = true; one.querySelector('summary').focus()",
    )
    .await;
    let (upgrade, rest) = stories::later();
    scene.tell(&run, &upgrade);
    eye.until("upgrade", "document.getElementById('upgrade')?.textContent.includes('upgrade.moved')").await;
    overview.until("upgrade", "document.querySelector('.now')?.textContent.includes('upgrade')").await;
    for one in [&eye, &overview] {
        assert_eq!(one.run("return window.same").await, true, "the page was loaded anew");
    }
    assert_eq!(eye.run("return document.querySelector('#install details').open").await, true);
    assert_eq!(eye.run("return document.activeElement.tagName").await, "SUMMARY");
    eye.picture("run-live-open").await;

    // A server that goes and comes again; what was told meanwhile is there without a word from the reader.
    let address = server.address;
    drop(server);
    eye.until("not connected", "document.getElementById('live-state').textContent.startsWith('not connected')").await;
    eye.picture("run-live-away").await;
    scene.tell(&run, &rest);
    drop(alive);
    scene.history.import(&scene.dir(&run)).unwrap();
    server = scene.serve_at(Shows::default(), address);
    eye.until("the end", "document.querySelector('.verdict h1')?.textContent.trim() === 'passed'").await;
    overview.until("the end", "document.querySelector('.matrix .out')?.textContent.includes('passed')").await;
    assert_eq!(eye.run("return window.same").await, true);
    eye.until("silence", "document.getElementById('live-state').textContent === ''").await;
    let words = "return document.querySelector('main').textContent";
    let before = eye.run(words).await;
    eye.goto(&server, &format!("/runs/{LIVE}")).await;
    assert_eq!(eye.run(words).await, before, "a reload shows the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_live_run_grows() {
    let scene = Scene::new();
    let (run, alive) = stories::begin(&scene);
    scene.history.import(&scene.dir(&run)).unwrap();
    let server = scene.serve(Shows::default());
    let eye = Eye::open().await;
    eye.goto(&server, &format!("/runs/{LIVE}/log")).await;
    eye.until("live", "document.getElementById('live-state').textContent === 'live'").await;
    let (upgrade, rest) = stories::later();
    let last = upgrade.last().unwrap().seq;
    scene.tell(&run, &upgrade);
    eye.until("its records", &format!("document.getElementById('r{last}')")).await;
    let last = rest.last().unwrap().seq;
    scene.tell(&run, &rest);
    drop(alive);
    eye.until("its end", &format!("document.getElementById('r{last}')")).await;
    let twice = "const ids = Array.from(document.querySelectorAll('.log li[id]'), (one) => one.id); return ids.length - new Set(ids).size";
    assert_eq!(eye.run(twice).await, 0);
    eye.picture("log-live-end").await;
}
