use std::collections::BTreeMap;

use super::*;
use journal::fold::fold;
use journal_fixtures as fixtures;

const CSS: &str = include_str!("../../templates/report.css");

fn page(records: &[journal::event::Record]) -> String {
    render(&fold(records).unwrap(), &[], Pictures::None).unwrap()
}

/// The visible text, without markup and style.
fn text_of(html: &str) -> String {
    let body = html.split_once("<header").unwrap().1;
    let mut text = String::new();
    let mut inside = true;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_page_of_a_failed_upgrade_reads_well() {
    insta::assert_snapshot!(text_of(&page(&fixtures::failed_upgrade())));
}

#[test]
fn the_page_of_a_killed_run_says_so() {
    let text = text_of(&page(&fixtures::killed()));
    for wanted in [
        "no end: the run was killed during backup",
        "The run was killed here. Last seen: waiting for the snapshot",
        "The run did not reach this stage.",
        "objects may be left behind",
    ] {
        assert!(text.contains(wanted), "{wanted}:\n{text}");
    }
}

#[test]
fn a_restarted_run_names_the_first_attempt() {
    let text = text_of(&page(&fixtures::restarted()));
    assert!(text.contains("restart of") && text.contains("20261121-091403-kxqv-b43"), "{text}");
    assert!(!text_of(&page(&fixtures::passed())).contains("restart of"));
}

#[test]
fn what_is_left_behind_is_named() {
    let text = text_of(&page(&fixtures::left_behind()));
    assert!(text.contains("custom-html-pr7-1a2b3c4_ci_localhost_logs"), "{text}");
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    for (name, records) in fixtures::all() {
        let html = page(&records);
        assert!(html.contains("default-src 'none'"), "{name}");
        for (attribute, harmless) in [("src=", &[][..]), ("href=", &["#", "data:,"][..])] {
            for tag in html.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0)) {
                for value in tag.split(attribute).skip(1) {
                    let value = value.trim_start_matches('"');
                    assert!(harmless.iter().any(|start| value.starts_with(start)), "{name}: <{tag}>");
                }
                assert!(!tag.starts_with("script") && !tag.contains(" on"), "{name}: <{tag}>");
            }
        }
        assert!(!CSS.contains("url(") && !CSS.contains("@import"));
    }
}

#[test]
fn hostile_text_stays_text_and_the_page_stays_small() {
    let html = render(&fold(&fixtures::hostile()).unwrap(), &[fixtures::HOSTILE.into()], Pictures::None).unwrap();
    assert!(html.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "control characters");
    assert!(!html.contains('\u{202e}') && !html.contains("<img") && !html.contains("<script"));
    assert!(html.len() < 400_000, "{} bytes", html.len());
    // The markup equals that of a harmless run with as many parts: no text has become a tag.
    for tag in ["details", "pre", "table", "section", "main", "body", "html"] {
        let open = html.matches(&format!("<{tag}")).count();
        assert_eq!(open, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn a_picture_of_a_failure_is_part_of_the_page_and_needs_nobody() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let mut view = fold(&fixtures::failed_upgrade()).unwrap();
    let checks = view.stages.iter_mut().flat_map(|stage| &mut stage.checks);
    for fault in checks.filter_map(|check| check.fault.as_mut()) {
        fault.failure.files = vec!["a.png".to_owned(), "gone.png".to_owned()];
    }
    let html = render(&view, &[], Pictures::Folder(folder.path())).unwrap();
    assert!(html.contains("<img src=\"data:image/png;base64,iVBORw0KGgo=\" alt="), "no picture");
    assert!(html.contains("<figcaption>a.png</figcaption>") && !html.contains("gone.png"));
    assert!(!render(&view, &[], Pictures::None).unwrap().contains("<img"));
}

#[test]
fn what_a_check_did_is_folded_behind_it() {
    let html = page(&fixtures::passed());
    let text = text_of(&html);
    for wanted in [
        "16 requests, output",
        "GET https://custom-html-pr7-1a2b3c4.ci.localhost/ no answer: connection refused 4 times, 3 ms",
        "&#60;title&#62;Welcome to nginx!",
        "… and 12 more",
        "location: /login?next=[redacted]",
        "34.5 kB, text/plain",
        "no such page…",
        "wrote 3 files",
    ] {
        assert!(text.contains(wanted), "{wanted}:\n{text}");
    }
    assert!(html.contains("<tr class=\"did\"><td colspan=\"4\"><details><summary>16 requests, output<"), "folded");
}

#[test]
fn a_page_of_many_checks_stays_below_a_megabyte() {
    let records = fixtures::passed();
    let mut view = fold(&records).unwrap();
    let stage = view.stages.iter_mut().find(|stage| stage.checks.len() > 2).unwrap();
    let mut check = stage.checks.iter().find(|check| check.shown.exchanges.len() > 1).unwrap().clone();
    for exchange in &mut check.shown.exchanges {
        exchange.answer.text = "<p>".repeat(200);
    }
    check.shown.exchanges = check.shown.exchanges.into_iter().cycle().take(20).collect();
    let mut red = check.clone();
    red.outcome = Outcome::Failed;
    red.shown.exchanges[0].answer.text = "this is why".to_owned();
    stage.checks = vec![check; 300];
    stage.checks.push(red);
    let html = render(&view, &[], Pictures::None).unwrap();
    assert!(html.len() < 1_000_000, "{} bytes", html.len());
    assert!(html.contains("this page has reached its size limit") && html.contains("this is why"));
}

#[test]
fn of_more_checks_than_a_page_has_room_for_the_green_ones_are_left_out() {
    let mut view = fold(&fixtures::passed()).unwrap();
    let stage = view.stages.iter_mut().find(|stage| !stage.checks.is_empty()).unwrap();
    let green = stage.checks[0].clone();
    let named = |name: &str, outcome| journal::event::CheckResult { name: name.into(), outcome, ..green.clone() };
    stage.checks = vec![named("all-is-well", Outcome::Passed); 700];
    stage.checks.insert(600, named("this-one-is-red", Outcome::Failed));
    let text = text_of(&render(&view, &[], Pictures::None).unwrap());
    assert_eq!(text.matches("all-is-well").count(), 500);
    assert!(text.contains("this-one-is-red") && text.contains("200 more checks are in the journal"), "{text}");
    view.stages.iter_mut().for_each(|stage| stage.checks.truncate(3));
    assert!(!text_of(&render(&view, &[], Pictures::None).unwrap()).contains("more checks"));
}

#[test]
fn times_that_no_clock_tells_are_drawn_all_the_same() {
    let mut view = fold(&fixtures::passed()).unwrap();
    for stage in &mut view.stages {
        stage.from_ms = stage.from_ms.map(|_| u64::MAX - 1);
        (stage.took_ms, stage.expected_ms) = (Some(u64::MAX), Some(u64::MAX));
    }
    view.took_ms = u64::MAX;
    assert!(text_of(&render(&view, &[], Pictures::None).unwrap()).contains("upgrade"));
}

#[test]
fn a_picture_of_a_green_end_is_shown_where_pictures_are() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let mut view = fold(&fixtures::passed()).unwrap();
    view.stages[2].checks[0].shown.files = vec!["a.png".to_owned(), "gone.png".to_owned(), "a.txt".to_owned()];
    let html = render(&view, &[], Pictures::Folder(folder.path())).unwrap();
    assert_eq!(html.matches("<img").count(), 1);
    assert!(html.contains("<summary>1 picture<") && html.contains("<figcaption>a.png</figcaption>"));
    assert!(!render(&view, &[], Pictures::None).unwrap().contains("1 picture"));
}

#[test]
fn opt_outs_show_even_where_their_stage_never_ran() {
    let html = page(&fixtures::killed()[..12]);
    assert!(text_of(&html).contains("upgrade.data-kept"));
}

#[test]
fn ticks_are_few_and_round() {
    for span in [1, 90, 1_000, 18_437, 61_000, 3_600_000, 90_000_000] {
        let ticks = ticks(span);
        assert!((1..=8).contains(&ticks.len()), "{span}: {}", ticks.len());
    }
    let labels: Vec<String> = ticks(18_437).into_iter().map(|tick| tick.label).collect();
    assert_eq!(labels, ["0", "5 s", "10 s", "15 s"]);
}

/// The colours of one theme, by name.
fn palette(css: &str) -> BTreeMap<String, [f64; 3]> {
    let mut colours = BTreeMap::new();
    for part in css.split("--").skip(1) {
        let Some((name, value)) = part.split_once(": #") else { continue };
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&value[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        colours.insert(name.to_owned(), [channel(0), channel(2), channel(4)]);
    }
    colours
}

/// Contrast by WCAG 2.2.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let light = |c: [f64; 3]| 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] + 0.05;
    let (one, other) = (light(one), light(other));
    one.max(other) / one.min(other)
}

#[test]
fn every_text_has_the_contrast_that_wcag_aa_asks_for() {
    let (light, rest) = CSS.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let dark = rest.split_once("* {").unwrap().0;
    let tones = ["passed", "failed", "blocked", "skipped", "no-end"];
    for (theme, css) in [("light", light), ("dark", dark)] {
        let palette = palette(css);
        assert_eq!(palette.len(), 17, "{theme}");
        let mut pairs = Vec::new();
        for ground in ["paper", "card", "well"] {
            pairs.extend(["ink", "soft"].map(|text| (text.to_owned(), ground.to_owned())));
            pairs.extend(tones.map(|text| (text.to_owned(), ground.to_owned())));
        }
        for tone in tones {
            let tint = format!("{tone}-tint");
            pairs.extend(["ink", "soft", tone].map(|text| (text.to_owned(), tint.clone())));
            pairs.push(("mark".into(), tone.into()));
        }
        for (text, ground) in pairs {
            let ratio = contrast(palette[&text], palette[&ground]);
            assert!(ratio >= 4.5, "{theme}: {text} on {ground} has {ratio:.2}");
        }
    }
}
