//! What the command line says to wrong values: plain words, and none of Rust's.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

/// Values that something refuses: nothing, too small, too large, no number, no name, no address.
const WRONG: [&str; 14] = [
    "",
    " ",
    "0",
    "-1",
    "2.5",
    "many",
    "70000",
    "4294967296",
    "99999999999999999999999",
    "a b",
    "../..",
    "\u{7}",
    "é/?",
    "://",
];

/// Words of Rust, of its libraries and of its types.
const RUSTS: [&str; 24] = [
    "nonzero",
    "non-zero",
    "u8",
    "u16",
    "u32",
    "u64",
    "i32",
    "i64",
    "usize",
    "fromstr",
    "from_str",
    "invalid digit",
    "empty string",
    "target type",
    "too large to fit",
    "parse",
    "utf-8",
    "some(",
    "none)",
    "err(",
    "ok(",
    "::",
    "without a base",
    "address syntax",
];

/// What Rust's words of an error are, if any.
fn rusts(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    RUSTS.into_iter().filter(|word| text.contains(word)).collect()
}

/// A command line that gives a value to one option or argument.
fn words(path: &[String], option: &Arg, value: &str) -> Vec<OsString> {
    let mut words: Vec<OsString> = path.iter().map(Into::into).collect();
    let many = option.get_num_args().map_or(1, |range| range.min_values()).max(1);
    match option.get_long() {
        Some(long) if many == 1 => words.push(format!("--{long}={value}").into()),
        Some(long) => {
            words.push(format!("--{long}").into());
            words.extend(std::iter::repeat_n(OsString::from(value), many));
        }
        None => words.push(value.into()),
    }
    words
}

/// Whether any text will do for it, or any name of a file.
fn takes_any_text(option: &Arg) -> bool {
    let kind = option.get_value_parser().type_id();
    [TypeId::of::<String>(), TypeId::of::<PathBuf>(), TypeId::of::<OsString>()].iter().any(|any| kind == *any)
}

/// Gives every wrong value to every option of a command and of those below it. Gives what was said to each.
fn ask(whole: &Command, command: &Command, path: &[String], said: &mut Vec<(String, bool, String)>) {
    for option in command.get_arguments().filter(|option| option.get_action().takes_values()) {
        let name = format!("{} {}", path.join(" "), option.get_long().unwrap_or(option.get_id().as_str()));
        for wrong in WRONG {
            let error = whole.clone().try_get_matches_from(words(path, option, wrong)).err();
            // What is said for want of something else is no word about this value.
            let about = error.filter(|error| error.to_string().contains("invalid value"));
            let text = about.map(|error| error.to_string()).unwrap_or_default();
            said.push((name.clone(), takes_any_text(option), text));
        }
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let path: Vec<String> = path.iter().cloned().chain([sub.get_name().to_owned()]).collect();
        ask(whole, sub, &path, said);
    }
}

#[test]
fn wrong_values_are_refused_in_plain_words_by_every_option_of_every_command() {
    let whole = super::empty::without(Cli::command(), &|_| true);
    let mut said = Vec::new();
    ask(&whole, &whole, &["cc-ci".to_owned()], &mut said);
    let found: Vec<String> = said
        .iter()
        .filter_map(|(name, _, text)| {
            let words = rusts(text);
            (!words.is_empty()).then(|| format!("{name} says {words:?}: {text}"))
        })
        .collect();
    assert!(found.is_empty(), "{} of {}: {}", found.len(), said.len(), found.join("\n"));
    // An option with a type of its own that refused none of them was not asked.
    let refused = |name: &str| said.iter().any(|(of, _, text)| of == name && !text.is_empty());
    let silent: std::collections::BTreeSet<&str> =
        said.iter().filter(|(name, any, _)| !any && !refused(name)).map(|(name, _, _)| name.as_str()).collect();
    assert!(silent.is_empty(), "{silent:?}");
    assert!(said.iter().filter(|(_, _, text)| !text.is_empty()).count() > 300);
}

#[test]
fn claps_own_words_about_a_number_would_be_found() {
    let number = Arg::new("n").long("n").value_parser(clap::value_parser!(std::num::NonZeroU32));
    let small = Arg::new("s").long("s").value_parser(clap::value_parser!(u16));
    let command = Command::new("x").arg(number).arg(small);
    for words in [["x", "--n=0"], ["x", "--n=many"], ["x", "--s=many"]] {
        let error = command.clone().try_get_matches_from(words).unwrap_err().to_string();
        assert!(!rusts(&error).is_empty(), "{error}");
    }
}
