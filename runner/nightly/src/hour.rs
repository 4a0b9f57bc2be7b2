//! The time of day at which a sweep is due, in a time zone. Pure.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// A time of day and its zone: `03:30 Europe/Berlin`.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepHour {
    time: Time,
    zone: TimeZone,
    text: String,
}

/// Whether a sweep is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The sweep of this day is due.
    Now(Date),
    /// No sweep is due before this time.
    At(Timestamp),
    /// All days up to this one count as done without a sweep: the time was configured just now, or the clock was set
    /// back by days.
    Passed(Date),
}

impl SweepHour {
    /// Whether a sweep is due, given that days up to `done` are done.
    pub fn due(&self, done: Option<Date>, now: Timestamp) -> Due {
        let last = self.last(now);
        match done {
            None => Due::Passed(last),
            // One sweep makes up for any number of missed ones.
            Some(done) if done < last => Due::Now(last),
            // A day ahead means that the setting's time or zone changed, or that the clock was set back a little.
            Some(done) if done > last.saturating_add(1.day()) => Due::Passed(last),
            Some(done) => Due::At(self.of(done.saturating_add(1.day()))),
        }
    }

    /// The newest day whose sweep was due by now.
    fn last(&self, now: Timestamp) -> Date {
        let today = now.to_zoned(self.zone.clone()).date();
        if self.of(today) <= now { today } else { today.saturating_sub(1.day()) }
    }

    /// When the sweep of a day is due. A local time that the clocks skip is moved forward by the skipped span; of a
    /// time that occurs twice, the first counts.
    fn of(&self, day: Date) -> Timestamp {
        let zoned = day.to_datetime(self.time).to_zoned(self.zone.clone());
        zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }
}

impl FromStr for SweepHour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write a time of day and its zone: 03:30 Europe/Berlin, or 03:30 UTC";
        let mut words = text.split_whitespace();
        let (Some(time), Some(name), None) = (words.next(), words.next(), words.next()) else {
            return Err(form.to_owned());
        };
        let time = Time::strptime("%H:%M", time).map_err(|_| form.to_owned())?;
        let unknown =
            |_| format!("this machine knows no time zone {name:?} (the package tzdata has them); UTC is always known");
        let zone = TimeZone::get(name).map_err(unknown)?;
        Ok(Self { time, zone, text: format!("{} {name}", time.strftime("%H:%M")) })
    }
}

impl fmt::Display for SweepHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In Berlin, clocks go forward at 2026-03-29T01:00Z and back at 2026-10-25T01:00Z.
    fn berlin(time: &str) -> SweepHour {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        SweepHour { time: Time::strptime("%H:%M", time).unwrap(), zone, text: String::new() }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn an_hour_has_a_zone() {
        assert_eq!("3:05 UTC".parse::<SweepHour>().unwrap().to_string(), "03:05 UTC");
        for odd in ["", "03:30", "UTC", "24:00 UTC", "03:30 UTC now", "3 UTC", "03:30:10 UTC"] {
            assert!(odd.parse::<SweepHour>().unwrap_err().contains("03:30 Europe/Berlin"), "{odd}");
        }
        assert!("03:30 Nowhere/Atall".parse::<SweepHour>().unwrap_err().contains("tzdata"));
    }

    #[test]
    fn a_sweep_is_due_once_a_day_and_made_up_for_once() {
        let hour = berlin("03:30");
        let due = |done: &str, now: &str| hour.due(Some(day(done)), at(now));
        // 03:30 in Berlin is 02:30 UTC in winter.
        assert_eq!(due("2026-11-27", "2026-11-28T02:29:59Z"), Due::At(at("2026-11-28T02:30:00Z")));
        assert_eq!(due("2026-11-27", "2026-11-28T02:30:00Z"), Due::Now(day("2026-11-28")));
        assert_eq!(due("2026-11-28", "2026-11-28T02:30:00Z"), Due::At(at("2026-11-29T02:30:00Z")));
        // Stopped at night and started in the afternoon; stopped for a week.
        assert_eq!(due("2026-11-27", "2026-11-28T15:00:00Z"), Due::Now(day("2026-11-28")));
        assert_eq!(due("2026-11-20", "2026-11-28T15:00:00Z"), Due::Now(day("2026-11-28")));
        // Started at night before the due time: the missed day is made up for, and the day itself follows.
        assert_eq!(due("2026-11-26", "2026-11-28T01:00:00Z"), Due::Now(day("2026-11-27")));
    }

    #[test]
    fn a_server_that_was_just_told_of_the_hour_begins_with_the_next() {
        assert_eq!(berlin("03:30").due(None, at("2026-11-28T15:00:00Z")), Due::Passed(day("2026-11-28")));
        assert_eq!(berlin("03:30").due(None, at("2026-11-28T01:00:00Z")), Due::Passed(day("2026-11-27")));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_sweep_twice() {
        let hour = berlin("03:30");
        let due = |done: &str, now: &str| hour.due(Some(day(done)), at(now));
        // Set back by an hour, across the time of the finished sweep.
        assert_eq!(due("2026-11-28", "2026-11-28T02:00:00Z"), Due::At(at("2026-11-29T02:30:00Z")));
        // Set back by a year, after the clock was wrong for a while.
        assert_eq!(due("2027-11-28", "2026-11-28T15:00:00Z"), Due::Passed(day("2026-11-28")));
        // The setting was changed to a later time on the same day.
        assert_eq!(
            berlin("23:00").due(Some(day("2026-11-28")), at("2026-11-28T15:00:00Z")),
            Due::At(at("2026-11-29T22:00:00Z"))
        );
    }

    #[test]
    fn summer_time_neither_loses_a_sweep_nor_doubles_it() {
        let hour = berlin("02:30");
        let due = |done: &str, now: &str| hour.due(Some(day(done)), at(now));
        // 02:30 is skipped, so the sweep is due at 03:30 of the new time.
        assert_eq!(due("2026-03-28", "2026-03-29T00:30:00Z"), Due::At(at("2026-03-29T01:30:00Z")));
        assert_eq!(due("2026-03-28", "2026-03-29T01:30:00Z"), Due::Now(day("2026-03-29")));
        // 02:30 occurs twice: the sweep is due at the first, and not again at the second.
        assert_eq!(due("2026-10-24", "2026-10-25T00:30:00Z"), Due::Now(day("2026-10-25")));
        assert_eq!(due("2026-10-25", "2026-10-25T01:30:00Z"), Due::At(at("2026-10-26T01:30:00Z")));
    }
}
