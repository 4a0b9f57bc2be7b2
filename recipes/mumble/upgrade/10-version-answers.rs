//! The server that answers is of the version that was deployed.

use harness::testing::{Outcome, Test, random};

use super::lib::mumble::guest;

pub async fn run(test: &Test) -> Outcome {
    let (major, minor, patch) = guest(test, &format!("visitor-{}", random()), None).await?.version;
    let said = format!("{major}.{minor}.{patch}");
    let label = test.value("CCCI_VERSION")?;
    let app = label.split_once('+').map_or(label, |(_, app)| app).trim_start_matches('v');
    let is_same = app.strip_prefix(&said).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
    assert!(is_same, "the server is Mumble {said}, and the label of the deployed version says {label:?}");
    Ok(format!("Mumble {said} answers, as the label says"))
}
