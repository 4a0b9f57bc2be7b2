//! A person signs in by the page, opens the organisation's private repository and reads the file that was
//! pushed; whoever is not signed in does not find it.

use std::time::Duration;

use harness::testing::{Outcome, Test};

pub async fn run(test: &Test) -> Outcome {
    let (name, repository) = (test.value("alice")?, test.value("repository")?);
    let path = format!("/{}/{repository}", test.value("club")?);
    let browser = test.browser().await?;
    browser.wait_up_to(Duration::from_secs(40));

    browser.open(test.url(&path)).await?;
    browser.see_text("body", "404").await?;

    browser.open(test.url("/user/login")).await?;
    browser.fill("#user_name", name).await?;
    browser.fill("#password", test.value("alice_password")?).await?;
    browser.click("form button.primary").await?;
    browser.see(&format!("a[href='/{name}']")).await?;

    browser.open(test.url(&path)).await?;
    browser.see_text("#readme", &format!("Written in run {}.", test.run())).await?;
    browser.open(test.url(&format!("{path}/src/branch/main/src/main.rs"))).await?;
    browser.see_text(".file-view", "fn main() {}").await?;
    Ok(format!("{name} signs in by the page and reads what was pushed to {path}"))
}
