//! Refuses worlds that bronze would quarantine: no time may lie more than a year after the day on which its object lands.
//!
//! A local `run` stamps its objects with the world's own time, so that any year is possible there.

#[cfg(any(test, feature = "aws"))]
use std::path::Path;

#[cfg(any(test, feature = "aws"))]
use metriccare_fhir::read::time;
use metriccare_fhir::write::Date;
use metriccare_ports::{Clock, SystemClock};

use crate::output::failure::Failure;

/// The most days that a time may lie after the day of landing.
const DAYS_AHEAD: i32 = 366;

/// Refuses a year that ends too late to land today.
pub(crate) fn check_year(year: i32) -> Result<(), Failure> {
    let last = last_day(&SystemClock);
    if Date::from_ymd(year, 12, 31).0 <= last.0 {
        return Ok(());
    }
    let allowed = if last == Date::from_ymd(last.ymd().0, 12, 31) { last.ymd().0 } else { last.ymd().0 - 1 };
    Err(Failure::usage(format!(
        "year is {year}: it ends more than {DAYS_AHEAD} days after today, so its encounters would be quarantined as \
         implausible when they land; the last possible year is {allowed} (`metriccare run` takes any year)"
    )))
}

/// Refuses a generated file below `YYYY/MM/DD` of a day that is too late to land today.
#[cfg(any(test, feature = "aws"))]
pub(crate) fn check_file(path: &Path, name: &str) -> Result<(), Failure> {
    let parts: Vec<&str> = name.split('/').collect();
    let day = parts.windows(3).find_map(|part| time::parse_date(&part.join("-")));
    match day {
        Some(day) if day > last_day(&SystemClock).0 => Err(Failure::usage(format!(
            "{}: its day is more than {DAYS_AHEAD} days after today, so its encounters would be quarantined as implausible",
            path.display()
        ))),
        _ => Ok(()),
    }
}

fn last_day(clock: &dyn Clock) -> Date {
    let today = clock.now_micros().div_euclid(86_400_000_000);
    Date(i32::try_from(today).unwrap_or(i32::MAX / 2) + DAYS_AHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_more_than_a_year_ahead_is_refused() {
        assert!(check_year(2025).is_ok());
        let refused = check_year(2199).expect_err("too late").to_string();
        assert!(refused.starts_with("year is 2199: it ends more than 366 days after today"), "{refused}");
        let path = Path::new("out/patient/2199/12/31/p.ndjson");
        assert!(check_file(path, "patient/2199/12/31/p.ndjson").is_err());
        assert!(check_file(path, "patient/2025/12/31/p.ndjson").is_ok() && check_file(path, "p.ndjson").is_ok());
    }
}
