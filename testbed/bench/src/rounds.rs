//! Rounds of a run, its floor and a plain script, and what their ratios have to be.

use std::time::Duration;

use super::Figure;
use super::figures::seconds;

/// What is measured in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The run of cc-ci.
    Run,
    /// The floor.
    Floor,
    /// The shell script.
    Script,
}

/// The order of a round, the first of which is 0. Each round begins with another one: a machine that warms up, or is
/// slowed down while it works, would favour the one that always comes at the same place.
pub fn turns(round: u32) -> [Turn; 3] {
    let mut order = [Turn::Run, Turn::Floor, Turn::Script];
    order.rotate_left((round % 3) as usize);
    order
}

/// The three, one after the other: a busy moment of the machine falls on all of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Round {
    /// The run of cc-ci.
    pub run: Duration,
    /// The same docker operations by hand, with the time that the recipe's own tests took in the run.
    pub floor: Duration,
    /// The shell script, with the same.
    pub script: Duration,
}

impl Round {
    /// Percent that the run took longer than the floor.
    fn over(&self) -> f64 {
        (self.run.as_secs_f64() / self.floor.as_secs_f64() - 1.0) * 100.0
    }

    /// How many times as long as the run the script took.
    fn times(&self) -> f64 {
        self.script.as_secs_f64() / self.run.as_secs_f64()
    }
}

/// What the medians of the rounds' ratios may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Percent that a run may take longer than the floor.
    pub over: f64,
    /// How many times as long as a run the script has to take, at least.
    pub times: f64,
}

/// What a release build on a machine with nothing beside it has to reach.
pub const WANTED: Bounds = Bounds { over: 5.0, times: 2.0 };

/// What fails CI, where the programs are not optimised and the machine is not still. The run that was found slow at last
/// (18.5 % and 1.69 times on a still machine) is red by the second of them, and by the first with what was saved since.
pub const GATE: Bounds = Bounds { over: 15.0, times: 1.7 };

/// Whether no further round of `all` can change what the medians say: more than half of them are on one side of a bound
/// already. One ratio on its wrong side is enough, as a gate needs both.
pub fn are_decided(rounds: &[Round], all: usize, bounds: Bounds) -> bool {
    let most = all / 2 + 1;
    let has_most = |holds: &dyn Fn(&Round) -> bool| rounds.iter().filter(|round| holds(round)).count() >= most;
    let is_near = |round: &Round| round.over() <= bounds.over;
    let is_ahead = |round: &Round| round.times() >= bounds.times;
    let (are_met, is_missed) = (
        has_most(&is_near) && has_most(&is_ahead),
        has_most(&|round| !is_near(round)) || has_most(&|round| !is_ahead(round)),
    );
    are_met || is_missed
}

/// The lines of the table.
pub fn ratios(rounds: &[Round], bounds: Bounds) -> Vec<Figure> {
    let of = |time: fn(&Round) -> Duration| super::median(rounds.iter().map(time).collect());
    let (over, times) = (Ratios::of(rounds, Round::over), Ratios::of(rounds, Round::times));
    let (run, floor, script) = (of(|one| one.run), of(|one| one.floor), of(|one| one.script));
    vec![
        Figure::new(
            "custom-html, all stages, median",
            format!("{} ({:+.1} %; {:+.1} to {:+.1})", seconds(run), over.median, over.least, over.most),
            &format!("a median of at most {} % over the floor", bounds.over),
            over.median <= bounds.over,
        ),
        Figure::new("  the floor, with the recipe's own tests", seconds(floor), "(measured in the same rounds)", true),
        Figure::new(
            "  a plain shell script",
            format!("{} ({:.2}x; {:.2} to {:.2})", seconds(script), times.median, times.least, times.most),
            &format!("a median of at least {}x slower than cc-ci", bounds.times),
            times.median >= bounds.times,
        ),
    ]
}

/// One ratio of all rounds; no numbers where there is no round.
struct Ratios {
    median: f64,
    least: f64,
    most: f64,
}

impl Ratios {
    fn of(rounds: &[Round], ratio: fn(&Round) -> f64) -> Self {
        let mut all: Vec<f64> = rounds.iter().map(ratio).collect();
        all.sort_unstable_by(f64::total_cmp);
        let at = |place: usize| all.get(place).copied().unwrap_or(f64::NAN);
        Self { median: at(all.len() / 2), least: at(0), most: at(all.len().saturating_sub(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(run: f64, floor: f64, script: f64) -> Round {
        let [run, floor, script] = [run, floor, script].map(Duration::from_secs_f64);
        Round { run, floor, script }
    }

    fn met(rounds: &[Round], bounds: Bounds) -> Vec<bool> {
        ratios(rounds, bounds).iter().map(|figure| figure.met).collect()
    }

    #[test]
    fn the_median_of_the_ratios_counts_and_one_busy_round_does_not() {
        let quick = round(10.4, 10.0, 25.0);
        assert_eq!(met(&[quick, round(30.0, 10.0, 25.0), quick], WANTED), [true; 3]);
        // A machine that becomes slower in the middle changes no ratio.
        assert_eq!(met(&[quick, round(20.8, 20.0, 50.0), round(41.6, 40.0, 100.0)], WANTED), [true; 3]);
        assert_eq!(met(&[quick, round(12.0, 10.0, 25.0), round(12.0, 10.0, 25.0)], WANTED), [false, true, true]);
    }

    #[test]
    fn each_comes_first_second_and_last_equally_often() {
        for rounds in [0..3, 4..10] {
            for turn in [Turn::Run, Turn::Floor, Turn::Script] {
                let first = |place: usize| rounds.clone().filter(|round| turns(*round)[place] == turn).count();
                assert_eq!([first(0), first(1), first(2)], [rounds.len() / 3; 3], "{turn:?}");
            }
        }
    }

    #[test]
    fn a_ratio_is_told_as_the_median_and_what_it_lies_between() {
        let rounds = [round(10.4, 10.0, 20.8), round(10.8, 10.0, 32.4), round(10.6, 10.0, 26.5)];
        let told: Vec<String> = ratios(&rounds, WANTED).into_iter().map(|figure| figure.measured).collect();
        assert_eq!(told, ["10.60 s (+6.0 %; +4.0 to +8.0)", "10.00 s", "26.50 s (2.50x; 2.00 to 3.00)"]);
    }

    #[test]
    fn the_run_that_had_become_slow_is_red() {
        assert_eq!(met(&[round(17.7, 14.94, 29.9)], GATE), [false, true, false]);
        assert_eq!(met(&[round(18.8, 15.59, 30.5)], GATE), [false, true, false]);
    }

    #[test]
    fn no_round_meets_nothing() {
        assert_eq!(met(&[], GATE), [false, true, false]);
        assert!(!are_decided(&[], 5, GATE) && !are_decided(&[], 1, GATE));
    }

    /// Whatever the rounds that are left out would have shown, the verdict is the one of all five.
    #[test]
    fn rounds_are_left_out_only_where_they_could_change_nothing() {
        let kinds =
            [round(10.4, 10.0, 25.0), round(12.0, 10.0, 25.0), round(10.4, 10.0, 15.0), round(12.0, 10.0, 15.0)];
        let is_green = |rounds: &[Round]| met(rounds, GATE).iter().all(|met| *met);
        let (mut left_out, mut all_needed) = (0, 0);
        for number in 0..4_usize.pow(5) {
            let rounds: Vec<Round> = (0..5).map(|place| kinds[number / 4_usize.pow(place) % 4]).collect();
            let decided = (1..=5).find(|made| are_decided(&rounds[..*made], 5, GATE)).unwrap_or(5);
            assert_eq!(is_green(&rounds[..decided]), is_green(&rounds), "{rounds:?}");
            if decided < 5 { left_out += 1 } else { all_needed += 1 }
        }
        assert!(left_out > 0 && all_needed > 0);
        assert!(are_decided(&[kinds[0]; 3], 5, GATE) && !are_decided(&[kinds[0]; 2], 5, GATE));
    }
}
