//! Every flow and every refusal of `harness::oidc` against the real Keycloak, which is started once: so
//! there is one test, whose steps have names.

// The lints let tests alone; helpers count as tests below this attribute.
#[cfg(test)]
mod app;
#[cfg(test)]
mod browsers;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod keycloak;
#[cfg(test)]
mod logouts;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod tokens;

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::time::Instant;

    use futures_util::FutureExt as _;

    use crate::scene::Scene;
    use crate::{browsers, codes, forms, grants, keycloak, logouts, tokens};

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
    async fn every_flow_and_every_refusal() {
        let red = keycloak::with(async |keycloak| {
            let scene = &Scene::new(keycloak).await;
            steps! { scene;
                grants::a_provider_is_who_it_says,
                grants::a_password_opens_what_is_protected,
                grants::a_wrong_password_or_client_is_refused,
                grants::a_client_logs_in_itself,
                tokens::a_token_is_judged_by_whom_it_is_for,
                tokens::a_token_is_judged_by_its_time,
                tokens::the_provider_refuses_an_expired_token,
                tokens::nothing_shows_a_secret,
                codes::a_code_is_for_one_login,
                codes::a_code_is_used_once,
                codes::a_code_needs_its_own_proof_and_client,
                codes::a_way_back_of_another_login_is_refused,
                forms::a_person_logs_in_to_an_app,
                forms::the_app_refuses_what_it_should,
                forms::a_page_that_is_not_the_form_is_named,
                forms::an_app_that_asks_no_provider_is_told,
                logouts::a_person_logs_out,
                logouts::a_session_ends_without_the_person,
                browsers::a_person_logs_in_to_an_app,
                browsers::a_code_comes_by_the_browser,
                browsers::what_the_page_says_is_told,
                browsers::a_form_refuses_a_wrong_password_and_takes_the_right_one,
            }
        })
        .await;
        assert!(red.is_empty(), "these steps failed: {}", red.join(", "));
    }
}
