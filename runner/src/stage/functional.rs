//! What the app is for, on live state.

use super::overlay;
use crate::context::{Context, Step};

pub(super) async fn run(cx: &mut Context) -> Step {
    overlay::run_all(cx, "functional").await
}
