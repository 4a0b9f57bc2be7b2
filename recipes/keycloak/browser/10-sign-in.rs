//! A person comes to the page of their own account, is sent to the login page, mistypes the password, then
//! gets in and reads their own name. The page is a program that logs in by OpenID Connect itself.

use harness::testing::{Outcome, Test, pass_login_form};

pub async fn run(test: &Test) -> Outcome {
    let (realm, user) = (test.value("own_realm")?, test.value("own_user")?);
    let page = test.url(&format!("/realms/{realm}/account/"));
    let (browser, title) = pass_login_form(test, &page, user, &test.value("own_password")?.into()).await?;
    assert_eq!(title, format!("Sign in to Realm {}", test.value("own_mark")?), "the login page's title");
    let email = browser.see("input#email").await?;
    assert_eq!(email.prop("value").await?.as_deref(), Some(&*format!("{user}@example.org")), "the address shown");
    Ok(format!("{user} is refused with a wrong password, signs in with the right one and sees the account"))
}
