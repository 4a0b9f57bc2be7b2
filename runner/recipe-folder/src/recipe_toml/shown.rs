//! What a person reads about a `recipe.toml` that is not valid.

/// The error with its line, and with the key that was probably meant.
pub(super) fn shown(error: &toml::de::Error, file: &str) -> String {
    let text = error.to_string();
    let text = text.trim_end();
    // The parser stops at what lies too deep in itself and does not say where.
    let deepest = file.lines().zip(1..).max_by_key(|(line, _)| depth(line)).map(|(_, number)| number);
    let place = match (error.span(), deepest) {
        (None, Some(line)) if text.contains("recursion") => format!(" (the deepest is line {line})"),
        _ => String::new(),
    };
    format!("{text}{place}{}", meant(error.message()))
}

/// How many parts, lists and tables a line may open.
fn depth(line: &str) -> usize {
    line.matches(['.', '[', '{']).count()
}

/// "; did you mean …?" for words such as "unknown field `a`, expected one of `b`, `c`".
fn meant(message: &str) -> String {
    if !message.starts_with("unknown ") {
        return String::new();
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(wrong) => nearest(wrong, quoted),
        None => String::new(),
    }
}

/// "; did you mean …?" with the most alike of some names; empty where none is alike.
pub fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    let alike = |name: &str| strsim::jaro_winkler(wrong, name);
    match names.max_by(|a, b| alike(a).total_cmp(&alike(b))) {
        Some(name) if alike(name) > 0.7 => format!("; did you mean {name:?}?"),
        _ => String::new(),
    }
}
