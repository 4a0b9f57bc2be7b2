use super::*;
use crate::fixtures::{GREEN, Scene, commit};
use jiff::SignedDuration;

fn of(change: impl FnOnce(&mut Scene)) -> Grading {
    let mut scene = Scene::sound();
    change(&mut scene);
    scene.judged(standing)
}

#[test]
fn what_is_shown_in_full_is_stable_and_says_what_nobody_checked() {
    let standing = of(|_| {});
    assert_eq!(standing.word, Grade::Stable);
    assert!(standing.why.starts_with("not checked: the upstream project"), "{}", standing.why);
    let unchecked = standing.criteria.iter().filter(|one| one.answer == Assessment::NotChecked).count();
    assert_eq!((unchecked, standing.criteria.len()), (4, 9));
}

#[test]
fn each_criterion_that_is_not_met_takes_its_word_away() {
    let nobody = of(|scene| scene.repository().readme = None);
    let mute = of(|scene| scene.repository().readme.as_mut().unwrap().contact = false);
    let red = of(|scene| drop(scene.runs.remove(GREEN)));
    let unread = of(|scene| scene.repository = None);
    for standing in [nobody, mute, red, unread] {
        assert_eq!(standing.word, Grade::Unstable, "{}", standing.why);
        assert!(standing.why.starts_with("not testing: "), "{}", standing.why);
    }
    let old = of(|scene| {
        let now = scene.now;
        scene.repository().release.as_mut().unwrap().at = now - SignedDuration::from_hours(24 * 93);
    });
    let unreleased = of(|scene| scene.repository().release = None);
    let other = of(|scene| scene.repository().release.as_mut().unwrap().commit = commit("2"));
    let unrestored = of(|scene| {
        scene.without(GREEN, Stage::Backup, "restored: ");
    });
    for standing in [old, unreleased, other, unrestored] {
        assert_eq!(standing.word, Grade::Testing, "{}", standing.why);
        assert!(standing.why.starts_with("not stable: "), "{}", standing.why);
    }
}

#[test]
fn maintainers_are_read_as_people_write_them() {
    let with = |text: &str| readme(text);
    for text in [
        "* **Maintainer**: Ada, @ada:example.org",
        "- Maintainers: Ada <ada@example.org>",
        "## Maintainers\n\n- Ada (mailto:ada@example.org)\n\n## Use\n",
        "| Maintainer | [Ada](https://matrix.to/#/@ada:example.org) |",
    ] {
        let read = with(text);
        assert!(read.contact && read.maintainers.contains("Ada"), "{text}: {read:?}");
    }
    for text in
        ["* **Maintainer**: N/A", "# x\n\nMaintained by nobody.", "", "## Maintainers\n\n## Use\n- a@b.example\n"]
    {
        assert_eq!(with(text), Readme::default(), "{text}");
    }
    let handle = with("* **Maintainer**: [@ada](https://git.example.org/ada)");
    assert!(!handle.maintainers.is_empty() && !handle.contact, "a name on a forge is no address: {handle:?}");
}
