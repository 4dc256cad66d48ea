//! Instants and dates as FHIR writes them: UTC, to the second, with `Z`.
//!
//! Both are plain counts since 1970 with a proleptic Gregorian calendar and no leap seconds, so that formatting one is
//! a handful of integer divisions and needs no table and no clock.

/// A point in time: seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// A calendar date: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

impl Instant {
    /// The UTC date of the instant.
    pub fn date(self) -> Date {
        Date(self.0.div_euclid(86_400) as i32)
    }

    /// Appends `YYYY-MM-DDTHH:MM:SSZ`.
    pub fn push(self, out: &mut Vec<u8>) {
        let second = self.0.rem_euclid(86_400) as u32;
        self.date().push(out);
        let (h, m, s) = (two(second / 3600), two(second / 60 % 60), two(second % 60));
        out.extend_from_slice(&[b'T', h[0], h[1], b':', m[0], m[1], b':', s[0], s[1], b'Z']);
    }
}

impl Date {
    /// The date of a year, month and day of the proleptic Gregorian calendar.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Date {
        let year = i64::from(year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Date((era * 146_097 + day_of_era - 719_468) as i32)
    }

    /// The year, month (1–12) and day (1–31); of dates between the years -4800 and 2,000,000.
    pub fn ymd(self) -> (i32, u32, u32) {
        // Counted from 1 March -4800, so that all divisions are of unsigned 32-bit numbers by constants.
        let days = (self.0 + 2_472_632) as u32;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = (year_of_era + era * 400 + u32::from(month <= 2)) as i32 - 4_800;
        (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
    }

    /// Midnight at the beginning of the date.
    pub fn midnight(self) -> Instant {
        Instant(i64::from(self.0) * 86_400)
    }

    /// Appends `YYYY-MM-DD`.
    pub fn push(self, out: &mut Vec<u8>) {
        let (year, month, day) = self.ymd();
        let year = year.clamp(0, 9999) as u32;
        let (c, y, m, d) = (two(year / 100), two(year % 100), two(month), two(day));
        out.extend_from_slice(&[c[0], c[1], y[0], y[1], b'-', m[0], m[1], b'-', d[0], d[1]]);
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// The two digits of every number below a hundred.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
};

fn two(value: u32) -> [u8; 2] {
    PAIRS[value as usize]
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_calendar_agrees_with_chrono(days in -100_000i32..100_000) {
            let (year, month, day) = Date(days).ymd();
            let known = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + chrono::Duration::days(i64::from(days));
            prop_assert_eq!((year, month, day), (known.year(), known.month(), known.day()));
            prop_assert_eq!(Date::from_ymd(year, month, day), Date(days));
        }
    }

    #[test]
    fn an_instant_is_written_in_utc() {
        let mut out = Vec::new();
        Instant(Date::from_ymd(2025, 2, 28).midnight().0 + 86_399).push(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "2025-02-28T23:59:59Z");
    }
}
