//! The overlay files of a recipe's folder, as a run holds them.

use std::collections::BTreeMap;

use overlay::OverlayFile;

/// The overlay files of a recipe's folder, found once.
#[derive(Debug, Clone, Default)]
pub struct Overlays {
    /// `install/`, `upgrade/`, `backup/`, `functional/` and `browser/`, each in name order.
    pub checks: BTreeMap<&'static str, Vec<OverlayFile>>,
    /// Those of all folders that are to be proven, also of stages that do not run.
    pub proven: Vec<OverlayFile>,
    /// `data/seed`, `data/wipe` and `data/check`, when all three are there.
    pub data: Option<Data>,
    /// Files of `functional/` and `browser/` that this form of the recipe cannot have, each with the reason.
    pub blocked: Vec<(String, String)>,
}

impl Overlays {
    /// Leaves out the tests that cannot be had.
    pub fn without(mut self, blocked: &BTreeMap<String, String>) -> Self {
        for folder in ["functional", "browser"] {
            let Some(files) = self.checks.get_mut(folder) else { continue };
            let reasons = files.iter().filter_map(|file| Some((file.name.clone(), blocked.get(&file.name)?.clone())));
            self.blocked.extend(reasons);
            files.retain(|file| !blocked.contains_key(&file.name));
        }
        self.proven.retain(|file| !blocked.contains_key(&file.name));
        self
    }
}

/// The three files of a data set.
#[derive(Debug, Clone)]
pub struct Data {
    /// Makes data through the app.
    pub seed: OverlayFile,
    /// Destroys it.
    pub wipe: OverlayFile,
    /// Is green while the data is there, and red when it is not.
    pub check: OverlayFile,
}
