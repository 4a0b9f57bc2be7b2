//! The sets of characters that a secret's hint in `.env.sample` may name.

/// Those that are known, medium certainty: abra's documentation names them. What abra does with another is not known.
const KNOWN: [&str; 4] = ["default", "special", "safespecial", "hex"];

/// The names in a hint that are not known.
pub fn unknown(hint: &str) -> Vec<String> {
    let names = hint.split(['+', '/', ',']).map(str::trim).filter(|name| !name.is_empty());
    names.filter(|name| !KNOWN.contains(name)).map(str::to_owned).collect()
}

/// The known names, for messages.
pub fn known() -> String {
    KNOWN.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart_and_unknown_names_told() {
        assert!(unknown("default,special").is_empty() && unknown("hex").is_empty());
        assert_eq!(unknown("default,emoji+base58"), ["emoji", "base58"]);
    }
}
