//! The server is killed between any two steps, and started again.

use std::time::Instant;

use journal::event::VerdictKind;
use testforge::Held;

use super::is_full;
use super::pull::{Pull, until};
use super::scene::Scene;

/// Where it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    /// The word is on the disk.
    Word,
    /// The forge has the first answer, and the server does not know it.
    Answer,
    /// The run has its folder.
    Folder,
    /// The first stage has begun.
    Stage,
    /// The app is deployed.
    App,
    /// The journal has the verdict.
    Verdict,
    /// The forge has the verdict, and the commit's status is not set.
    Edit,
    /// The status is set.
    Status,
}

const ALL: [Point; 8] =
    [Point::Word, Point::Answer, Point::Folder, Point::Stage, Point::App, Point::Verdict, Point::Edit, Point::Status];
/// Those that cost the most where they go wrong.
const FEW: [Point; 3] = [Point::Answer, Point::App, Point::Edit];

pub(super) async fn a_server_that_is_killed_anywhere(scene: &mut Scene<'_>) {
    let points: &[Point] = if is_full() { &ALL } else { &FEW };
    for point in points {
        let begun = Instant::now();
        scene.serve().await;
        let pull = scene.pull().await;
        let held = match point {
            Point::Answer => Some(scene.proxy.hold_answer("POST /api/v1/repos/coop/custom-html/issues/")),
            _ => None,
        };
        let comment = pull.says("!testme only=install").await;
        let held = reached(scene, &pull, comment, *point, held).await;
        scene.take_server().unwrap().kill();
        drop(held);
        scene.serve().await;
        let answer = pull.answer(&["### ✓ passed, in part"]).await;
        pull.has_status("cc-ci (in part)", "success").await;
        until("the word's end", async || scene.word(comment).is_some_and(|word| word["told"] == true)).await;
        assert_eq!(answer.matches("- run `").count(), 1, "{answer}");
        // What has its verdict is told, what has none begins again.
        let verdicts = scene.verdicts(&pull);
        let said = verdicts.iter().flatten().filter(|word| **word != VerdictKind::Cancelled).count();
        assert_eq!(said, 1, "{point:?}: {verdicts:?}");
        if matches!(point, Point::Verdict | Point::Edit | Point::Status) {
            assert_eq!(verdicts, [Some(VerdictKind::Passed)], "{point:?}");
        }
        pull.nothing_is_left().await;
        println!(
            "    killed at {point:?}: {} runs, one verdict ({:.1} s)",
            verdicts.len(),
            begun.elapsed().as_secs_f32()
        );
    }
}

/// Waits for the point; what holds the server there.
async fn reached(scene: &Scene<'_>, pull: &Pull, comment: u64, point: Point, held: Option<Held>) -> Option<Held> {
    let journal = |words: &str| {
        let dir = scene.run_dir(comment);
        let text = dir.and_then(|dir| std::fs::read_to_string(dir.join("journal.jsonl")).ok());
        text.is_some_and(|text| text.contains(words))
    };
    match point {
        Point::Word => until("the word", async || scene.word(comment).is_some()).await,
        Point::Answer => {
            let mut held = held.unwrap();
            held.caught().await;
            return Some(held);
        }
        Point::Folder => until("the folder", async || scene.run_dir(comment).is_some()).await,
        Point::Stage => until("the first stage", async || journal("\"stage-started\"")).await,
        Point::App => pull.is_deployed().await,
        Point::Verdict => until("the verdict", async || journal("\"run-ended\"")).await,
        Point::Edit => return Some(at_the_last_status(scene, pull).await),
        Point::Status => pull.has_status("cc-ci (in part)", "success").await,
    }
    None
}

/// The status that comes after the verdict, held up.
async fn at_the_last_status(scene: &Scene<'_>, pull: &Pull) -> Held {
    loop {
        let mut held = scene.proxy.hold(&format!("/statuses/{}", pull.head));
        held.caught().await;
        if pull.answers().await.concat().contains("### ✓ passed") {
            return held;
        }
        held.pass();
    }
}
