//! FHIR's `date`, `dateTime` and `instant`: partial dates, fractions, offsets.
//!
//! A time must carry its zone, as FHIR demands: without one it names no instant. Values coarser than a day are kept
//! apart, since a metric must not invent the month or the day.

use chrono::{Datelike, NaiveDate};

const DAY: i64 = 86_400_000_000;

/// A parsed FHIR date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A year, or a year and a month: its first day, as days since 1970-01-01.
    Coarse(i32),
    /// A calendar date, as days since 1970-01-01.
    Day(i32),
    /// An instant, in UTC microseconds since 1970-01-01.
    Instant(i64),
}

impl Moment {
    /// The instant in UTC microseconds: midnight for a date, none for what is coarser than a day.
    pub fn micros(self) -> Option<i64> {
        match self {
            Moment::Coarse(_) => None,
            Moment::Day(days) => Some(i64::from(days) * DAY),
            Moment::Instant(micros) => Some(micros),
        }
    }
}

/// Parses a FHIR `date`, `dateTime` or `instant`; `None` where it is none of them.
///
/// ```
/// use metriccare_fhir::read::time::{Moment, parse};
/// assert_eq!(parse("1970-01-02"), Some(Moment::Day(1)));
/// assert_eq!(parse("1970-01-01T02:00:00.5+02:00"), Some(Moment::Instant(500_000)));
/// assert_eq!(parse("1970-01-01T02:00:00"), None);
/// ```
pub fn parse(text: &str) -> Option<Moment> {
    let b = text.trim().as_bytes();
    let year = i32::try_from(number(b.get(0..4)?)?).ok()?;
    if year == 0 {
        return None;
    }
    if b.len() == 4 {
        return Some(Moment::Coarse(days(year, 1, 1)?));
    }
    if b[4] != b'-' {
        return None;
    }
    let month = number(b.get(5..7)?)?;
    if b.len() == 7 {
        return Some(Moment::Coarse(days(year, month, 1)?));
    }
    if b[7] != b'-' {
        return None;
    }
    let date = days(year, month, number(b.get(8..10)?)?)?;
    if b.len() == 10 {
        return Some(Moment::Day(date));
    }
    if b[10] != b'T' {
        return None;
    }
    clock_time(&b[11..]).map(|micros| Moment::Instant(i64::from(date) * DAY + micros))
}

/// Parses a FHIR `date` (no time of day); days since 1970-01-01, the first day of what is coarser.
pub fn parse_date(text: &str) -> Option<i32> {
    match parse(text)? {
        Moment::Coarse(days) | Moment::Day(days) => Some(days),
        Moment::Instant(_) => None,
    }
}

/// `hh:mm[:ss[.f…]]` and its zone, in microseconds from midnight UTC; may be negative or above a day.
fn clock_time(b: &[u8]) -> Option<i64> {
    let (hour, minute) = (number(b.get(0..2)?)?, number(b.get(3..5)?)?);
    if b[2] != b':' || hour > 23 || minute > 59 {
        return None;
    }
    let mut rest = &b[5..];
    let mut micros = (i64::from(hour) * 60 + i64::from(minute)) * 60_000_000;
    if rest.first() == Some(&b':') {
        let second = number(rest.get(1..3)?)?;
        if second > 60 {
            return None;
        }
        micros += i64::from(second) * 1_000_000;
        rest = &rest[3..];
        if rest.first() == Some(&b'.') {
            let digits = rest[1..].iter().take_while(|c| c.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            let fraction = &rest[1..=digits];
            let mut scale = 100_000;
            for digit in fraction.iter().take(6) {
                micros += i64::from(digit - b'0') * scale;
                scale /= 10;
            }
            rest = &rest[1 + digits..];
        }
    }
    Some(micros - zone(rest)?)
}

/// The offset of `Z`, `+hh:mm` or `-hh:mm` in microseconds.
fn zone(b: &[u8]) -> Option<i64> {
    let sign = match b {
        [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let (hours, minutes) = (number(b.get(1..3)?)?, number(b.get(4..6)?)?);
    if b.len() != 6 || b[3] != b':' || hours > 14 || minutes > 59 {
        return None;
    }
    Some(sign * (i64::from(hours) * 60 + i64::from(minutes)) * 60_000_000)
}

fn number(b: &[u8]) -> Option<u32> {
    b.iter().try_fold(0, |n, c| c.is_ascii_digit().then(|| n * 10 + u32::from(c - b'0')))
}

fn days(year: i32, month: u32, day: u32) -> Option<i32> {
    const EPOCH_FROM_CE: i32 = 719_163;
    Some(NaiveDate::from_ymd_opt(year, month, day)?.num_days_from_ce() - EPOCH_FROM_CE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn partial_dates_keep_their_precision() {
        assert_eq!(parse("1970"), Some(Moment::Coarse(0)));
        assert_eq!(parse("1970-02"), Some(Moment::Coarse(31)));
        assert_eq!(parse("1970-02-01"), Some(Moment::Day(31)));
        assert_eq!(parse("1970").and_then(Moment::micros), None);
        assert_eq!(parse_date("1970-02"), Some(31));
        assert_eq!(parse_date("1970-02-01T00:00:00Z"), None);
    }

    #[test]
    fn instants_are_in_utc() {
        assert_eq!(parse("1976-01-19T22:58:16-05:00"), parse("1976-01-20T03:58:16Z"));
        assert_eq!(parse("1970-01-01T00:00:00.123456789Z"), Some(Moment::Instant(123_456)));
        assert_eq!(parse("1970-01-01T00:00Z"), Some(Moment::Instant(0)));
        assert_eq!(parse("2016-12-31T23:59:60Z"), parse("2017-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "banana",
            "2025-13-01",
            "2025-02-30",
            "2025-1-1",
            "2025-01-01 10:00:00Z",
            "2025-01-01T10:00:00",
            "2025-01-01T25:00:00Z",
            "2025-01-01T10:00:00+5",
            "2025-01-01T10:00:00.Z",
            "20250101",
            "0000-01-01",
            "2025-01-",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_without_a_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_looks_like_a_date_does_not_panic(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.Z+-]{0,20}") {
            let _ = parse(&text);
        }

        #[test]
        fn chrono_agrees(seconds in -60_000_000_000i64..200_000_000_000) {
            let text = chrono::DateTime::from_timestamp(seconds, 0).expect("in range").format("%Y-%m-%dT%H:%M:%SZ").to_string();
            if text.len() == 20 {
                prop_assert_eq!(parse(&text), Some(Moment::Instant(seconds * 1_000_000)));
            }
        }
    }
}
