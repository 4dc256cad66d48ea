//! The simulated year: its bounds, and on which days people come.
//!
//! Respiratory disease peaks in winter, infections of skin and urine and heat in summer; planned operations and clinics
//! keep to working days, emergencies hardly do. Each rhythm is a cumulative distribution over the days of the year.

use metriccare_fhir::calendar::{Date, Instant};

use crate::stream::Stream;

/// How a kind of event is spread over the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rhythm {
    /// Any day, hardly fewer at weekends.
    Acute = 0,
    /// As acute, more in winter.
    Winter = 1,
    /// As acute, more in summer.
    Summer = 2,
    /// Planned stays: working days, most in the first half of the week.
    Planned = 3,
    /// Clinics: working days.
    Clinic = 4,
}

const WEEK: [[f64; 7]; 5] = [
    [1.08, 1.03, 1.01, 1.00, 1.02, 0.94, 0.92],
    [1.08, 1.03, 1.01, 1.00, 1.02, 0.94, 0.92],
    [1.08, 1.03, 1.01, 1.00, 1.02, 0.94, 0.92],
    [1.45, 1.50, 1.40, 1.30, 1.05, 0.08, 0.05],
    [1.25, 1.25, 1.15, 1.10, 0.95, 0.12, 0.02],
];

const SEASON: [[f64; 12]; 5] = [
    [1.03, 1.02, 1.01, 1.00, 0.99, 0.98, 0.99, 0.99, 0.99, 1.00, 1.00, 1.01],
    [1.48, 1.36, 1.18, 0.97, 0.85, 0.74, 0.70, 0.72, 0.84, 0.96, 1.08, 1.32],
    [0.88, 0.88, 0.93, 0.98, 1.04, 1.12, 1.16, 1.15, 1.07, 0.98, 0.92, 0.89],
    [0.99, 1.01, 1.04, 1.03, 1.02, 1.02, 0.97, 1.00, 1.01, 1.04, 1.00, 0.87],
    [1.02, 1.02, 1.04, 1.02, 1.00, 0.98, 0.95, 0.99, 1.01, 1.03, 0.99, 0.95],
];

/// One simulated year.
#[derive(Clone, Debug)]
pub(crate) struct Year {
    first: Date,
    days: i32,
    cumulative: [Vec<f64>; 5],
}

impl Year {
    /// The days of a year.
    pub(crate) fn new(year: i32) -> Year {
        let first = Date::from_ymd(year, 1, 1);
        let days = Date::from_ymd(year + 1, 1, 1).0 - first.0;
        let cumulative = std::array::from_fn(|rhythm| {
            let mut sum = 0.0;
            let mut table: Vec<f64> = (0..days)
                .map(|day| {
                    let date = Date(first.0 + day);
                    sum += WEEK[rhythm][weekday(date)] * SEASON[rhythm][date.ymd().1 as usize - 1];
                    sum
                })
                .collect();
            for value in &mut table {
                *value /= sum;
            }
            table
        });
        Year { first, days, cumulative }
    }

    /// The year's first date.
    pub(crate) fn first(&self) -> Date {
        self.first
    }

    /// The number of days of the year.
    pub(crate) fn days(&self) -> i32 {
        self.days
    }

    /// The first instant that belongs to the next year.
    pub(crate) fn end(&self) -> Instant {
        Date(self.first.0 + self.days).midnight()
    }

    /// A day of the year by a rhythm.
    pub(crate) fn pick(&self, rhythm: Rhythm, stream: &mut Stream) -> Date {
        let u = stream.unit();
        let table = &self.cumulative[rhythm as usize];
        let at = table.partition_point(|&sum| sum <= u);
        Date(self.first.0 + (at as i32).min(self.days - 1))
    }
}

/// The day of the week, 0 for Monday.
pub(crate) fn weekday(date: Date) -> usize {
    (date.0 + 3).rem_euclid(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clinic_visits_fall_on_working_days_and_pneumonia_in_winter() {
        let year = Year::new(2024);
        assert_eq!((year.days(), weekday(year.first())), (366, 0));
        let mut stream = Stream::new(1, 2024, 0, crate::stream::Purpose::Visits);
        let sundays = (0..5_000).filter(|_| weekday(year.pick(Rhythm::Clinic, &mut stream)) == 6).count();
        assert!(sundays < 60, "{sundays}");
        let months: Vec<u32> = (0..5_000).map(|_| year.pick(Rhythm::Winter, &mut stream).ymd().1).collect();
        let in_month = |month| months.iter().filter(|&&m| m == month).count();
        assert!(in_month(1) > in_month(7) * 3 / 2);
    }
}
