//! Claims.

use std::panic::AssertUnwindSafe;

use base::names::StackName;
use futures_util::FutureExt as _;
use rand::Rng as _;

use slots::{Claim, ClaimOutcome, Claims};
use swarm::Swarm;

/// A unique name.
struct Stack {
    swarm: Swarm,
    name: StackName,
}

/// Gives a test its own stack name, and releases it, even on failure.
async fn with_stack(test: impl AsyncFnOnce(&Stack)) {
    let letters: String = rand::rng().sample_iter(rand::distr::Alphanumeric).take(8).map(char::from).collect();
    let stack = Stack {
        swarm: Swarm::connect().await.expect("a docker engine, made by ./dev"),
        name: StackName::try_from(format!("claims-{}", letters.to_lowercase())).unwrap(),
    };
    let ended = AssertUnwindSafe(test(&stack)).catch_unwind().await;
    Claims(&stack.swarm).release(&stack.name).await.unwrap();
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

fn claim(stack: &Stack, run: &str) -> Claim {
    Claim {
        stack: stack.name.clone(),
        run: run.parse().unwrap(),
        domain: "x.ci.localhost".parse().unwrap(),
        recipe: "x".parse().unwrap(),
        beside: None,
        warm: None,
        owner: "a-host".to_owned(),
        deadline: 1_900_000_000,
        kept_until: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_held_once() {
    with_stack(async |stack| {
        let (first, second) = (claim(stack, "run-1"), claim(stack, "run-2"));
        let (swarm, claims) = (&stack.swarm, Claims(&stack.swarm));
        assert_eq!(claims.take(&first).await.unwrap(), ClaimOutcome::Held);
        assert_eq!(claims.take(&second).await.unwrap(), ClaimOutcome::Taken(first.clone()));
        assert!(claims.all().await.unwrap().contains(&first));
        // A claim outlives the removal of its stack: it is removed last, separately.
        assert_eq!(swarm.objects(&stack.name).await.unwrap(), []);
        claims.release(&stack.name).await.unwrap();
        claims.release(&stack.name).await.unwrap();
        assert_eq!(claims.take(&second).await.unwrap(), ClaimOutcome::Held);
        claims.release(&stack.name).await.unwrap();
        assert!(!claims.all().await.unwrap().iter().any(|claim| claim.stack == stack.name));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_known_by_its_id_and_no_later_one_is_given_back_for_it() {
    with_stack(async |stack| {
        let (first, second) = (claim(stack, "run-1"), claim(stack, "run-2"));
        let claims = Claims(&stack.swarm);
        let old = claims.hold(&first).await.unwrap().expect("nobody else has it");
        assert_eq!(claims.hold(&first).await.unwrap().as_ref(), Some(&old), "it has it already");
        assert_eq!(claims.hold(&second).await.unwrap(), None);
        claims.give_back(&old).await.unwrap();
        let new = claims.hold(&second).await.unwrap().expect("the name is free");
        claims.give_back(&old).await.unwrap();
        let stands = async |id: &str| stack.swarm.has_shared_record(id).await.unwrap();
        assert!(stands(&new).await && !stands(&old).await);
        claims.give_back(&new).await.unwrap();
        assert!(!stands(&new).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_claim_is_extended_or_ended_but_never_both() {
    with_stack(async |stack| {
        let (claims, name) = (Claims(&stack.swarm), &stack.name);
        let held = |claims: Vec<Claim>| claims.into_iter().find(|claim| claim.stack == *name);
        claims.take(&claim(stack, "run-1")).await.unwrap();
        assert!(!claims.extend(name, 100).await.unwrap(), "one that is not kept is not extended");
        claims.keep(name, 100).await.unwrap();
        assert!(claims.extend(name, 50).await.unwrap(), "less time than it has");
        assert_eq!(held(claims.all().await.unwrap()).unwrap().kept_until, Some(100));
        assert!(claims.extend(name, 200).await.unwrap());
        let seen = |until| Claim { kept_until: Some(until), ..claim(stack, "run-1") };
        assert_eq!(claims.end(&seen(100), 10).await.unwrap(), Some(200), "it is not so any more");
        // Eight extend it while one ends it: those after the end get an error.
        let more = (0..8).map(|n| claims.extend(name, 201 + n));
        let two_hundred = seen(200);
        let (ended, more) =
            futures_util::future::join(claims.end(&two_hundred, 10), futures_util::future::join_all(more)).await;
        let extended = more.into_iter().filter(|more| *more.as_ref().unwrap()).count();
        let left = held(claims.all().await.unwrap()).unwrap();
        match ended.unwrap() {
            None => assert_eq!((left.kept_until, extended), (None, 0)),
            Some(until) => {
                assert!(until > 200 && extended > 0);
                assert_eq!(claims.end(&left, 10).await.unwrap(), None);
            }
        }
        // Of two janitors with the same snapshot, the slower one continues too: the time was not extended.
        assert_eq!(claims.end(&two_hundred, 10).await.unwrap(), None);
        let gone = claims.gone(name);
        // Released repeatedly: the first may come before the engine's event stream is open.
        let release = async {
            loop {
                claims.release(name).await.unwrap();
                claims.take(&claim(stack, "run-2")).await.unwrap();
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            tokio::select! { biased; () = gone => {}, () = release => {} }
        });
        waited.await.expect("the end of the claim is told");
        claims.release(name).await.unwrap();
        assert!(!claims.extend(name, 300).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_wins() {
    with_stack(async |stack| {
        let claims_of = Claims(&stack.swarm);
        let claims: Vec<Claim> = (0..8).map(|n| claim(stack, &format!("run-{n}"))).collect();
        let outcomes = futures_util::future::join_all(claims.iter().map(|claim| claims_of.take(claim))).await;
        Claims(&stack.swarm).release(&stack.name).await.unwrap();
        let held = outcomes.iter().filter(|outcome| matches!(outcome, Ok(ClaimOutcome::Held))).count();
        assert_eq!(held, 1, "{outcomes:?}");
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    })
    .await;
}
