use proptest::prelude::*;

use super::*;

fn shown(markdown: &str) -> Vec<String> {
    parse(markdown)
        .into_iter()
        .map(|said| match said {
            Parsed::Command(command) => command.to_string(),
            Parsed::Trouble(trouble) => format!("? {trouble}"),
        })
        .collect()
}

#[test]
fn commands_in_their_order() {
    let text = "Thanks!\n\n!testme only=backup,functional/20-content.hurl from=1.2.0+3.4\nand then\n!hold 2h\r\n  !STOP  \n!status\n!testme failed";
    let expected = [
        "!testme only=backup,functional/20-content.hurl from=1.2.0+3.4",
        "!hold 120m",
        "!stop",
        "!status",
        "!testme failed",
    ];
    assert_eq!(shown(text), expected);
}

#[test]
fn where_a_line_may_stand() {
    for text in [
        "!testme",
        "- fixed the port\n!testme",
        "1. one\n2. two\n\n!testme",
        "> a quote\n\n!testme",
        "!testme\n---\nAda",
        "<details>\n\n!testme\n\n</details>",
        "a <b>word</b>\n!testme",
        "*a*\n!testme",
        "a  \n!testme",
        "   !testme",
        "# Heading\n!testme",
        "`!stop`\n!testme",
    ] {
        assert_eq!(shown(text), ["!testme"], "{text:?}");
    }
}

#[test]
fn where_it_is_only_talked_about() {
    for text in [
        "please !testme",
        "- !testme",
        "> !testme",
        "> a\n!testme",
        ">> a\n> !testme",
        "- a\n\n  > b\n  !testme",
        "`!testme`",
        "`a\n!testme\nb`",
        "```\n!testme\n```",
        "~~~~ text\n!testme",
        "```\n!testme",
        "    !testme",
        "\t!testme",
        "<!--\n!testme\n-->",
        "<!-- !testme -->",
        "a <!--\n!testme\n--> b",
        "<pre>\n!testme\n</pre>",
        "<div>\n!testme\n</div>",
        "[a\n!testme](https://example.org)",
        "![a\n!testme](https://example.org)",
        "![testme](x)",
        "**!testme**",
        "**a\n!testme**",
        "~~a\n!testme~~",
        "$$\n!testme\n$$",
        "!testme | a\n--- | ---\n!testme | b",
        "\\!testme",
        "&#33;testme",
        "# !testme",
        "! testme",
        "!",
        "!\u{a0}testme",
        "",
    ] {
        assert!(parse(text).is_empty(), "{text:?}: {:?}", shown(text));
    }
}

#[test]
fn near_misses_are_told_and_other_words_are_not() {
    for (word, meant) in [
        ("!tesme", "!testme"),
        ("!testem", "!testme"),
        ("!tetsme", "!testme"),
        ("!test", "!testme"),
        ("!test-me", "!testme"),
        ("!Test_Me", "!testme"),
        ("!testme.", "!testme"),
        ("!testme!", "!testme"),
        ("!testmex", "!testme"),
        ("!statsu", "!status"),
        ("!stpo", "!stop"),
        ("!stop,", "!stop"),
        ("!hodl", "!hold"),
        ("!shop", "!stop"),
    ] {
        assert_eq!(shown(word), [format!("? `{word}` is no command: did you mean `{meant}`?")]);
    }
    for word in [
        "!testmexyz",
        "!testing",
        "!testmeplease",
        "!gold",
        "!important",
        "!help",
        "!retest",
        "!xtestme",
        "!stopped",
        "!hole-in-one",
        "!hosted",
        "!t",
        "!me",
        "!ТESTME",
        "!testmе\u{301}xyz",
    ] {
        assert!(parse(word).is_empty(), "{word:?}: {:?}", shown(word));
    }
}

#[test]
fn what_is_not_understood_starts_nothing() {
    for (line, told) in [
        ("!testme onyl=backup", "? `!testme` does not take `onyl=backup`: did you mean `only=backup`?"),
        ("!testme fialed", "? `!testme` does not take `fialed`: did you mean `failed`?"),
        ("!testme --only=x", "? `!testme` does not take `--only=x`: did you mean `only=x`?"),
        ("!testme ONLY=x", "? `!testme` does not take `ONLY=x`: did you mean `only=x`?"),
        ("!testme only", "? `!testme` does not take `only`: did you mean `only=…`?"),
        ("!testme please", "? `!testme` does not take `please`. It takes `only=…`, `from=…`, or `failed` alone"),
        ("!testme only=a only=b", "? `only=b` is one argument too many"),
        ("!testme failed only=a", "? `only=a` is one argument too many"),
        ("!testme only=a failed", "? `only=a` is one argument too many"),
        ("!testme failed failed", "? `failed` is one argument too many"),
        ("!hold 1h 2h", "? `2h` is one argument too many"),
        ("!stop now", "? `!stop` does not take `now`. It takes nothing"),
        ("!hold", "? `nothing` is not what `!hold` takes: minutes or hours up to a day, such as `30m` or `2h`"),
    ] {
        assert_eq!(shown(line), [told]);
    }
    for line in [
        "!testme only=",
        "!testme only=a,",
        "!testme only=a, b",
        "!testme only=--help",
        "!testme only=../x",
        "!testme only=a/../../b",
        "!testme only=$(id)",
        "!testme only=ä",
        "!testme from=",
        "!testme from=-x",
        "!testme from=a..b",
        "!testme from=x;y",
        "!hold 0m",
        "!hold 25h",
        "!hold 30",
        "!hold -1m",
        "!hold m",
        "!hold 99999m",
        "!hold 30M",
        "!testme `failed`",
    ] {
        assert!(matches!(parse(line).as_slice(), [Parsed::Trouble(_)]), "{line}: {:?}", shown(line));
    }
}

#[test]
fn what_is_shown_of_a_word_stays_in_its_code_span() {
    let line = format!("!testme x`@ada`<b>\u{202e}{}", "y".repeat(400));
    let said = parse(&line);
    let [Parsed::Trouble(trouble)] = said.as_slice() else { panic!("{said:?}") };
    let told = trouble.to_string();
    assert!(told.starts_with("`!testme` does not take `x@ada<b>yyyy") && told.len() < 200, "{told}");
    assert_eq!(told.matches('`').count() % 2, 0);
}

#[test]
fn sizes_are_bounded() {
    assert_eq!(shown(&format!("!testme only={}", "a".repeat(700))).len(), 1);
    let many = "!status\n".repeat(COMMANDS + 5);
    assert_eq!(parse(&many).len(), COMMANDS + 1);
    assert_eq!(parse(&many).last(), Some(&Parsed::Trouble(Trouble::TooMany)));
    let long = format!("!testme\n\n{}", "x".repeat(COMMENT_BYTES));
    assert!(parse(&long).is_empty());
}

/// Text of the characters that markdown and commands consist of, more often than by chance.
fn markdown() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => Just("!testme".to_owned()),
        2 => Just("\n".to_owned()),
        2 => Just(" only=a".to_owned()),
        4 => "[ \t`~>#*_|<!\\-\\[\\]()\\\\&;$=:^+.0-9\r\n]{1,4}",
        1 => "\\PC{0,6}",
        1 => Just("<!--".to_owned()),
        1 => Just("-->".to_owned()),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

fn hold(minutes: u32) -> Hold {
    format!("{minutes}m").parse().unwrap()
}

fn command() -> impl Strategy<Value = Command> {
    let only = prop::option::of(prop::collection::vec("[a-z0-9][a-zA-Z0-9_/-]{0,12}(\\.[a-z]{1,3})?", 1..8));
    let from = prop::option::of("[a-zA-Z0-9_+][a-zA-Z0-9_/+-]{0,20}(\\.[0-9+a-z]{1,8}){0,3}");
    let run = (only, from).prop_map(|(only, from)| {
        Command::TestMe(TestMe::Run {
            only: only.map(|words| words.join(",").parse().unwrap()),
            from: from.map(|release| release.parse().unwrap()),
        })
    });
    let hold = (1..=Hold::LONGEST).prop_map(|minutes| Command::Hold(hold(minutes)));
    prop_oneof![
        4 => run,
        1 => Just(Command::TestMe(TestMe::Failed)),
        1 => Just(Command::Stop),
        1 => Just(Command::Status),
        1 => hold,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", signs in markdown()) {
        let _ = (parse(&text), parse(&signs));
    }

    #[test]
    fn a_command_reads_as_itself(command in command()) {
        prop_assert_eq!(command.to_string().parse::<Command>(), Ok(command.clone()));
        prop_assert_eq!(parse(&command.to_string()), vec![Parsed::Command(command.clone())]);
        let json = serde_json::to_string(&command).unwrap();
        prop_assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), command);
    }

    #[test]
    fn a_command_stands_between_any_paragraphs(command in command(), words in "[a-zA-Z ,.]{0,40}") {
        let text = format!("x {words}\n\n{command}\n\ny {words}");
        prop_assert_eq!(parse(&text), vec![Parsed::Command(command)]);
    }

    #[test]
    fn a_quote_asks_for_nothing(text in markdown()) {
        let quoted: String = text.split(['\n', '\r']).map(|line| format!("> {line}\n")).collect();
        prop_assert_eq!(parse(&quoted), vec![]);
    }

    #[test]
    fn code_asks_for_nothing(text in markdown()) {
        let fenced = format!("````````````\n{}\n````````````\n", text.replace('`', "'"));
        prop_assert_eq!(parse(&fenced), vec![]);
        let indented: String = text.split(['\n', '\r']).map(|line| format!("    {line}\n")).collect();
        prop_assert_eq!(parse(&indented), vec![]);
    }

    #[test]
    fn a_html_comment_asks_for_nothing(text in markdown()) {
        let hidden = format!("<!-- x\n{}\n-->\n", text.replace("--", "").replace('>', ""));
        prop_assert_eq!(parse(&hidden), vec![]);
    }

    #[test]
    fn what_asks_begins_a_line(text in markdown()) {
        // The converse, whatever the markdown around it is.
        let begins = text.split(['\n', '\r']).filter(|line| line.trim_start().starts_with('!')).count();
        prop_assert!(parse(&text).len() <= begins);
    }

    #[test]
    fn trouble_is_one_line_with_its_code_spans_closed(word in "\\PC{1,60}") {
        for said in parse(&format!("!testme {word}")) {
            if let Parsed::Trouble(trouble) = said {
                let told = trouble.to_string();
                prop_assert!(!told.contains('\n') && told.matches('`').count() % 2 == 0, "{}", told);
            }
        }
    }
}
