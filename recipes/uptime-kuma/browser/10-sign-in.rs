//! The owner signs in, finds a monitor in the list, opens it and sees that it is up. What the page shows comes through
//! the socket that it keeps to the server.

use harness::testing::{Outcome, Test};

pub async fn run(test: &Test) -> Outcome {
    let name = test.value("shown_monitor_name")?;
    let browser = test.browser().await?;
    browser.open(test.url("/dashboard")).await?;
    browser.fill("#floatingInput", test.value("owner_name")?).await?;
    browser.fill("#floatingPassword", "A1-not-the-password").await?;
    browser.click("button[type=submit]").await?;
    browser.see("[role=alert]").await?;

    browser.fill("#floatingPassword", test.value("owner_password")?).await?;
    browser.click("button[type=submit]").await?;
    browser.see_text("a.item", name).await?.click().await?;
    browser.see_text("h1", name).await?;
    browser.see_text(".badge", "Up").await?;
    Ok(format!("the owner signs in by the right password, opens {name:?} and sees that it is up"))
}
