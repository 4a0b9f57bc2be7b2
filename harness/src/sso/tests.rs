use super::*;
use secrecy::ExposeSecret as _;

#[test]
fn a_providers_name_is_its_recipes() {
    for name in ProviderName::ALL {
        assert_eq!(name.to_string().parse::<ProviderName>().unwrap(), *name);
        assert!(name.as_str().parse::<crate::names::RecipeName>().is_ok());
    }
    let unknown = "dex".parse::<ProviderName>().unwrap_err();
    assert!(unknown.to_string().contains("\"dex\""), "{unknown}");
}

#[test]
fn secrets_are_long_letters_and_digits_and_never_the_same() {
    let (one, two) = (made_secret(), made_secret());
    assert!(one.expose_secret().len() >= 32 && one.expose_secret().bytes().all(|b| b.is_ascii_alphanumeric()));
    assert_ne!(one.expose_secret(), two.expose_secret());
}
