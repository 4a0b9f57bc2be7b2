//! Everything that the watcher needs of a forge, against the real Gitea. That is started once, so there is one test
//! with named steps.

// The lints exempt tests; helpers count as tests below this attribute.
#[cfg(test)]
mod bursts;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod words;

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::time::Instant;

    use futures_util::FutureExt as _;

    use crate::scene::Scene;
    use crate::{bursts, ends, facts, hooks, outages, words};

    macro_rules! steps {
        ($scene:expr; $($module:ident::$step:ident,)+) => {{
            let mut red = Vec::new();
            $(
                let start = Instant::now();
                let ended = AssertUnwindSafe($module::$step($scene)).catch_unwind().await;
                let word = if ended.is_ok() { "ok" } else { "FAILED" };
                let name = concat!(stringify!($module), "::", stringify!($step));
                println!("  {name} {word} ({:.1} s)", start.elapsed().as_secs_f32());
                if ended.is_err() {
                    red.push(name);
                }
            )+
            red
        }};
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_watcher_and_the_real_gitea() {
        let red = testforge::with(async |gitea| {
            let scene = &Scene::new(gitea).await;
            steps! { scene;
                bursts::an_idle_cycle_with_one_pull_request,
                facts::who_is_who,
                facts::a_bot_that_is_no_member_is_told,
                facts::a_wrong_token_or_address_is_told,
                facts::pull_requests_from_a_branch_and_from_a_fork,
                facts::one_comment_is_written_found_and_edited,
                facts::a_status_stands_beside_the_commit,
                ends::which_forge_it_is_and_whose_token,
                ends::a_push_after_a_word_is_seen_and_one_before_it_is_not,
                ends::a_pull_request_that_ends_is_told,
                ends::a_git_that_is_too_old_for_sha_256_is_told,
                words::a_members_word_has_the_commit_of_its_moment,
                words::edits_and_deletions,
                words::own_and_other_comments,
                words::strangers_start_nothing,
                words::a_member_who_left_is_a_stranger,
                words::a_restart_between_any_two_steps,
                bursts::five_hundred_comments,
                bursts::comments_while_it_reads,
                bursts::a_comment_is_taken_on_within_one_interval,
                hooks::a_webhook_is_quicker,
                bursts::an_idle_cycle_with_fifty_pull_requests,
                outages::a_gitea_that_is_frozen,
                outages::a_gitea_that_is_stopped_for_a_while,
            }
        })
        .await;
        assert!(red.is_empty(), "red: {red:?}");
    }
}
