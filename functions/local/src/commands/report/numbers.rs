//! Numbers as people read them: thousands apart, a fixed number of decimals, a dash where there is none.

use crate::output;

/// What stands where a rate has no denominator.
pub(super) const NONE: &str = "–";

/// `1,234`; `−1,234` below zero.
pub(super) fn count(number: i64) -> String {
    let digits = output::count(number.unsigned_abs());
    if number < 0 { format!("−{digits}") } else { digits }
}

/// `12.3 %`, the space not to be broken at.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}

/// A number with so many decimals.
pub(super) fn decimal(number: f64, decimals: usize) -> String {
    format!("{number:.decimals$}")
}

/// What a number is written as, or a dash.
pub(super) fn or_none<T>(number: Option<T>, write: impl FnOnce(T) -> String) -> String {
    number.map_or_else(|| NONE.to_owned(), write)
}

/// A share of two counts; none where the denominator is 0.
pub(super) fn rate(numerator: i64, denominator: i64) -> Option<f64> {
    (denominator > 0).then(|| numerator as f64 / denominator as f64)
}

/// `1 stay`, `2 stays`.
pub(super) fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(count(-1234), "−1,234");
        assert_eq!(percent(0.1344), "13.4\u{a0}%");
        assert_eq!(or_none(rate(1, 0), percent), NONE);
        assert_eq!(counted(1, "stay", "stays"), "1 stay");
    }
}
