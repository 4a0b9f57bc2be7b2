//! The owner signs in, finds the workflow in the list, opens it, runs it by hand and reads its result.
//! What the editor shows of a run comes through the socket that it keeps to n8n.

use std::time::Duration;

use harness::browser::Browser;
use harness::testing::{Outcome, Test, Wrong};

/// The list of workflows, which is what an owner sees first.
const LIST: &str = "[data-test-id=resources-list-wrapper]";

/// The editor is some megabytes of script, which a busy machine takes its time over.
const PATIENCE: Duration = Duration::from_secs(40);

pub async fn run(test: &Test) -> Outcome {
    let name = test.value("keep_workflow_name")?;
    let browser = test.browser().await?;
    browser.wait_up_to(PATIENCE);
    sign_in(test, &browser).await?;

    browser.see_text("[data-test-id=workflow-card-name]", name).await?.click().await?;
    browser.see_text("[data-test-id=canvas-node]", "Called").await?;
    browser.see_text("[data-test-id=canvas-node]", "Answered").await?;

    // The call that it works on is pinned to its first step: 1200 and 34.
    browser.click("[data-test-id=execute-workflow-button]").await?;
    browser.see("[data-test-id=canvas-node-status-success]").await?;
    browser.click("[data-test-id=logs-overview-header]").await?;
    // A click on the step whose result is open closes it, and which one is open at first differs by release.
    for step in ["Called", "Answered"] {
        browser.see_text("[role=treeitem]", step).await?.click().await?;
    }
    browser.see_text("[data-test-id=log-details-output]", "1234").await?;
    Ok(format!("the owner signs in, opens {name:?}, runs it and reads 1234"))
}

/// n8n takes five sign-ins a minute, also right ones; whoever comes then is told so, waits and tries again.
async fn sign_in(test: &Test, browser: &Browser) -> Result<(), Wrong> {
    let (email, password) = (test.value("owner_email")?, test.value("owner_password")?);
    for _ in 0..12 {
        browser.open(test.url("/signin")).await?;
        browser.fill("input[name=emailOrLdapLoginId]", email).await?;
        browser.fill("input[name=password]", password).await?;
        browser.click("[data-test-id=form-submit-button]").await?;
        let said = browser.see(&format!("{LIST}, .el-notification")).await?.text().await?;
        if !said.contains("Too many requests") {
            break;
        }
        browser.wait_up_to(Duration::from_secs(6));
        browser.see(LIST).await.ok();
        browser.wait_up_to(PATIENCE);
    }
    browser.see(LIST).await?;
    Ok(())
}
