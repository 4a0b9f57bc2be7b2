//! Much at once, and nothing at all.

use std::collections::BTreeSet;
use std::time::Instant;

use futures_util::{StreamExt as _, stream};

use super::is_full;
use super::pull::until;
use super::scene::{REPO, Scene};

const IDLE: [(&str, &str); 1] = [("CCCI_POLL", "1s")];
/// Looks that are counted.
const LOOKS: usize = 5;

pub(super) async fn one_request_a_look_with_one_pull_request(scene: &mut Scene<'_>) {
    let pull = scene.pull().await;
    scene.serve_with(&IDLE).await;
    pull.says("Nice.").await;
    idle(scene).await;
    println!("    idle looks with 1 pull request: 1 request each");
}

pub(super) async fn one_request_a_look_with_thirty_pull_requests(scene: &mut Scene<'_>) {
    let mut numbers = Vec::new();
    for page in 1.. {
        // As issues: for each of a list of pull requests, Gitea starts git several times.
        let path = format!("repos/{REPO}/issues?type=pulls&state=open&limit=50&page={page}");
        let part = scene.cast.root.gets(&path).await;
        let part: Vec<u64> = part.as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).collect();
        if part.is_empty() {
            break;
        }
        numbers.extend(part);
    }
    while numbers.len() < 30 {
        numbers.push(scene.pull().await.number);
    }
    scene.serve_with(&IDLE).await;
    // All of them changed within the time that a look goes back.
    for number in &numbers {
        scene.cast.ada.says(REPO, *number, "Nice.").await;
    }
    idle(scene).await;
    println!("    idle looks with {} pull requests: 1 request each", numbers.len());
}

/// Waits until so many looks in a row were one request each: each request is the first page of a search.
async fn idle(scene: &Scene<'_>) {
    let is_look = |line: &String| line.starts_with("GET /api/v1/repos/issues/search?") && line.contains("page=1&");
    scene.proxy.asked();
    let seen = std::cell::RefCell::new(Vec::new());
    until("an idle forge", async || {
        let mut seen = seen.borrow_mut();
        seen.extend(scene.proxy.asked());
        seen.len() >= LOOKS && seen[seen.len() - LOOKS..].iter().all(is_look)
    })
    .await;
}

pub(super) async fn many_comments_at_once(scene: &mut Scene<'_>) {
    let many = if is_full() { 500 } else { 100 };
    scene.serve_with(&[]).await;
    let mut pulls = Vec::new();
    for _ in 0..5 {
        pulls.push(scene.pull().await);
    }
    scene.proxy.asked();
    let begun = Instant::now();
    // Most of them start no run, and those that do ask for the same.
    let text = |n: usize| match n % 10 {
        0 if n % 5 < 2 && n < 100 => "!testme only=install",
        1..=6 => "!status",
        7 => "!tesme",
        _ => "Nice.",
    };
    let pulls = &pulls;
    let said: Vec<(u64, bool)> = stream::iter(0..many)
        .map(|n| async move { (pulls[n % 7 % 5].says(text(n)).await, text(n) != "Nice.") })
        .buffer_unordered(8)
        .collect()
        .await;
    let written = begun.elapsed();
    let words: BTreeSet<u64> = said.iter().filter(|(_, is_word)| *is_word).map(|(id, _)| *id).collect();
    let is_over = |word: &u64| scene.word(*word).is_some_and(|word| word["told"] == true);
    while !words.iter().all(is_over) {
        assert!(
            begun.elapsed().as_secs() < 600,
            "{} of {} words",
            words.iter().filter(|word| is_over(word)).count(),
            words.len()
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let took = begun.elapsed();
    let (requests, memory) = (scene.proxy.asked(), scene.server().most_memory());
    assert!(said.iter().all(|(id, is_word)| scene.word(*id).is_some() == *is_word));
    let mut runs = 0;
    for pull in pulls {
        assert!(pull.answers().await.len() == 1);
        pull.nothing_is_left().await;
        let here =
            words.iter().filter_map(|word| scene.word(*word)).filter(|word| word["pull"]["number"] == pull.number);
        let ran = here.filter(|word| word["phase"]["ended"]["ran"].is_object()).count();
        assert_eq!(scene.verdicts(pull).len(), ran);
        runs += ran;
    }
    let edits = requests.iter().filter(|line| line.starts_with("PATCH ")).count();
    println!(
        "    {many} comments, written in {:.1} s: {} words, each once, all told after {:.1} s; {runs} runs; {} requests, \
         of these {edits} edits; at most {memory:.1} MB",
        written.as_secs_f32(),
        words.len(),
        took.as_secs_f32(),
        requests.len(),
    );
    assert!(runs > 0 && memory < 100.0);
}
