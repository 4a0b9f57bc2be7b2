//! Comments on the pull requests of a real Gitea, answered by `cc-ci serve` with runs on the real swarm. Gitea is
//! started once: so there is one test, whose steps have names. `CCCI_ANSWER=all` takes each step in full (eight places
//! to be killed at, a minute's outage, 500 comments), `CCCI_ANSWER_STEP=word` takes those steps alone whose names
//! have the word.

mod bursts;
mod forks;
mod hooks;
mod kills;
mod outages;
mod private;
mod pull;
mod scene;
mod server;
mod strangers;
mod tls;
mod words;

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt as _;

pub(super) use self::pull::{Pull, until};
pub(super) use self::scene::Scene;
pub(super) use self::server::Server;

/// Whether every step is taken in full.
fn is_full() -> bool {
    std::env::var_os("CCCI_ANSWER").is_some_and(|word| word == "all")
}

macro_rules! steps {
    ($scene:expr; $($module:ident::$step:ident,)+) => {{
        let (wanted, mut red) = (std::env::var("CCCI_ANSWER_STEP").unwrap_or_default(), Vec::new());
        let mut tried = 0;
        $(
            let name = concat!(stringify!($module), "::", stringify!($step));
            if name.contains(&wanted) {
                tried += 1;
                let start = Instant::now();
                let ended = AssertUnwindSafe($module::$step($scene)).catch_unwind().await;
                let word = if ended.is_ok() { "ok" } else { "FAILED" };
                println!("  {name} {word} ({:.1} s)", start.elapsed().as_secs_f32());
                if ended.is_err() {
                    if let Some(mut server) = $scene.take_server() {
                        server.print_rest();
                    }
                    red.push(name);
                }
            }
        )+
        // A step that was renamed would leave `./dev test` with nothing measured, and green.
        assert!(tried > 0, "no step's name has {wanted:?}");
        red
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_is_answered_with_a_verdict() {
    let red = testforge::with(async |gitea| {
        let scene = &mut Scene::new(gitea).await;
        steps! { scene;
            bursts::one_request_a_look_with_one_pull_request,
            words::a_verdict_on_the_pinned_commit,
            strangers::twenty_tries_of_strangers,
            words::a_run_is_stopped,
            words::an_app_is_held,
            words::a_push_after_the_word_is_not_run,
            words::comments_that_are_edited_or_deleted,
            forks::a_fork_with_own_tests,
            forks::a_commit_that_a_push_took_away,
            kills::a_server_that_is_killed_anywhere,
            words::a_stopped_server_tears_down,
            hooks::a_webhook_is_answered_at_once,
            outages::a_gitea_that_is_stopped_for_a_while,
            bursts::many_comments_at_once,
            bursts::one_request_a_look_with_thirty_pull_requests,
            private::a_private_organisation,
            tls::a_forge_with_an_authority_of_its_own,
        }
    })
    .await;
    assert!(red.is_empty(), "red: {red:?}");
}
