use recipe_folder::recipe_toml::Variant;

/// A variant that is deployed now.
#[derive(Debug, Clone)]
pub struct ActiveVariant {
    /// What it sets.
    pub settings: Variant,
    /// Whether it is at the base release.
    pub is_base: bool,
}
