//! Days and months of UTC instants, without a clock and without a failure.
//!
//! Times are microseconds since 1970-01-01T00:00:00Z, dates are days since then: Arrow's own units. Every instant that
//! fits 64 bits has a date and a month, so that no odd timestamp can stop a transformation.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds in a day.
pub const DAY: i64 = 86_400_000_000;

/// The UTC date of an instant, in days since 1970-01-01.
pub const fn date_of(micros: i64) -> i32 {
    // 2^63 microseconds are 106,751,991 days: an i32 holds every one.
    micros.div_euclid(DAY) as i32
}

/// Milliseconds between two instants, each cut to its millisecond first, as SQL's `date_diff('millisecond', …)` does.
pub fn milliseconds_between(start: i64, end: i64) -> i64 {
    end.div_euclid(1_000) - start.div_euclid(1_000)
}

/// Year, month (1–12) and day (1–31) of a date.
pub fn civil(date: i32) -> (i32, u32, u32) {
    // Days are counted from 0000-03-01, so that the leap day is the last of its year; 146,097 days are 400 years.
    let days = i64::from(date) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
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
