//! Any order of actions of people, forges and machines: every command is accepted once.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::model::{BOT, MEMBER, Model, STRANGER, down, wrong};
use super::open;
use crate::names::CommentId;

#[derive(Debug, Clone)]
enum Step {
    Comment(i64, u64, bool),
    Reword(usize),
    Delete(usize),
    Tick(i64),
    /// A poll, and its failure.
    Cycle(Option<(u32, bool)>),
    Hook(usize),
    /// A command is accepted; the machine may stop before that is confirmed.
    Take(Option<u32>, bool),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let author = prop_oneof![4 => Just(MEMBER), 1 => Just(STRANGER), 1 => Just(BOT)];
    prop_oneof![
        6 => (author, 1..6_u64, any::<bool>()).prop_map(|(author, pull, word)| Step::Comment(author, pull, word)),
        1 => any::<usize>().prop_map(Step::Reword),
        1 => any::<usize>().prop_map(Step::Delete),
        2 => prop_oneof![Just(0_i64), Just(1), Just(30), Just(400), Just(-3), Just(-200)].prop_map(Step::Tick),
        4 => prop::option::weighted(0.3, (0..4_u32, any::<bool>())).prop_map(Step::Cycle),
        1 => any::<usize>().prop_map(Step::Hook),
        3 => (prop::option::weighted(0.2, 0..3_u32), any::<bool>()).prop_map(|(fails, stops)| Step::Take(fails, stops)),
        1 => Just(Step::Restart),
    ]
}

async fn played(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = Some(open(&model, folder.path()).await);
    // Only a clock that is set back to before the first start hides comments.
    model.tick(100_000);
    watcher.as_mut().unwrap().cycle().await.unwrap();
    // The desk's own disk, which outlives every restart.
    let mut desk: BTreeMap<CommentId, u32> = BTreeMap::new();
    let mut back = 0;
    let (mut all, mut wanted) = (Vec::new(), Vec::new());
    let mut end = vec![Step::Cycle(None), Step::Tick(30), Step::Cycle(None), Step::Tick(30), Step::Cycle(None)];
    end.extend(std::iter::repeat_n(Step::Take(None, false), steps.len()));
    for step in steps.into_iter().chain(end) {
        let own = watcher.as_mut().unwrap();
        match step {
            Step::Comment(author, pull, is_word) => {
                let id = model.comment_by(author, pull, if is_word { "!testme" } else { "nice" });
                all.push(id);
                if author == MEMBER && is_word {
                    wanted.push(id);
                }
            }
            Step::Reword(which) if !all.is_empty() => {
                let id = all[which % all.len()];
                // Only after it has been read: before that, the new text counts.
                if own.fate(id).is_some() {
                    model.reword(id, "!testme only=reworded");
                }
            }
            Step::Delete(which) if !all.is_empty() => {
                let id = all[which % all.len()];
                model.delete(id);
                wanted.retain(|other| *other != id || desk.contains_key(other));
            }
            // A clock that goes back further than a poll does, and forward again before the next poll, hides what was
            // written in between. No time that the forge returns could show that.
            Step::Tick(seconds) if seconds < 0 && back + seconds < -250 => {}
            Step::Tick(seconds) => {
                back += seconds.min(0);
                model.tick(seconds);
            }
            Step::Cycle(fails) => {
                if let Some((others, passing)) = fails {
                    model.fail_after(others, if passing { down() } else { wrong() });
                }
                let _ = own.cycle().await;
                model.fail_after(u32::MAX, down());
            }
            Step::Hook(which) if !all.is_empty() => {
                let id = all[which % all.len()];
                if own.fate(id).is_none() && wanted.contains(&id) {
                    own.offer(&model.read(id)).unwrap();
                }
            }
            Step::Take(fails, stops) => {
                if let Some(others) = fails {
                    model.fail_after(others, down());
                }
                let asked = own.next().await;
                model.fail_after(u32::MAX, down());
                let Ok(Some(asked)) = asked else { continue };
                let text = serde_json::to_string(&asked.comment.said).unwrap();
                prop_assert!(!text.contains("reworded"), "{}", text);
                *desk.entry(asked.comment.id).or_default() += 1;
                if stops {
                    drop(watcher.take());
                    watcher = Some(open(&model, folder.path()).await);
                } else {
                    own.confirm(asked.comment.id).unwrap();
                    // Returned again after the confirmation would be a second run.
                    desk.insert(asked.comment.id, u32::MAX / 2);
                }
            }
            Step::Restart => {
                drop(watcher.take());
                watcher = Some(open(&model, folder.path()).await);
            }
            _ => {}
        }
        prop_assert!(desk.values().all(|times| *times <= u32::MAX / 2), "a confirmed word came again: {desk:?}");
    }
    let taken: Vec<CommentId> = desk.into_keys().collect();
    prop_assert_eq!(taken, wanted);
    prop_assert!(watcher.unwrap().waiting().is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_word_is_taken_on_once(steps in prop::collection::vec(step(), 0..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(played(steps))?;
    }
}
