//! One typed cell of a relational row: read from text, and written in one canonical form.
//!
//! The canonical form is what `content_id` is made of, so that a row is the same row whether it came as CSV or as
//! Parquet, and however its numbers and flags were spelled.

use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::schema::Kind;

/// The largest amount that `DECIMAL(14,2)` holds, in cents.
const LARGEST_CENTS: i64 = 99_999_999_999_999;

/// A cell with its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// No value: an empty cell of CSV, a null of Parquet.
    Missing,
    Text(&'a str),
    /// Days since 1970-01-01.
    Date(i32),
    /// UTC microseconds.
    Time(i64),
    Whole(i64),
    Cents(i64),
    Fraction(f64),
    Flag(bool),
}

/// Reads a cell of a type. The error says what the text is not, and never repeats it: it may be personal data.
pub(super) fn parse(kind: Kind, text: &str) -> Result<Cell<'_>, &'static str> {
    if kind != Kind::Text && text.trim().is_empty() || text.is_empty() {
        return Ok(Cell::Missing);
    }
    let trimmed = text.trim();
    match kind {
        Kind::Text => Ok(Cell::Text(text)),
        Kind::Date => midnight(trimmed).map(|date| Cell::Date(days(date))).ok_or("not a date like 2025-12-31"),
        Kind::Timestamp => moment(trimmed).map(Cell::Time).ok_or("not a UTC time like 2025-12-31 23:59:00"),
        Kind::BigInt => whole(trimmed).map(Cell::Whole).ok_or("not a whole number"),
        Kind::Money => cents(trimmed).map(Cell::Cents).ok_or("not an amount with at most two decimals"),
        Kind::Double => fraction(trimmed).map(Cell::Fraction).ok_or("not a number"),
        Kind::Boolean => flag(trimmed).map(Cell::Flag).ok_or("neither true nor false"),
    }
}

/// An amount that was stored as a float; none where it has more than two decimals.
pub(super) fn cents_of(amount: f64) -> Option<i64> {
    let cents = amount * 100.0;
    let whole = cents.round();
    ((cents - whole).abs() < 1e-4 && whole.abs() <= LARGEST_CENTS as f64).then_some(whole as i64)
}

impl Cell<'_> {
    /// Appends the cell in its canonical form; a missing one is empty.
    pub(super) fn push(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = match *self {
            Cell::Missing => Ok(()),
            Cell::Text(text) => {
                push_quoted(text, out);
                Ok(())
            }
            Cell::Date(days) => write!(out, "{}", date(days)),
            Cell::Time(micros) => match chrono::DateTime::from_timestamp_micros(micros) {
                Some(time) => write!(out, "{}", time.format("%Y-%m-%d %H:%M:%S%.f")),
                None => write!(out, "{micros}"),
            },
            Cell::Whole(value) => write!(out, "{value}"),
            Cell::Cents(cents) => {
                let sign = if cents < 0 { "-" } else { "" };
                write!(out, "{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
            }
            Cell::Fraction(value) => write!(out, "{value}"),
            Cell::Flag(value) => write!(out, "{value}"),
        };
    }
}

/// Appends text as a CSV cell, quoted where it has to be.
pub(super) fn push_quoted(text: &str, out: &mut String) {
    if text.contains(['"', ',', '\n', '\r']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

/// Days since 1970-01-01.
pub(super) fn days(date: NaiveDate) -> i32 {
    date.signed_duration_since(NaiveDate::default()).num_days() as i32
}

fn date(days: i32) -> NaiveDate {
    NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(days.into())).unwrap_or_default()
}

/// `YYYY-MM-DD` at the beginning of a text, and what follows it.
fn leading_date(text: &str) -> Option<(NaiveDate, &str)> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' || !text.is_char_boundary(10) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().try_fold(0u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    let date = NaiveDate::from_ymd_opt(number(0..4)? as i32, number(5..7)?, number(8..10)?)?;
    Some((date, &text[10..]))
}

/// A date, also one that another program wrote with a time of midnight.
fn midnight(text: &str) -> Option<NaiveDate> {
    let (date, rest) = leading_date(text)?;
    matches!(rest, "" | " 00:00:00" | "T00:00:00" | "T00:00:00Z").then_some(date)
}

fn moment(text: &str) -> Option<i64> {
    let (date, rest) = leading_date(text)?;
    let Some(time) = rest.strip_prefix([' ', 'T']) else {
        return rest.is_empty().then(|| date.and_time(NaiveTime::MIN).and_utc().timestamp_micros());
    };
    // A zone begins with Z, + or -, none of which is part of a time.
    let (time, zone) = time.split_at(time.find(['Z', '+', '-']).unwrap_or(time.len()));
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S%.f").ok()?;
    let minutes = match zone {
        "" | "Z" => 0,
        zone => {
            let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
            let (hours, minutes) = (digits.len() == 4).then(|| digits.split_at(2))?;
            let size = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if zone.starts_with('-') { -size } else { size }
        }
    };
    let micros = NaiveDateTime::new(date, time).and_utc().timestamp_micros();
    Some(micros - minutes * 60_000_000)
}

/// A whole number, also one that another program wrote with decimals of zero (`3.0`, where a column has gaps).
fn whole(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    decimals.bytes().all(|byte| byte == b'0').then(|| whole.parse().ok())?
}

fn cents(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = decimals.trim_end_matches('0');
    if whole.is_empty() || decimals.len() > 2 || !whole.bytes().chain(decimals.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hundredths = format!("{decimals:0<2}").parse::<i64>().ok()?;
    let cents = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(hundredths)?;
    (cents <= LARGEST_CENTS).then_some(sign * cents)
}

fn fraction(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

fn flag(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    (is("true") || text == "1").then_some(true).or_else(|| (is("false") || text == "0").then_some(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(kind: Kind, text: &str) -> Result<String, &'static str> {
        let mut out = String::new();
        parse(kind, text)?.push(&mut out);
        Ok(out)
    }

    #[test]
    fn spellings_of_one_value_have_one_canonical_form() {
        for (kind, spellings, form) in [
            (
                Kind::Date,
                &["2025-01-31", " 2025-01-31 ", "2025-01-31 00:00:00", "2025-01-31T00:00:00Z"][..],
                "2025-01-31",
            ),
            (
                Kind::Timestamp,
                &[
                    "2025-01-31 12:30:00",
                    "2025-01-31T12:30:00Z",
                    "2025-01-31T13:30:00+01:00",
                    "2025-01-31T12:30:00.000",
                ],
                "2025-01-31 12:30:00",
            ),
            (Kind::Timestamp, &["2025-01-31"], "2025-01-31 00:00:00"),
            (Kind::BigInt, &["7", "7.0", " 7"], "7"),
            (Kind::Money, &["12.5", "12.50", "12.5000", "012.50"], "12.50"),
            (Kind::Money, &["-0.07"], "-0.07"),
            (Kind::Double, &["0.25", "0.2500", "2.5e-1"], "0.25"),
            (Kind::Boolean, &["true", "True", "1"], "true"),
            (Kind::Boolean, &["FALSE", "0"], "false"),
            (Kind::Text, &["a,\"b\""], "\"a,\"\"b\"\"\""),
        ] {
            for spelling in spellings {
                assert_eq!(canonical(kind, spelling).as_deref(), Ok(form), "{spelling}");
            }
        }
    }

    #[test]
    fn an_empty_cell_of_any_type_is_missing() {
        for kind in [Kind::Text, Kind::Date, Kind::Timestamp, Kind::BigInt, Kind::Money, Kind::Double, Kind::Boolean] {
            assert_eq!(parse(kind, ""), Ok(Cell::Missing));
        }
    }

    #[test]
    fn what_is_not_of_the_type_is_refused() {
        for (kind, texts) in [
            (Kind::Date, &["31.01.2025", "2025-02-30", "2025-01-31 10:00:00", "2025-1-31", "ä2025-01-3"][..]),
            (Kind::Timestamp, &["2025-01-31 25:00:00", "2025-01-31x", "yesterday", "2025-01-31T10:00:00+1"]),
            (Kind::BigInt, &["7.5", "seven", "99999999999999999999"]),
            (Kind::Money, &["1.005", "1,000", "$5", ".5", "1000000000000.00", "-"]),
            (Kind::Double, &["NaN", "inf", "1/2"]),
            (Kind::Boolean, &["yes", "t", "2"]),
        ] {
            for text in texts {
                assert!(parse(kind, text).is_err(), "{kind:?} {text}");
            }
        }
        assert_eq!(cents_of(12.345), None);
        assert_eq!(cents_of(0.1 + 0.2), Some(30));
    }
}
