//! The calendar that all crates share: UTC instants, dates and months, without a clock and without a failure.
//!
//! Instants are microseconds since 1970-01-01T00:00:00Z, dates are days since then: Arrow's units, so that a column holds
//! either as it is. The calendar is the proleptic Gregorian one without leap seconds. Every instant that fits 64 bits has
//! a date and a month.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;

/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;

/// Microseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;

/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// A calendar date: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

impl Instant {
    /// The UTC date of the instant.
    pub fn date(self) -> Date {
        Date(date_of(self.0))
    }

    /// The whole seconds since midnight UTC.
    pub fn second_of_day(self) -> u32 {
        (self.0.rem_euclid(DAY) / SECOND) as u32
    }
}

impl Date {
    /// The date of a year, month (1–12) and day (1–31).
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Date {
        Date(date(year, month, day))
    }

    /// The year, month (1–12) and day (1–31).
    pub fn ymd(self) -> (i32, u32, u32) {
        civil(self.0)
    }

    /// Midnight at the beginning of the date.
    pub fn midnight(self) -> Instant {
        Instant(i64::from(self.0) * DAY)
    }

    /// The whole years from `birth` to this date: one less where the (month, day) of birth is still to come.
    pub fn years_since(self, birth: Date) -> i32 {
        let ((by, bm, bd), (y, m, d)) = (birth.ymd(), self.ymd());
        y - by - i32::from((m, d) < (bm, bd))
    }
}

impl fmt::Display for Date {
    /// Writes `YYYY-MM-DD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// The UTC date of an instant, in days since 1970-01-01.
pub const fn date_of(micros: i64) -> i32 {
    // 2^63 microseconds are 106,751,991 days: an i32 holds every one.
    micros.div_euclid(DAY) as i32
}

/// A time without its fraction of a second: what is written to the second stays what it is.
pub const fn whole_seconds(micros: i64) -> i64 {
    micros - micros.rem_euclid(SECOND)
}

/// Milliseconds between two instants, each cut to its millisecond first, as SQL's `date_diff('millisecond', …)` does.
pub fn milliseconds_between(start: i64, end: i64) -> i64 {
    end.div_euclid(1_000) - start.div_euclid(1_000)
}

/// Year, month (1–12) and day (1–31) of a date.
pub fn civil(date: i32) -> (i32, u32, u32) {
    // Within about two million years of today all divisions are of unsigned 32-bit numbers, which is quicker.
    if (-EPOCH_FROM_4800_BC..=700_000_000).contains(&date) { civil_near(date) } else { civil_far(date) }
}

/// Days from 1 March of the year -4800 to 1970-01-01.
const EPOCH_FROM_4800_BC: i32 = 2_472_632;

fn civil_near(date: i32) -> (i32, u32, u32) {
    // Years are counted from March, so that the leap day is the last of its year; 146,097 days are 400 years.
    let days = (date + EPOCH_FROM_4800_BC) as u32;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = (year_of_era + era * 400 + u32::from(month <= 2)) as i32 - 4_800;
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

fn civil_far(date: i32) -> (i32, u32, u32) {
    let days = i64::from(date) + 719_468;
    let era = days.div_euclid(146_097);
    let (year, month, day) = civil_near((days.rem_euclid(146_097) - 719_468) as i32);
    (year + (era * 400) as i32, month, day)
}

/// The date of a year, month (1–12) and day.
pub fn date(year: i32, month: u32, day: u32) -> i32 {
    let shifted_year = i64::from(year) - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) as i32
}

/// A calendar month, counted from January of the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Month(i32);

impl Month {
    /// The month of a date.
    pub fn of(date: i32) -> Month {
        let (year, month, _) = civil(date);
        Month(year * 12 + month as i32 - 1)
    }

    /// The month's first date.
    pub fn first_day(self) -> i32 {
        date(self.0.div_euclid(12), self.0.rem_euclid(12) as u32 + 1, 1)
    }

    /// The month's last date.
    pub fn last_day(self) -> i32 {
        self.next().first_day() - 1
    }

    /// The month after this one.
    pub fn next(self) -> Month {
        Month(self.0.saturating_add(1))
    }

    /// The days of the month that are not after `last_date`.
    pub fn days_until(self, last_date: i32) -> i64 {
        let end = self.last_day().min(last_date);
        i64::from(end - self.first_day() + 1).max(0)
    }
}

impl fmt::Display for Month {
    /// Writes `YYYY-MM`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn dates_agree_with_chrono(days in -700_000..2_932_897i32) {
            let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
            let expected = epoch + chrono::Duration::days(i64::from(days));
            prop_assert_eq!(civil(days), (expected.year(), expected.month(), expected.day()));
            prop_assert_eq!(date(expected.year(), expected.month(), expected.day()), days);
            let month = Month::of(days);
            prop_assert!(month.first_day() <= days && days <= month.last_day());
            prop_assert_eq!(month.to_string(), expected.format("%Y-%m").to_string());
        }

        #[test]
        fn every_date_comes_back_from_its_year_month_and_day(days: i32) {
            let (year, month, day) = civil(days);
            prop_assert_eq!(date(year, month, day), days);
            prop_assert_eq!(Date(days).ymd(), civil_far(days));
        }

        #[test]
        fn no_instant_fails(micros: i64) {
            let month = Month::of(date_of(micros));
            prop_assert!(month.days_until(date_of(micros)) >= 1);
        }
    }

    #[test]
    fn an_instant_before_the_epoch_lies_in_the_day_before() {
        assert_eq!(date_of(-1), -1);
        assert_eq!(date_of(0), 0);
        assert_eq!(milliseconds_between(999, 1_000), 1);
    }
}
