use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::*;
use crate::fixtures::HOSTILE;

const TEXT: &str = "!@#[]()<>`~*_-+=|\\&;:/\n\r\t \u{200b}\u{202e}\u{1b}";

fn hostile() -> impl Strategy<Value = String> {
    let letters: Vec<char> = TEXT.chars().chain("ab1ä@".chars()).collect();
    let odd = prop::collection::vec(prop::sample::select(letters), 0..200)
        .prop_map(|letters| letters.into_iter().collect::<String>());
    prop_oneof![odd, any::<String>(), Just(HOSTILE.to_owned())]
}

fn events(markdown: &str) -> Vec<Event<'_>> {
    Parser::new_ext(markdown, Options::all()).collect()
}

proptest! {
    #[test]
    fn a_span_is_one_span_of_code_and_nothing_else(text in hostile()) {
        let line = format!("- **before** {} after", span(&text, 80));
        let parsed = events(&line);
        let inside: Vec<&Event<'_>> = parsed.iter().filter(|event| matches!(event, Event::Code(_))).collect();
        prop_assert!(inside.len() <= 1, "{line:?}");
        let ours = |event: &Event<'_>| matches!(event,
            Event::Code(_) | Event::Text(_) | Event::Start(Tag::List(_) | Tag::Item | Tag::Strong) | Event::End(_));
        prop_assert!(parsed.iter().all(ours), "{parsed:?}");
        let plain: String = parsed.iter().filter_map(|event| match event {
            Event::Text(text) => Some(text.to_string()),
            _ => None,
        }).collect();
        let wanted = if inside.is_empty() { "before (nothing) after" } else { "before  after" };
        prop_assert_eq!(plain, wanted);
    }

    #[test]
    fn a_block_is_one_block_of_code_and_nothing_else(text in hostile()) {
        let bounds = Bounds { lines: 5, columns: 40 };
        let block = format!("before\n\n{}\n\nafter", fenced(&text, bounds));
        let parsed = events(&block);
        let blocks = parsed.iter().filter(|event| {
            matches!(event, Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) if &**kind == "text")
        });
        prop_assert_eq!(blocks.count(), 1, "{:?}", block);
        let ours = |event: &Event<'_>| {
            matches!(event, Event::Text(_) | Event::Start(Tag::Paragraph | Tag::CodeBlock(_)) | Event::End(_))
        };
        prop_assert!(parsed.iter().all(ours), "{parsed:?}");
        prop_assert_eq!(parsed.iter().filter(|event| matches!(event, Event::Start(Tag::Paragraph))).count(), 2);
    }
}

#[test]
fn a_person_is_not_called_and_a_fence_is_not_closed() {
    assert_eq!(span("@ada, see #1 and https://evil.example", 80), "`@ada, see #1 and https://evil.example`");
    assert_eq!(span("a `b` ``c``", 80), "``` a `b` ``c`` ```");
    assert_eq!(span("\n \u{202e}", 80), "(nothing)");
    let fenced = fenced("a\n````\n# b", Bounds { lines: 9, columns: 80 });
    assert_eq!(fenced, "`````text\na\n````\n# b\n`````");
}

#[test]
fn characters_without_a_width_do_not_pass_the_bound() {
    let long = "a\u{301}".repeat(1_000);
    assert!(span(&long, 40).chars().count() < 50);
}
