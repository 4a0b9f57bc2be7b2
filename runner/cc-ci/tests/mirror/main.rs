//! `cc-ci mirror` against the real Gitea, which is started once: so there is one test, whose steps have names.

// The lints let tests alone; helpers count as tests below this attribute.
#[cfg(test)]
mod scene;
#[cfg(test)]
mod steps;

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::time::Instant;

    use futures_util::FutureExt as _;

    use crate::scene::Scene;
    use crate::steps;

    macro_rules! steps {
        ($scene:expr; $($step:ident,)+) => {{
            let mut red = Vec::new();
            $(
                let start = Instant::now();
                let ended = AssertUnwindSafe(steps::$step($scene)).catch_unwind().await;
                let word = if ended.is_ok() { "ok" } else { "FAILED" };
                println!("  {} {word} ({:.1} s)", stringify!($step), start.elapsed().as_secs_f32());
                if ended.is_err() {
                    red.push(stringify!($step));
                }
            )+
            red
        }};
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_mirror_and_the_real_gitea() {
        let red = testforge::with(async |gitea| {
            let scene = &Scene::new(gitea).await;
            steps! { scene;
                a_mirror_is_made,
                nothing_new_pushes_nothing,
                what_upstream_has_new_is_pushed,
                a_tag_that_moved_stays,
                a_branch_that_diverged_stays,
                branches_of_pull_requests_stay,
                a_token_is_nowhere_to_be_seen,
                a_wrong_token_is_told,
                a_private_mirror_is_cloned_with_the_token_and_not_without,
                a_sweep_asks_the_mirror_where_there_is_one,
                a_bot_without_rights_is_told,
                an_enrolment_is_proposed_once,
                an_enrolment_goes_on_after_a_crash,
            }
        })
        .await;
        assert!(red.is_empty(), "red: {red:?}");
    }
}
