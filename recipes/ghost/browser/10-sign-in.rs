//! The owner signs in by the page and the code that comes by mail, finds the post in the list, and reads it where the
//! world does.

use std::time::Duration;

use harness::testing::{Outcome, Test, Wrong};

pub async fn run(test: &Test) -> Outcome {
    let (email, title) = (test.value("owner_email")?, test.value("keep_post_title")?);
    let browser = test.browser().await?;
    // The editor is some megabytes of script, which a busy machine takes its time over.
    browser.wait_up_to(Duration::from_secs(40));
    browser.open(test.url("/ghost/")).await?;
    browser.fill("input[name=identification]", email).await?;
    browser.fill("input[name=password]", "A1-not-the-password").await?;
    browser.click("[data-test-button='sign-in']").await?;
    browser.see_text("[data-test-flow-notification]", "password").await?;

    browser.fill("input[name=password]", test.value("owner_password")?).await?;
    browser.click("[data-test-button='sign-in']").await?;
    browser.see("[data-test-input='token']").await?;
    let mail = test.inside("app", &["cat", &format!("/tmp/mail-{email}")]).await?;
    let code = mail.lines().find_map(|line| line.strip_prefix("Subject: ")?.split(' ').next());
    let code = code.ok_or_else(|| Wrong::red("the mail to the owner has no code in its subject"))?;
    browser.fill("[data-test-input='token']", code).await?;
    browser.click("[data-test-button='verify']").await?;
    browser.see_text("body", "Olive Owner").await?;

    browser.open(test.url("/ghost/#/posts")).await?;
    browser.see_text(".gh-posts-list-item", title).await?;
    browser.open(test.url(&format!("/{}/", test.value("keep_post_slug")?))).await?;
    browser.see_text("article h1", title).await?;
    browser.see_text("article", test.value("keep_post_words")?).await?;
    Ok(format!("{email} signs in with the code of a mail, and {title:?} stands in the list and on its page"))
}
