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
