//! Every page in a real browser: wide and as on a phone, light and dark, without JavaScript.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use harness::browser::{Browser, Config, Key};
use serde_json::{Value, json};

use crate::scene::{Scene, Server, Shows};
use crate::stories;

/// What a page must not be, found in the page itself: too wide, hard to read, without names.
const LOOK: &str = include_str!("look.js");

/// A browser, with a folder for what it shows.
pub(crate) struct Eye {
    pub(crate) browser: Browser,
}

impl Eye {
    pub(crate) async fn open() -> Self {
        let browser = Browser::start(&Config::default()).await.expect("Debian's chromium and chromedriver are here");
        Self { browser }
    }

    pub(crate) async fn cdp(&self, method: &str, with: Value) -> Value {
        self.browser.cdp().send_raw(method, with).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.browser
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
            .json()
            .clone()
    }

    pub(crate) async fn size(&self, width: u32, height: u32) {
        let with = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.cdp("Emulation.setDeviceMetricsOverride", with).await;
    }

    pub(crate) async fn scheme(&self, scheme: &str) {
        let with = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.cdp("Emulation.setEmulatedMedia", with).await;
    }

    pub(crate) async fn goto(&self, server: &Server, path: &str) {
        self.browser.goto(server.url(path)).await.unwrap();
    }

    /// Waits until a script says true.
    pub(crate) async fn until(&self, what: &str, script: &str) {
        let asked = async {
            while self.run(&format!("return Boolean({script})")).await != json!(true) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(30), asked).await.is_err() {
            panic!("{what}: never; the page says {}", self.run("return document.body.innerText.slice(0, 3000)").await);
        }
    }

    /// Puts a picture of the page into the artifacts.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = artifacts();
        std::fs::create_dir_all(&folder).unwrap();
        let png = self.browser.screenshot_as_png().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    /// What the console said since the last look.
    pub(crate) async fn console(&self) -> Vec<String> {
        let all = self.browser.get_log("browser").await.unwrap_or_default();
        let bad = all.iter().filter(|entry| !matches!(entry.level.as_str(), "INFO" | "DEBUG"));
        bad.map(|entry| entry.message.clone()).collect()
    }
}

fn artifacts() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::env::var_os("CCCI_ARTIFACTS").map_or_else(beside, PathBuf::from)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_fit_to_look_at() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let server = scene.serve(Shows { acts: true, pictures: true });
    let eye = Eye::open().await;
    let mut wrong = Vec::new();
    for (name, path) in stories::pages() {
        for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")] {
            eye.size(width, if width < 500 { 844 } else { 900 }).await;
            eye.scheme(scheme).await;
            eye.goto(&server, &path).await;
            let found = eye.run(LOOK).await;
            let found = found.as_array().unwrap_or_else(|| panic!("{name}: {found}"));
            wrong.extend(found.iter().map(|what| format!("{name}, {width}, {scheme}: {what}")));
            eye.picture(&format!("{name}-{width}-{scheme}")).await;
            // A page that is not there says 404, and the browser's console repeats it.
            let said = eye.console().await.into_iter().filter(|said| !(name == "missing" && said.contains("404")));
            wrong.extend(said.map(|said| format!("{name}, {width}: the console says {said}")));
        }
    }
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_look_finds_what_is_wrong() {
    let scene = Scene::new();
    let server = scene.serve(Shows::default());
    let eye = Eye::open().await;
    eye.size(390, 844).await;
    eye.goto(&server, "/").await;
    assert_eq!(eye.run(LOOK).await, json!([]));
    let broken = "const one = document.createElement('div');
        one.innerHTML = '<p id=content>pale</p><a href=\"/x\"></a><h1>two</h1>';
        one.firstChild.style.cssText = 'color: #aaa; background: #fff; width: 900px';
        document.querySelector('main').append(one); fetch('https://example.org/').catch(() => {})";
    eye.run(broken).await;
    let found = eye.run(LOOK).await.to_string();
    for wanted in ["it is ", "contrast 2.3", "no name", "ids that come twice", "2 h1"] {
        assert!(found.contains(wanted), "{wanted} is not found: {found}");
    }
    // The browser refuses the request on a thread of its own.
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut said = String::new();
    while !said.contains("Content Security Policy") {
        assert!(Instant::now() < deadline, "the console says {said}");
        said.push_str(&eye.console().await.join(" "));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_does_without_javascript() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let server = scene.serve(Shows::default());
    let eye = Eye::open().await;
    eye.cdp("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    for (name, path) in stories::pages().into_iter().filter(|(name, _)| *name != "missing") {
        eye.goto(&server, &path).await;
        let text = eye.browser.find(harness::browser::By::Css("main")).await.unwrap().text().await.unwrap();
        assert!(text.len() > 60, "{name} shows {text:?}");
        eye.picture(&format!("{name}-plain")).await;
    }
    // What a script would bring into view is behind links.
    eye.goto(&server, "/runs").await;
    eye.browser.click("main .runs tr:first-child .out a").await.unwrap();
    eye.browser.see(".verdict h1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_comes_to_the_content_and_to_every_page() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let server = scene.serve(Shows::default());
    let eye = Eye::open().await;
    for (name, path) in stories::pages() {
        eye.goto(&server, &path).await;
        let mut came = Vec::new();
        for _ in 0..7 {
            eye.browser.action_chain().send_keys(Key::Tab + "").perform().await.unwrap();
            let at =
                "const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
                return [at.textContent.trim(), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
                    && box.width > 1 && box.bottom > 0 && box.top < innerHeight]";
            came.push(eye.run(at).await);
        }
        let wanted = ["Skip to the content", "cc-ci", "recipes", "runs", "nightly", "coverage", "fleet"];
        let wanted: Vec<Value> = wanted.iter().map(|text| json!([text, true])).collect();
        assert_eq!(came, wanted, "{name}");
    }
    eye.goto(&server, "/").await;
    eye.browser.action_chain().send_keys(Key::Tab + "").send_keys(Key::Enter + "").perform().await.unwrap();
    assert_eq!(eye.run("return document.activeElement.id").await, "content");
}
