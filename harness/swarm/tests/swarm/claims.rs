//! Claims.

use swarm::{Claim, ClaimOutcome, Removal};

use crate::support::*;

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
        let swarm = &stack.swarm;
        assert_eq!(swarm.claim(&first).await.unwrap(), ClaimOutcome::Held);
        assert_eq!(swarm.claim(&second).await.unwrap(), ClaimOutcome::Taken(first.clone()));
        assert!(swarm.claims().await.unwrap().contains(&first));
        // A claim outlives the removal of its stack: it goes last, by itself.
        assert_eq!(swarm.objects(&stack.name).await.unwrap(), []);
        swarm.release(&stack.name).await.unwrap();
        swarm.release(&stack.name).await.unwrap();
        assert_eq!(swarm.claim(&second).await.unwrap(), ClaimOutcome::Held);
        swarm.release(&stack.name).await.unwrap();
        assert!(!swarm.claims().await.unwrap().iter().any(|claim| claim.stack == stack.name));
    })
    .await;
}

/// One that slept in the middle of its teardown wakes when a later run has the name.
#[tokio::test(flavor = "multi_thread")]
async fn a_removal_ends_where_a_later_run_has_the_name() {
    with_stack(async |stack| {
        let (first, second) = (claim(stack, "run-1"), claim(stack, "run-2"));
        let swarm = &stack.swarm;
        let old = swarm.hold_claim(&first).await.unwrap().expect("nobody else has it");
        assert_eq!(swarm.hold_claim(&first).await.unwrap().as_ref(), Some(&old), "it has it already");
        assert_eq!(swarm.hold_claim(&second).await.unwrap(), None);
        swarm.release_claim(&old).await.unwrap();
        let new = swarm.hold_claim(&second).await.unwrap().expect("the name is free");
        stack.deploy(vec![("app", stays())]).await.unwrap();
        let objects = swarm.objects(&stack.name).await.unwrap();
        assert!(!objects.is_empty());
        assert_eq!(swarm.remove_claimed(&stack.name, &old, Removal::Kill, soon(20)).await.unwrap(), []);
        swarm.release_claim(&old).await.unwrap();
        assert_eq!(swarm.objects(&stack.name).await.unwrap(), objects, "nothing of the later run was touched");
        assert!(swarm.has_claim(&new).await.unwrap() && !swarm.has_claim(&old).await.unwrap());
        assert_eq!(swarm.remove_claimed(&stack.name, &new, Removal::Kill, soon(20)).await.unwrap(), []);
        assert_eq!(swarm.objects(&stack.name).await.unwrap(), []);
        swarm.release_claim(&new).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_claim_is_extended_or_ended_but_never_both() {
    with_stack(async |stack| {
        let (swarm, name) = (&stack.swarm, &stack.name);
        let held = |claims: Vec<Claim>| claims.into_iter().find(|claim| claim.stack == *name);
        swarm.claim(&claim(stack, "run-1")).await.unwrap();
        assert!(!swarm.extend_claim(name, 100).await.unwrap(), "one that is not kept is not extended");
        swarm.keep_claim(name, 100).await.unwrap();
        assert!(swarm.extend_claim(name, 50).await.unwrap(), "less time than it has");
        assert_eq!(held(swarm.claims().await.unwrap()).unwrap().kept_until, Some(100));
        assert!(swarm.extend_claim(name, 200).await.unwrap());
        let seen = |until| Claim { kept_until: Some(until), ..claim(stack, "run-1") };
        assert_eq!(swarm.end_claim(&seen(100), 10).await.unwrap(), Some(200), "it is not so any more");
        // Eight want more time while one ends it: whoever comes after the end is told so.
        let more = (0..8).map(|n| swarm.extend_claim(name, 201 + n));
        let two_hundred = seen(200);
        let (ended, more) =
            futures_util::future::join(swarm.end_claim(&two_hundred, 10), futures_util::future::join_all(more)).await;
        let extended = more.into_iter().filter(|more| *more.as_ref().unwrap()).count();
        let left = held(swarm.claims().await.unwrap()).unwrap();
        match ended.unwrap() {
            None => assert_eq!((left.kept_until, extended), (None, 0)),
            Some(until) => {
                assert!(until > 200 && extended > 0);
                assert_eq!(swarm.end_claim(&left, 10).await.unwrap(), None);
            }
        }
        // Of two janitors who saw the same, the slower one goes on too: nobody has given it more time.
        assert_eq!(swarm.end_claim(&two_hundred, 10).await.unwrap(), None);
        let gone = swarm.claim_gone(name);
        // Released again and again: the first may come before the engine tells its events.
        let release = async {
            loop {
                swarm.release(name).await.unwrap();
                swarm.claim(&claim(stack, "run-2")).await.unwrap();
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            tokio::select! { biased; () = gone => {}, () = release => {} }
        });
        waited.await.expect("the end of the claim is told");
        swarm.release(name).await.unwrap();
        assert!(!swarm.extend_claim(name, 300).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_wins() {
    with_stack(async |stack| {
        let claims: Vec<Claim> = (0..8).map(|n| claim(stack, &format!("run-{n}"))).collect();
        let outcomes = futures_util::future::join_all(claims.iter().map(|claim| stack.swarm.claim(claim))).await;
        stack.swarm.release(&stack.name).await.unwrap();
        let held = outcomes.iter().filter(|outcome| matches!(outcome, Ok(ClaimOutcome::Held))).count();
        assert_eq!(held, 1, "{outcomes:?}");
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    })
    .await;
}
