//! The units of `date_diff`, `date_add` and `date_trunc`, and the arithmetic of instants in them.
//!
//! An instant is UTC microseconds. Months have different lengths: a day that a month lacks is that month's last.

use datafusion::{
    arrow::datatypes::{DataType, TimeUnit},
    common::{Result, ScalarValue, exec_datafusion_err, plan_err},
    logical_expr::ColumnarValue,
};
use metriccare_fhir::calendar::{self, DAY, Month};

/// A unit that instants are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A unit that always has the same length, in microseconds.
    Fixed(i64),
    /// A number of calendar months.
    Months(i64),
}

const WEEK: i64 = 7 * DAY;
/// 1970-01-01 was a Thursday: this is the Monday before.
const A_MONDAY: i64 = -3 * DAY;

impl Unit {
    /// The unit of a function's first argument.
    pub(super) fn of(argument: &ColumnarValue) -> Result<Unit> {
        let ColumnarValue::Scalar(ScalarValue::Utf8(Some(name))) = argument else {
            return plan_err!("the unit must be a text in quotes, such as 'day'");
        };
        Ok(match name.to_lowercase().as_str() {
            "millisecond" => Unit::Fixed(1_000),
            "second" => Unit::Fixed(1_000_000),
            "minute" => Unit::Fixed(60_000_000),
            "hour" => Unit::Fixed(3_600_000_000),
            "day" => Unit::Fixed(DAY),
            "week" => Unit::Fixed(WEEK),
            "month" => Unit::Months(1),
            "quarter" => Unit::Months(3),
            "year" => Unit::Months(12),
            other => {
                return plan_err!(
                    "{other:?} is no unit: it must be millisecond, second, minute, hour, day, week, month, quarter or year"
                );
            }
        })
    }

    /// The instant that many units later.
    pub(super) fn add(self, instant: i64, units: i64) -> Result<i64> {
        let later = match self {
            Unit::Fixed(length) => units.checked_mul(length).and_then(|by| instant.checked_add(by)),
            Unit::Months(months) => units.checked_mul(months).and_then(|by| months_later(instant, by)),
        };
        later.ok_or_else(|| exec_datafusion_err!("date_add: the time is out of range"))
    }

    /// The whole units from one instant to another; negative where the other is earlier.
    pub(super) fn between(self, from: i64, to: i64) -> i64 {
        let Unit::Months(months) = self else {
            let Unit::Fixed(length) = self else { return 0 };
            return to.saturating_sub(from) / length;
        };
        let month = |instant| {
            let (year, month, _) = calendar::civil(calendar::date_of(instant));
            i64::from(year) * 12 + i64::from(month)
        };
        let rough = month(to) - month(from);
        let reached = months_later(from, rough).unwrap_or(to);
        let early = (rough > 0 && reached > to) as i64;
        let late = (rough < 0 && reached < to) as i64;
        (rough - early + late) / months
    }

    /// The beginning of the unit that an instant lies in.
    pub(super) fn begin(self, instant: i64) -> i64 {
        match self {
            Unit::Fixed(WEEK) => instant.saturating_sub(instant.saturating_sub(A_MONDAY).rem_euclid(WEEK)),
            Unit::Fixed(length) => instant.saturating_sub(instant.rem_euclid(length)),
            Unit::Months(months) => {
                let (year, month, _) = calendar::civil(calendar::date_of(instant));
                let first = (i64::from(month) - 1) / months * months + 1;
                i64::from(calendar::date(year, first as u32, 1)).saturating_mul(DAY)
            }
        }
    }
}

/// The same day and time of day some months later; none outside the years that a date can have.
fn months_later(instant: i64, months: i64) -> Option<i64> {
    let (year, month, day) = calendar::civil(calendar::date_of(instant));
    let places = (i64::from(year) * 12 + i64::from(month) - 1).checked_add(months)?;
    let year = i32::try_from(places.div_euclid(12)).ok().filter(|year| year.abs() < 100_000)?;
    let first = calendar::date(year, places.rem_euclid(12) as u32 + 1, 1);
    let last = Month::of(first).last_day();
    let date = (first + day as i32 - 1).min(last);
    i64::from(date).checked_mul(DAY)?.checked_add(instant.rem_euclid(DAY))
}

/// The type that a function reads an argument of dates or times as: dates stay dates.
pub(super) fn instant_type(function: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Date32 | DataType::Null => Ok(DataType::Date32),
        DataType::Date64 | DataType::Timestamp(..) => Ok(DataType::Timestamp(TimeUnit::Microsecond, None)),
        other => plan_err!("{function} takes a date or a timestamp, not {other}: CAST it first"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> i64 {
        i64::from(calendar::date(year, month, day)) * DAY
    }

    #[test]
    fn a_month_from_its_last_day_ends_on_the_last_day() {
        let month = Unit::Months(1);
        assert_eq!(month.add(day(2025, 1, 31), 1).expect("in range"), day(2025, 2, 28));
        assert_eq!(month.add(day(2024, 3, 31), -1).expect("in range"), day(2024, 2, 29));
        assert_eq!(Unit::Months(12).add(day(2024, 2, 29), 1).expect("in range"), day(2025, 2, 28));
        assert!(month.add(0, i64::MAX).is_err() && Unit::Fixed(DAY).add(0, i64::MAX).is_err());
    }

    #[test]
    fn only_whole_units_count() {
        let month = Unit::Months(1);
        assert_eq!(month.between(day(2025, 1, 15), day(2025, 2, 14)), 0);
        assert_eq!(month.between(day(2025, 1, 15), day(2025, 2, 15)), 1);
        assert_eq!(month.between(day(2025, 2, 15), day(2025, 1, 16)), 0);
        assert_eq!(month.between(day(2025, 2, 15), day(2025, 1, 15)), -1);
        assert_eq!(Unit::Months(12).between(day(2024, 3, 1), day(2026, 2, 28)), 1);
        assert_eq!(Unit::Fixed(DAY).between(0, 2 * DAY - 1), 1);
        assert_eq!(Unit::Fixed(DAY).between(2 * DAY - 1, 0), -1);
    }

    #[test]
    fn weeks_begin_on_monday_and_quarters_in_their_first_month() {
        assert_eq!(Unit::Fixed(WEEK).begin(day(2025, 3, 2)), day(2025, 2, 24));
        assert_eq!(Unit::Fixed(WEEK).begin(day(1969, 12, 29)), day(1969, 12, 29));
        assert_eq!(Unit::Months(3).begin(day(2025, 12, 31) + 5), day(2025, 10, 1));
        assert_eq!(Unit::Months(12).begin(day(1960, 2, 29)), day(1960, 1, 1));
        assert_eq!(Unit::Fixed(DAY).begin(-1), -DAY);
    }
}
