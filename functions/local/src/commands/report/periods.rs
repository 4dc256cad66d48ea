//! The time axis of the trends: months where there are few, years where there are many.
//!
//! Months without data stay on the axis, so that a gap is seen as a gap.

use std::collections::BTreeSet;

/// Months up to this number are shown one by one.
const MONTHS: usize = 30;
/// Years up to this number are drawn; older ones stand in the tables alone.
const YEARS: usize = 50;

/// The periods of a trend, in order.
pub(super) struct Periods {
    /// `2025-01` or `2025`.
    names: Vec<String>,
    provisional: Vec<bool>,
    yearly: bool,
    /// Whether there is data before the first period.
    pub(super) cut: bool,
}

impl Periods {
    /// The periods that hold the months; `provisional` says which months are.
    pub(super) fn of<'a>(months: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        let (mut found, mut open) = (BTreeSet::new(), BTreeSet::new());
        for (month, provisional) in months {
            if let Some(number) = number(month) {
                found.insert(number);
                if provisional {
                    open.insert(number);
                }
            }
        }
        let (Some(&first), Some(&last)) = (found.first(), found.last()) else {
            return Periods { names: Vec::new(), provisional: Vec::new(), yearly: false, cut: false };
        };
        if (last - first) < MONTHS as i32 {
            let names =
                (first..=last).map(|n| format!("{:04}-{:02}", n.div_euclid(12), n.rem_euclid(12) + 1)).collect();
            let provisional = (first..=last).map(|month| open.contains(&month)).collect();
            return Periods { names, provisional, yearly: false, cut: false };
        }
        let year = |month: i32| month.div_euclid(12);
        let oldest = year(first).max(year(last) - YEARS as i32 + 1);
        let years = oldest..=year(last);
        Periods {
            names: years.clone().map(|year| format!("{year:04}")).collect(),
            provisional: years.map(|y| open.iter().any(|month| year(*month) == y)).collect(),
            yearly: true,
            cut: oldest > year(first),
        }
    }

    /// The place of a month's period; none where it is not shown.
    pub(super) fn place(&self, month: &str) -> Option<usize> {
        let name = if self.yearly { month.get(..4)? } else { month };
        self.names.binary_search_by(|known| known.as_str().cmp(name)).ok()
    }

    /// The names of the periods.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether outcomes of each period may still be to come.
    pub(super) fn provisional(&self) -> &[bool] {
        &self.provisional
    }

    /// `month` or `year`.
    pub(super) fn noun(&self) -> &'static str {
        if self.yearly { "year" } else { "month" }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Adds counts up by period: each item is a month and its counts.
    pub(super) fn sums<'a, const N: usize>(&self, items: impl Iterator<Item = (&'a str, [i64; N])>) -> Vec<[i64; N]> {
        let mut sums = vec![[0; N]; self.len()];
        for (month, counts) in items {
            if let Some(sum) = self.place(month).and_then(|place| sums.get_mut(place)) {
                for (sum, count) in sum.iter_mut().zip(counts) {
                    *sum += count;
                }
            }
        }
        sums
    }
}

/// A month as a number that can be counted on; none for a text that is no month.
fn number(month: &str) -> Option<i32> {
    let (year, month) = month.split_once('-')?;
    let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
    (1..=12).contains(&month).then_some(year * 12 + month - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_months_are_shown_with_their_gaps() {
        let periods = Periods::of([("2025-11", false), ("2026-02", true)]);
        assert_eq!(periods.names(), ["2025-11", "2025-12", "2026-01", "2026-02"]);
        assert_eq!(periods.provisional(), [false, false, false, true]);
        assert_eq!(periods.sums([("2026-02", [2]), ("2026-02", [3])].into_iter()), [[0], [0], [0], [5]]);
    }

    #[test]
    fn many_months_are_shown_by_year_and_a_slip_of_the_pen_does_not_stretch_the_axis() {
        let periods = Periods::of([("0202-01", false), ("1985-11", false), ("2026-02", true)]);
        assert_eq!((periods.len(), periods.noun(), periods.cut), (50, "year", true));
        assert_eq!(periods.place("2026-02"), Some(49));
        assert_eq!(periods.place("0202-01"), None);
    }

    #[test]
    fn no_data_is_no_period() {
        assert_eq!(Periods::of([("when", false)]).len(), 0);
    }
}
