//! Claims on stacks' names: swarm configs called `ccci_<stack>`. Swarm creates a name once, on every manager, so two
//! runs never share a stack; the config names its run, and what to clean up when that is dead.

use std::collections::BTreeMap;

use base::failure::{Failure, Kind};
use base::names::{Domain, RecipeName, RunId, StackName};
use swarm::{SharedRecord, Swap, Swarm};

/// The claim of a stack's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub stack: StackName,
    pub run: RunId,
    pub domain: Domain,
    pub recipe: RecipeName,
    /// The stack of the tested app, if this one is its dependency.
    pub beside: Option<StackName>,
    /// The deployed release, if the app is a provider that later runs may use too.
    pub warm: Option<String>,
    /// The host of the run's process.
    pub owner: String,
    /// The time after which the run cannot be alive, in Unix seconds.
    pub deadline: i64,
    /// The time until which the app is kept after its run, in Unix seconds.
    pub kept_until: Option<i64>,
}

/// The result of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    Held,
    /// Another run has claimed it.
    Taken(Claim),
}

const PREFIX: &str = "ccci_";
const RUN: &str = "cc-ci.run";
const STACK: &str = "cc-ci.stack";
const DOMAIN: &str = "cc-ci.domain";
const RECIPE: &str = "cc-ci.recipe";
const BESIDE: &str = "cc-ci.beside";
const WARM: &str = "cc-ci.warm";
const OWNER: &str = "cc-ci.owner";
const DEADLINE: &str = "cc-ci.deadline";
const KEPT_UNTIL: &str = "cc-ci.kept-until";

impl Claim {
    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        [
            (RUN, self.run.to_string()),
            (STACK, self.stack.to_string()),
            (DOMAIN, self.domain.to_string()),
            (RECIPE, self.recipe.to_string()),
            (OWNER, self.owner.clone()),
            (DEADLINE, self.deadline.to_string()),
        ]
        .into_iter()
        .chain(self.beside.iter().map(|tested| (BESIDE, tested.to_string())))
        .chain(self.warm.iter().map(|release| (WARM, release.clone())))
        .chain(self.kept_until.map(|until| (KEPT_UNTIL, until.to_string())))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// `None` if the config is no claim: a label is missing or has no valid name.
    pub(crate) fn from_labels(labels: &BTreeMap<String, String>) -> Option<Self> {
        let label = |name: &str| labels.get(name).cloned();
        Some(Self {
            stack: label(STACK)?.try_into().ok()?,
            run: label(RUN)?.parse().ok()?,
            domain: label(DOMAIN)?.parse().ok()?,
            recipe: label(RECIPE)?.parse().ok()?,
            beside: label(BESIDE).map(StackName::try_from).transpose().ok()?,
            warm: label(WARM),
            owner: label(OWNER)?,
            deadline: label(DEADLINE)?.parse().ok()?,
            kept_until: label(KEPT_UNTIL).and_then(|until| until.parse().ok()),
        })
    }
}

fn name_of(stack: &StackName) -> String {
    format!("{PREFIX}{stack}")
}

/// The claims on a swarm.
#[derive(Debug, Clone, Copy)]
pub struct Claims<'a>(pub &'a Swarm);

impl Claims<'_> {
    /// Claims a stack's name, or returns its claim.
    ///
    /// # Errors
    /// The engine does not answer, or is no swarm manager.
    pub async fn take(&self, claim: &Claim) -> Result<ClaimOutcome, Failure> {
        // The second attempt is for a holder that released between the refusal and the query.
        for _ in 0..2 {
            if self.0.make_shared_record(&name_of(&claim.stack), claim.labels()).await? {
                return Ok(ClaimOutcome::Held);
            }
            let holder = self.all().await?.into_iter().find(|other| other.stack == claim.stack);
            if let Some(holder) = holder {
                return Ok(ClaimOutcome::Taken(holder));
            }
        }
        Err(Failure::new(
            Kind::NoSlot,
            format!("the swarm config {} is there and is no claim of cc-ci", name_of(&claim.stack)),
            "inspect it with `docker config inspect`, and remove it if nothing needs it",
        ))
    }

    /// Ensures that a run has its claim, claiming the name again if it is free, and returns the id of exactly this
    /// claim; `None` if another run has the name.
    ///
    /// # Errors
    /// The engine does not answer, or is no swarm manager.
    pub async fn hold(&self, claim: &Claim) -> Result<Option<String>, Failure> {
        let name = name_of(&claim.stack);
        // Bounded: other runs may claim and release the name repeatedly.
        for _ in 0..5 {
            if let Some(record) = self.0.shared_record(&name).await? {
                return Ok(read(&record).filter(|held| held.run == claim.run).map(|_| record.id));
            }
            self.take(claim).await?;
        }
        Ok(None)
    }

    /// Releases exactly this claim, not a later one on the same name.
    pub async fn give_back(&self, id: &str) -> Result<(), Failure> {
        self.0.drop_shared_record(id).await
    }

    /// Records until when (Unix seconds) the app of a stack is kept after its run.
    ///
    /// # Errors
    /// There is no claim, or the engine does not answer.
    pub async fn keep(&self, stack: &StackName, until: i64) -> Result<(), Failure> {
        let kept = self.change(stack, |claim| Some(Claim { kept_until: Some(until), ..claim })).await?;
        if kept {
            return Ok(());
        }
        let what = format!("no run has claimed the stack {stack}, so it cannot be kept");
        Err(Failure::new(Kind::NotKept, what, "who released it: `docker config ls` shows the claims"))
    }

    /// Extends the time of a kept app, if it is shorter, for a run that uses it. False means that it is not kept: its
    /// end has begun, or it is still being created.
    pub async fn extend(&self, stack: &StackName, until: i64) -> Result<bool, Failure> {
        let more = |claim: Claim| claim.kept_until.map(|had| Claim { kept_until: Some(had.max(until)), ..claim });
        self.change(stack, more).await
    }

    /// Begins the end of a kept app, after which it cannot be extended. Returns the time (Unix seconds) until which it
    /// is kept instead, if it was extended since `seen`; `None` means that its end has begun, perhaps by another
    /// janitor that is still working.
    pub async fn end(&self, seen: &Claim, now: i64) -> Result<Option<i64>, Failure> {
        let end = |held: Claim| {
            let as_seen = held.run == seen.run && held.kept_until == seen.kept_until;
            as_seen.then_some(Claim { kept_until: None, deadline: now, ..held })
        };
        if self.change(&seen.stack, end).await? {
            return Ok(None);
        }
        let held = self.all().await?.into_iter().find(|held| held.stack == seen.stack && held.run == seen.run);
        Ok(held.and_then(|held| held.kept_until))
    }

    /// Changes a claim, if `change` returns a new value for the current one. Swarm refuses a change of an outdated
    /// version; then the claim is read again.
    async fn change(&self, stack: &StackName, change: impl Fn(Claim) -> Option<Claim>) -> Result<bool, Failure> {
        let name = name_of(stack);
        while let Some(record) = self.0.shared_record(&name).await? {
            let Some(changed) = read(&record).and_then(&change) else { return Ok(false) };
            match self.0.swap_shared_record(&name, record.version, changed.labels()).await? {
                Swap::Done => return Ok(true),
                Swap::Gone => return Ok(false),
                Swap::Stale => {}
            }
        }
        Ok(false)
    }

    /// Waits until a claim is gone. It may wait for ever: the engine does not report events from before its restart.
    pub async fn gone(&self, stack: &StackName) {
        self.0.shared_record_gone(&name_of(stack)).await;
    }

    /// Releases a stack's name, if it is claimed.
    pub async fn release(&self, stack: &StackName) -> Result<(), Failure> {
        self.0.drop_shared_record(&name_of(stack)).await
    }

    pub async fn all(&self) -> Result<Vec<Claim>, Failure> {
        Ok(self.0.shared_records(RUN).await?.iter().filter_map(read).collect())
    }
}

fn read(record: &SharedRecord) -> Option<Claim> {
    Claim::from_labels(&record.labels).filter(|claim| record.name == name_of(&claim.stack))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        Claim {
            stack: StackName::try_from("a_ci_localhost".to_owned()).unwrap(),
            run: "20260101-abc".parse().unwrap(),
            domain: "a.ci.localhost".parse().unwrap(),
            recipe: "a".parse().unwrap(),
            beside: None,
            warm: None,
            owner: "host".to_owned(),
            deadline: 1_700_000_000,
            kept_until: None,
        }
    }

    #[test]
    fn a_claim_survives_its_labels() {
        assert_eq!(Claim::from_labels(&claim().labels()), Some(claim()));
        let kept = Claim { kept_until: Some(1_700_000_100), ..claim() };
        assert_eq!(Claim::from_labels(&kept.labels()), Some(kept));
        let beside = Claim { beside: Some(StackName::try_from("b_ci_localhost".to_owned()).unwrap()), ..claim() };
        assert_eq!(Claim::from_labels(&beside.labels()), Some(beside));
    }

    #[test]
    fn a_label_that_is_missing_or_no_name_makes_no_claim() {
        for name in [RUN, STACK, DOMAIN, RECIPE, OWNER, DEADLINE] {
            let mut labels = claim().labels();
            labels.remove(name);
            assert_eq!(Claim::from_labels(&labels), None, "without {name}");
        }
        let mut labels = claim().labels();
        labels.insert(STACK.to_owned(), "../x".to_owned());
        assert_eq!(Claim::from_labels(&labels), None);
    }
}
