//! A forge that is away.

use std::time::{Duration, Instant};

use journal::event::VerdictKind;

use super::is_full;
use super::pull::until;
use super::scene::Scene;

pub(super) async fn a_gitea_that_is_stopped_for_a_while(scene: &mut Scene<'_>) {
    scene.serve().await;
    let (running, waiting) = (scene.pull().await, scene.pull().await);
    let first = running.says("!testme").await;
    running.is_deployed().await;
    // Written, and not read yet.
    let held = scene.next_look().await;
    let second = waiting.says("!testme only=install").await;
    let begun = Instant::now();
    scene.gitea.stop().await;
    drop(held);
    let server = scene.serve().await;
    // It is asked after some 1, 2, 4, … seconds.
    let (mut looks, wanted) = (0, if is_full() { Duration::from_secs(60) } else { Duration::ZERO });
    while looks < 3 || begun.elapsed() < wanted {
        server.says("issues/search").await;
        looks += 1;
    }
    // Its run went on, and ended meanwhile.
    let ended = async || scene.word(first).is_some_and(|word| word["phase"]["ended"].is_object());
    until("the run's end", ended).await;
    assert_eq!(scene.word(first).unwrap()["told"], false);
    assert!(scene.word(second).is_none());
    let away = begun.elapsed();
    scene.gitea.start().await;
    scene.proxy.aim(scene.gitea.url().await);
    let back = Instant::now();
    running.answer(&["### ✓ passed"]).await;
    println!("    away for {:.0} s; verdict told {:.0} s later", away.as_secs_f32(), back.elapsed().as_secs_f32());
    running.has_status("cc-ci", "success").await;
    waiting.answer(&["### ✓ passed, in part"]).await;
    println!("    and the comment's verdict {:.0} s later", back.elapsed().as_secs_f32());
    assert_eq!(
        (scene.verdicts(&running), scene.verdicts(&waiting)),
        (vec![Some(VerdictKind::Passed)], vec![Some(VerdictKind::Passed)])
    );
    running.nothing_is_left().await;
    waiting.nothing_is_left().await;
}
