//! A restored server is a working one: the restored monitor takes a push and shows it to its owner at once.

use harness::testing::{Outcome, Test};

use super::lib::kuma::{PATIENCE, UP, owner, public};

pub async fn run(test: &Test) -> Outcome {
    let mut owner = owner(test).await?;
    let monitor = test.value("seed_monitor")?.parse()?;
    let push = test.value("seed_token")?;
    public(&test.http()?, &test.url(&format!("/api/push/{push}?status=up&msg=after-restore")), 200).await?;
    let beat = owner.beat(monitor, UP, PATIENCE).await?;
    assert_eq!(beat["msg"], "after-restore", "the text of the beat");
    Ok(format!("the restored monitor {monitor} takes a push, and its owner sees it"))
}
