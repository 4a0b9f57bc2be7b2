//! Each service is taken down and brought back, one after the other: what an update of the host or `abra app restart`
//! does. What a container keeps in its own layer is lost then, and so is what an entrypoint makes anew.

use super::{Planted, bring_back, intact, recovered, take_down};
use crate::context::{StageRun, Step};
use plan::faults::Ground;
use recipe_folder::recipe_toml::InjectedFault;

pub(super) async fn run(cx: &mut StageRun, ground: &Ground, planted: &Planted) -> Step {
    let within = cx.app.toml.faults.restart.unwrap_or_default().within;
    for service in ground.live() {
        let event = format!("restart of {}", service.name);
        let name = format!("{}.{}", InjectedFault::Restart.check(), service.name);
        cx.check(&name, async |cx: &mut StageRun| {
            cx.progress(format!("restarts {}", service.name));
            let down = take_down(cx, [service].into_iter()).await?;
            bring_back(cx, &down).await?;
            let took = recovered(cx, planted, &event, within).await?;
            Ok((format!("down and back; the app is up and answers after {took:.1} s"), ()))
        })
        .await?;
        intact(cx, &name, planted, &event).await?;
    }
    Ok(())
}
