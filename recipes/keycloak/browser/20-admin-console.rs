//! The administrator comes to the console, mistypes the password, then gets in, and finds a realm in the list.

use harness::testing::{Outcome, Test, pass_login_form};

pub async fn run(test: &Test) -> Outcome {
    let (admin, realm) = (test.value("own_admin")?, test.value("own_realm")?);
    let console = test.url("/admin/master/console/");
    let (browser, _) = pass_login_form(test, &console, admin, &test.value("own_admin_password")?.into()).await?;
    browser.see("#kc-main-content-page-container").await?;
    browser.open(format!("{console}#/master/realms")).await?;
    browser.see_text("table", realm).await?;
    Ok(format!("{admin} is refused with a wrong password, signs in with the right one and finds {realm}"))
}
