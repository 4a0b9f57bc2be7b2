//! A recipe's memory requirement: the peak that its folder declares and runs have measured.
//!
//! The last peaks of each recipe are a small file in the state folder, so that no journals have to be read before a run
//! starts.

use std::io;
use std::path::{Path, PathBuf};

use base::names::{RecipeName, RunId};
use serde::{Deserialize, Serialize};

/// Number of runs that count; older ones tested another recipe.
const RUNS: usize = 15;

/// Margin on measured peaks, since samples are one second apart and a run may use more than the last ones.
const MARGIN_PERCENT: u64 = 10;

/// The peak of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    pub run: RunId,
    /// The peak memory of the recipe's app in MiB.
    pub mib: u64,
}

/// MiB to reserve for an app: the declared value, or the measured one with a margin if that is higher.
///
/// Of the measurements, the 90th percentile counts: one broken change must not raise its recipe's requirement for
/// weeks. A higher declaration takes precedence: it may cover cases that no run reached.
pub fn mib(declared: u64, measured_peaks: &[u64]) -> u64 {
    let shown =
        usual_peak(measured_peaks).map(|peak| peak.saturating_add(peak.saturating_mul(MARGIN_PERCENT).div_ceil(100)));
    declared.max(shown.unwrap_or(0))
}

/// The 90th percentile of the peaks; of up to ten runs the maximum.
pub fn usual_peak(peaks: &[u64]) -> Option<u64> {
    let mut sorted = peaks.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 9).div_ceil(10);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// The warning if runs use more than a recipe declares.
pub fn warning(recipe: &str, declared: u64, peak: u64) -> Option<String> {
    (peak > declared).then(|| {
        format!(
            "{recipe} held {peak} MiB of memory at its peak, and [weight] in its recipe.toml says {declared}: raise \
             memory_mib"
        )
    })
}

/// The peaks of a recipe's last runs, oldest first; empty if it never ran or the file cannot be read.
pub fn measured(state: &Path, recipe: &RecipeName) -> Vec<u64> {
    read(&file(state, recipe)).into_iter().map(|one| one.mib).collect()
}

/// Adds a run's peak.
pub fn remember(state: &Path, recipe: &RecipeName, run: &RunId, mib: u64) -> io::Result<()> {
    let path = file(state, recipe);
    let folder = path.parent().unwrap_or(state);
    std::fs::create_dir_all(folder)?;
    let mut all = read(&path);
    all.retain(|one| one.run != *run);
    all.push(Measured { run: run.clone(), mib });
    let skip = all.len().saturating_sub(RUNS);
    // Two runs that end at the same time may overwrite each other's figure: then one of fifteen is missing.
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut new, &all[skip..])?;
    new.persist(path)?;
    Ok(())
}

fn file(state: &Path, recipe: &RecipeName) -> PathBuf {
    state.join("weights").join(format!("{recipe}.json"))
}

fn read(path: &Path) -> Vec<Measured> {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_declared_holds_until_runs_show_more() {
        assert_eq!(mib(512, &[]), 512);
        assert_eq!(mib(512, &[100, 200]), 512);
        assert_eq!(mib(512, &[600]), 660);
        assert_eq!(mib(512, &[501]), 552);
    }

    #[test]
    fn one_run_that_went_wrong_does_not_count_among_many() {
        let mut peaks = vec![400; 14];
        peaks.push(9_000);
        assert_eq!(usual_peak(&peaks), Some(400));
        assert_eq!(usual_peak(&[400, 9_000]), Some(9_000), "of two, nobody can say which is usual");
        assert_eq!(usual_peak(&[]), None);
    }

    #[test]
    fn a_warning_has_both_numbers() {
        assert_eq!(warning("gitea", 512, 512), None);
        let said = warning("gitea", 512, 700).unwrap();
        assert!(said.contains("700 MiB") && said.contains("says 512"), "{said}");
    }

    #[test]
    fn the_last_runs_are_remembered() {
        let state = tempfile::tempdir().unwrap();
        let recipe: RecipeName = "gitea".parse().unwrap();
        assert_eq!(measured(state.path(), &recipe), Vec::<u64>::new());
        for n in 0..20_u64 {
            remember(state.path(), &recipe, &format!("r{n}").parse().unwrap(), n).unwrap();
        }
        remember(state.path(), &recipe, &"r19".parse().unwrap(), 100).unwrap();
        let kept = measured(state.path(), &recipe);
        assert_eq!((kept.len(), kept[0], kept[14]), (15, 5, 100));
        std::fs::write(file(state.path(), &recipe), "odd").unwrap();
        assert_eq!(measured(state.path(), &recipe), Vec::<u64>::new());
    }

    proptest! {
        #[test]
        fn a_weight_is_never_less_than_declared_nor_than_most_runs(
            declared in 0..5_000_u64,
            peaks in proptest::collection::vec(0..5_000_u64, 0..20),
        ) {
            let weight = mib(declared, &peaks);
            prop_assert!(weight >= declared);
            let over = peaks.iter().filter(|peak| **peak > weight).count();
            prop_assert!(over * 10 <= peaks.len(), "{over} of {} are heavier", peaks.len());
            let mut more = peaks.clone();
            more.push(weight);
            prop_assert!(mib(declared + 1, &peaks) >= weight);
            prop_assert!(mib(declared, &more) >= declared);
        }
    }
}
