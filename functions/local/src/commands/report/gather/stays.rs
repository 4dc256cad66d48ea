//! What the stay ledger says when its rows are counted: lengths, verdicts, and why a return is no readmission.

use std::collections::BTreeMap;

use crate::lake::rows::Rows;

/// The stay ledger, counted.
#[derive(Default)]
pub(in crate::commands::report) struct Stays {
    /// All stays.
    pub(in crate::commands::report) stays: i64,
    /// Stays by their length in days.
    pub(in crate::commands::report) lengths: BTreeMap<i64, i64>,
    /// Stays by index_status: the all-payer denominator and what is left out of it.
    pub(in crate::commands::report) index_status: BTreeMap<String, i64>,
    /// Stays by hwr_status: the same for patients of 65 and over.
    pub(in crate::commands::report) hwr_status: BTreeMap<String, i64>,
    /// Stays with a return within 30 days, by index_status.
    pub(in crate::commands::report) returned: BTreeMap<String, i64>,
    /// Index stays with a planned first return within 30 days.
    pub(in crate::commands::report) planned_returns: i64,
    /// Readmitted index stays.
    pub(in crate::commands::report) readmitted: i64,
    /// Readmitted index stays of the 65-plus definition.
    pub(in crate::commands::report) hwr_readmitted: i64,
}

impl Stays {
    pub(super) fn count(ledger: &Rows) -> Self {
        let mut counted = Stays::default();
        let add = |map: &mut BTreeMap<String, i64>, name: &str| match map.get_mut(name) {
            Some(count) => *count += 1,
            None => _ = map.insert(name.to_owned(), 1),
        };
        for stay in ledger.iter() {
            counted.stays += 1;
            *counted.lengths.entry(stay.count("length_days")).or_default() += 1;
            let index = stay.text("index_status").unwrap_or_default();
            let hwr = stay.text("hwr_status").unwrap_or_default();
            let (returned, readmitted) = (stay.flag("naive_readmitted"), stay.flag("readmitted"));
            add(&mut counted.index_status, index);
            add(&mut counted.hwr_status, hwr);
            if returned {
                add(&mut counted.returned, index);
            }
            counted.planned_returns += i64::from(returned && index == "index" && !readmitted);
            counted.readmitted += i64::from(readmitted);
            counted.hwr_readmitted += i64::from(readmitted && hwr == "index");
        }
        counted
    }

    /// The mean of the two middle lengths.
    pub(in crate::commands::report) fn median(&self) -> Option<f64> {
        let at = |place: i64| {
            let mut before = 0;
            self.lengths.iter().find_map(|(days, stays)| {
                before += stays;
                (before > place).then_some(*days as f64)
            })
        };
        Some((at((self.stays - 1) / 2)? + at(self.stays / 2)?) / 2.0)
    }

    /// Days of all stays.
    pub(in crate::commands::report) fn total_days(&self) -> i64 {
        self.lengths.iter().map(|(days, stays)| days * stays).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_mean_of_the_two_middle_lengths() {
        let of = |lengths: &[(i64, i64)]| {
            let lengths: BTreeMap<_, _> = lengths.iter().copied().collect();
            Stays { stays: lengths.values().sum(), lengths, ..Stays::default() }.median()
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(3, 1)]), Some(3.0));
        assert_eq!(of(&[(1, 2), (4, 2)]), Some(2.5));
        assert_eq!(of(&[(1, 2), (4, 3)]), Some(4.0));
    }
}
