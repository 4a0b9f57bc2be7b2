//! Claims.

use harness::swarm::{Claim, ClaimOutcome};

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
