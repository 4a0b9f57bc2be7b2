//! What the app is for, on live state.

use super::{overlay, own_tests};
use crate::context::{Context, Step};

pub(super) async fn run(cx: &mut Context) -> Step {
    let overlays = overlay::run_all(cx, "functional").await;
    let own = own_tests::run(cx).await;
    overlays.and(own)
}
