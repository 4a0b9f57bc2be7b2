//! The character sets in a secret's hint in `.env.sample`.

/// The known ones, medium certainty: abra's documentation names them. How abra handles others is unknown.
const KNOWN: [&str; 4] = ["default", "special", "safespecial", "hex"];

/// The unknown names in a hint.
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
