//! A person comes to the page of their own account, is sent to the login page, mistypes the password, then
//! gets in and reads their own name. The page is a program that logs in by OpenID Connect itself.

use std::time::Duration;

use harness::testing::{Outcome, Test};

/// The account's page is some megabytes of script, which a busy machine takes its time over.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn run(test: &Test) -> Outcome {
    let (realm, user) = (test.value("own_realm")?, test.value("own_user")?);
    let password = test.value("own_password")?;
    let browser = test.browser().await?;
    browser.wait_up_to(PATIENCE);

    browser.open(test.url(&format!("/realms/{realm}/account/"))).await?;
    browser.see("#kc-form-login").await?;
    assert_eq!(browser.title().await?, format!("Sign in to Realm {}", test.value("own_mark")?), "the page's title");
    browser.fill("#username", user).await?;
    browser.fill("#password", &format!("not-{password}")).await?;
    browser.click("#kc-login").await?;
    browser.see_text("#input-error-username, #input-error", "Invalid username or password").await?;

    browser.fill("#username", user).await?;
    browser.fill("#password", password).await?;
    browser.click("#kc-login").await?;
    let email = browser.see("input#email").await?;
    assert_eq!(email.prop("value").await?.as_deref(), Some(&*format!("{user}@example.org")), "the address shown");
    Ok(format!("{user} is refused with a wrong password, signs in with the right one and sees the account"))
}
