//! What the app is for, on live state: first by its interfaces, then as people see it.

use super::overlay;
use crate::context::{Context, Step};

pub(super) async fn run(cx: &mut Context) -> Step {
    let functional = overlay::run_all(cx, "functional").await;
    overlay::run_all(cx, "browser").await.and(functional)
}
