use std::time::Duration;

use base::exchange::Exchanges;
use base::redact::Redactor;
use harness::testing::{Outcome, Test, TestEnd, Verdict, run};

use super::support::{NAME, Scene};

const LONG: Duration = Duration::from_secs(120);

async fn log_in(test: &Test, want: &str) -> Outcome {
    let browser = test.browser().await?;
    browser.wait_up_to(Duration::from_secs(3));
    browser.open(test.url("/")).await?;
    browser.fill("input[name=email]", "owner").await?;
    browser.click("button").await?;
    browser.see_text("h1", want).await?;
    assert_eq!(browser.title().await?, "Shop");
    Ok(format!("the page says {want:?}"))
}

/// The two files of a red test are there, and its line names them.
fn assert_evidence(scene: &Scene, ended: &TestEnd, says: &str) {
    let picture = std::fs::read(scene.path("artifacts/browser-10-login.png")).unwrap();
    assert!(picture.starts_with(b"\x89PNG"), "{} bytes", picture.len());
    let page = std::fs::read_to_string(scene.path("artifacts/browser-10-login.html")).unwrap();
    assert!(page.contains(says), "{page}");
    assert!(ended.line.ends_with(" (see browser-10-login.png, browser-10-login.html)"), "{}", ended.line);
    assert!(ended.detail.contains(&format!("address: https://{NAME}:")), "{}", ended.detail);
}

#[tokio::test]
async fn a_green_flow_leaves_nothing() {
    let scene = Scene::new();
    let ended = run(scene.test("ca.pem"), LONG, async |test: &Test| log_in(test, "Welcome owner").await).await;
    assert_eq!((ended.verdict, ended.line.as_str()), (Verdict::Green, "the page says \"Welcome owner\""));
    assert!(!scene.path("artifacts").exists());
}

#[tokio::test]
async fn a_green_flow_leaves_a_small_picture_where_the_recipe_says_so() {
    let scene = Scene::new();
    let test = scene.test_with("ca.pem", &[("CCCI_PICTURES", "1")]);
    let ended = run(test, LONG, async |test: &Test| log_in(test, "Welcome owner").await).await;
    assert_eq!(ended.verdict, Verdict::Green, "{ended:?}");
    let picture = std::fs::read(scene.path("artifacts/browser-10-login.png")).unwrap();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() < 300 * 1024, "{} bytes", picture.len());
    let (list, _) = Exchanges::fetch(&scene.path("work/exchanges")).shown(&Redactor::new());
    let [page] = list.as_slice() else { panic!("{list:?}") };
    assert!(page.url.starts_with(&format!("https://{NAME}:")), "{page:?}");
    assert_eq!((page.status, page.answer.media.as_str()), (Some(200), "text/html"), "{page:?}");
}

#[tokio::test]
async fn a_test_that_shows_a_secret_leaves_no_picture_however_it_ends() {
    for want in ["Welcome owner", "Goodbye"] {
        let scene = Scene::new();
        let test = scene.test_with("ca.pem", &[("CCCI_PICTURES", "1")]);
        let ended = run(test, LONG, async |test: &Test| {
            test.no_picture();
            log_in(test, want).await
        })
        .await;
        assert_eq!(ended.verdict == Verdict::Green, want == "Welcome owner", "{ended:?}");
        assert!(!scene.path("artifacts/browser-10-login.png").exists(), "{want}");
    }
}

/// Chromium gives its requests up when an interface comes or goes, unless it cannot see that.
#[tokio::test]
async fn networks_that_change_meanwhile_are_no_matter() {
    let scene = Scene::with_changing_networks();
    let ended = run(scene.test("ca.pem"), LONG, async |test: &Test| {
        let browser = test.browser().await?;
        browser.open(test.url("/")).await?;
        Ok(browser.title().await?)
    })
    .await;
    assert_eq!((ended.verdict, ended.line.as_str()), (Verdict::Green, "Shop"), "{ended:?}");
}

#[tokio::test]
async fn a_red_flow_leaves_a_picture_and_the_page() {
    let scene = Scene::new();
    let ended = run(scene.test("ca.pem"), LONG, async |test: &Test| {
        let browser = test.browser().await?;
        browser.open(test.url("/")).await?;
        let said = browser.see("h1").await?.text().await?;
        assert_eq!(said, "Dashboard", "the heading");
        Ok(said)
    })
    .await;
    assert_eq!(ended.verdict, Verdict::Red, "{ended:?}");
    assert!(ended.line.contains("the heading | left: \"Log in\" | right: \"Dashboard\""), "{}", ended.line);
    assert_evidence(&scene, &ended, "<h1>Log in</h1>");
}

#[tokio::test]
async fn what_never_shows_is_red_in_time_and_says_what_is_there() {
    let scene = Scene::new();
    let ended = run(scene.test("ca.pem"), LONG, async |test: &Test| log_in(test, "Goodbye").await).await;
    assert_eq!(ended.verdict, Verdict::Red, "{ended:?}");
    let want = "browser/flows.rs:17: the page shows no h1 with the text \"Goodbye\", it says \"Welcome owner\"";
    assert!(ended.line.starts_with(want), "{}", ended.line);
    assert_evidence(&scene, &ended, "Welcome owner");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let scene = Scene::new();
    let ended = run(scene.test("other.pem"), LONG, async |test: &Test| log_in(test, "Welcome owner").await).await;
    assert_eq!(ended.verdict, Verdict::Red, "{ended:?}");
    assert!(ended.line.contains("ERR_CERT_AUTHORITY_INVALID"), "{}", ended.line);
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let scene = Scene::new();
    let ended = run(scene.test("ca.pem"), LONG, async |test: &Test| {
        let browser = test.browser().await?;
        browser.open(test.url("/").replace(NAME, "localhost")).await?;
        Ok("opened".to_owned())
    })
    .await;
    assert_eq!(ended.verdict, Verdict::Red, "{ended:?}");
    assert!(ended.line.contains("ERR_CERT_COMMON_NAME_INVALID"), "{}", ended.line);
}
