//! gold/length_of_stay: mean, median and geometric mean days of discharged stays, from the histogram of days.

use bytes::Bytes;

use crate::gold::rows::TableRows;
use crate::gold::totals::{LakeTotals, rate};
use crate::schema::GOLD_LENGTH_OF_STAY;
use crate::table_file::FileError;

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_LENGTH_OF_STAY, totals.inputs);
    let lengths: Vec<_> =
        totals.sums.lengths.iter().map(|((h, d, month, days), stays)| ((h, d, month), (*days, *stays))).collect();
    for cell in lengths.chunk_by(|(a, _), (b, _)| a == b) {
        let (hospital, department, month) = cell[0].0;
        let histogram: Vec<(i64, i64)> = cell.iter().map(|(_, bar)| *bar).collect();
        let discharges = histogram.iter().map(|(_, stays)| stays).sum::<i64>();
        let total = total_days(&histogram);
        rows.push([
            totals.name(*hospital).into(),
            totals.name(*department).into(),
            month.to_string().as_str().into(),
            discharges.into(),
            total.into(),
            rate(total, discharges).into(),
            median(&histogram).into(),
            geometric_mean(&histogram).into(),
        ])?;
    }
    rows.finish()
}

/// Days of all stays of a histogram of (days, stays).
pub(super) fn total_days(histogram: &[(i64, i64)]) -> i64 {
    histogram.iter().fold(0, |total: i64, (days, stays)| total.saturating_add(days.saturating_mul(*stays)))
}

/// The median: of an even number of stays the mean of the two middle ones.
fn median(histogram: &[(i64, i64)]) -> Option<f64> {
    let stays: i64 = histogram.iter().map(|(_, stays)| stays).sum();
    if stays <= 0 {
        return None;
    }
    let nth = |place: i64| {
        let mut passed = 0;
        let bar = histogram.iter().find(|(_, stays)| {
            passed += stays;
            passed > place
        });
        bar.map(|(days, _)| *days as f64)
    };
    Some((nth((stays - 1) / 2)? + nth(stays / 2)?) / 2.0)
}

/// The geometric mean, from the logarithms in ascending order of days.
fn geometric_mean(histogram: &[(i64, i64)]) -> Option<f64> {
    let stays: i64 = histogram.iter().map(|(_, stays)| stays).sum();
    let logs: f64 = histogram.iter().map(|(days, stays)| *stays as f64 * libm::log(*days as f64)).sum();
    (stays > 0).then(|| libm::exp(logs / stays as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_histogram_gives_the_three_means() {
        let histogram = [(1, 2), (2, 1), (4, 3)];
        assert_eq!(total_days(&histogram), 16);
        assert_eq!(median(&histogram), Some(3.0));
        assert_eq!(median(&[(1, 1), (5, 1), (9, 1)]), Some(5.0));
        let expected = libm::pow(128.0, 1.0 / 6.0);
        assert!((geometric_mean(&histogram).unwrap() - expected).abs() < 1e-12);
        assert_eq!(median(&[]), None);
        assert_eq!(geometric_mean(&[]), None);
    }
}
