//! A person of the provider's signs in through it in the browser, gets an account by that, and makes a
//! repository. With a wrong password nobody comes in.

use std::time::Duration;

use harness::http::Method;
use harness::oidc::Oidc;
use harness::testing::{Broken, Outcome, Test, random, refuses_wrong_password};

pub async fn run(test: &Test) -> Outcome {
    let sso = test.sso()?;
    // Where a click on the provider's button leads.
    let start = format!("/user/oauth2/{}", test.value("sso_source")?);
    let person = sso.users.first().ok_or_else(|| Broken::new("the run made no user"))?;
    let http = test.http()?;
    let provider = Oidc::discover(&http, &sso.issuer).await?;
    let stranger = http.session();
    refuses_wrong_password(&provider, &stranger, &test.url(&start), &person.name).await?;
    let settings = stranger.ask(Method::GET, &test.address("/user/settings")?).send().await?;
    assert_eq!(settings.status, 303, "whoever was refused is not signed in");

    let browser = test.browser().await?;
    browser.wait_up_to(Duration::from_secs(40));
    browser.open(test.url("/user/login")).await?;
    browser.see(&format!("a[href$='{start}']")).await?;
    let here = provider.login_by_browser(&browser, &test.url(&start), &person.name, &person.password).await?;
    assert_eq!(here.path(), "/", "where {} came back to from the provider", person.name);
    browser.see(&format!("a[href='/{}']", person.name)).await?;
    browser.open(test.url("/user/settings")).await?;
    let name = browser.see("#full_name").await?.value().await?;
    assert_eq!(name, Some(format!("{} {}", person.first_name, person.last_name)), "the name that the provider told");

    let repository = format!("by-sso-{}", random());
    browser.open(test.url("/repo/create")).await?;
    browser.fill("#repo_name", &repository).await?;
    browser.click("form button.primary").await?;
    browser.see(&format!("a[href='/{}/{repository}/issues']", person.name)).await?;
    test.remember("sso_person", &person.name)?;
    test.remember("sso_repository", &repository)?;
    Ok(format!("{} signs in through {}, and makes {repository}", person.name, sso.issuer))
}
