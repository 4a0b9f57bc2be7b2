//! The administrator comes to the console, mistypes the password, then gets in, and finds a realm in the list.

use std::time::Duration;

use harness::oidc::pass_login_form;
use harness::testing::{Outcome, Test};

pub async fn run(test: &Test) -> Outcome {
    let (admin, realm) = (test.value("admin")?, test.value("own_realm")?);
    let browser = test.browser().await?;
    // The console is some megabytes of script, which a busy machine takes its time over.
    browser.wait_up_to(Duration::from_secs(60));
    let console = test.url("/admin/master/console/");
    pass_login_form(&browser, &console, admin, &test.value("admin_password")?.into()).await?;
    browser.see("#kc-main-content-page-container").await?;
    browser.open(format!("{console}#/master/realms")).await?;
    browser.see_text("table", realm).await?;
    Ok(format!("{admin} is refused with a wrong password, signs in with the right one and finds {realm}"))
}
