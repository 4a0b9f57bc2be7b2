//! A page of the folder as a person has it: the browser opens it, draws it and runs its script.

use harness::testing::{Outcome, Test};

pub async fn run(test: &Test) -> Outcome {
    let name = format!("browser-{}", test.run());
    let text = format!("Written in run {}", test.run());
    let page = format!(
        "<!doctype html><title>{name}</title><h1>loading</h1>\
         <script>document.querySelector('h1').textContent = {text:?}</script>"
    );
    let write = "mkdir -p \"$1\" && printf '%s' \"$2\" > \"$1/index.html\" && chmod -R a+rX \"$1\"";
    let folder = format!("/usr/share/nginx/html/{name}");
    test.inside("app", &["sh", "-c", write, "sh", &folder, &page]).await?;

    let browser = test.browser().await?;
    browser.open(test.url(&format!("/{name}/"))).await?;
    browser.see_text("h1", &text).await?;
    assert_eq!(browser.title().await?, name, "the page's title");
    Ok(format!("the browser shows {text:?} on /{name}/"))
}
