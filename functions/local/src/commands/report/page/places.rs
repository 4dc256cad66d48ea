//! Hospitals and departments as they are shown: the largest by name, the rest summed.

use std::collections::BTreeMap;

use crate::commands::report::gather::{Row, Rows};

/// Hospitals that a chart shows by name.
pub(super) const SHOWN: usize = 20;

/// Counts by a text column, the greatest first count first.
pub(super) fn by<const N: usize>(
    rows: &Rows,
    column: &str,
    keep: impl Fn(&Row<'_>) -> bool,
    counts: [&str; N],
) -> Vec<(Option<String>, [i64; N])> {
    let mut sums: BTreeMap<Option<&str>, [i64; N]> = BTreeMap::new();
    for row in rows.iter().filter(keep) {
        let sum = sums.entry(row.text(column)).or_insert([0; N]);
        for (sum, count) in sum.iter_mut().zip(counts) {
            *sum += row.count(count);
        }
    }
    let mut sums: Vec<_> = sums.into_iter().map(|(name, sum)| (name.map(str::to_owned), sum)).collect();
    // A stable sort: what is equal stays in the order of its name.
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.first().copied()));
    sums
}

/// Counts by hospital.
pub(super) fn hospitals<const N: usize>(
    rows: &Rows,
    keep: impl Fn(&Row<'_>) -> bool,
    counts: [&str; N],
) -> Vec<(Option<String>, [i64; N])> {
    by(rows, "hospital_name", keep, counts)
}

/// The first `most` by name, and the rest in one row that says how many they are.
pub(super) fn top<const N: usize>(
    all: &[(Option<String>, [i64; N])],
    most: usize,
    unnamed: &str,
    others: &str,
) -> Vec<(String, [i64; N])> {
    // One that is left over is shown by name: a row for "1 other" would save nothing.
    let shown = if all.len() <= most + 1 { all.len() } else { most };
    let (named, rest) = all.split_at(shown);
    let mut rows: Vec<_> = named.iter().map(|(name, counts)| (name_or(name.as_deref(), unnamed), *counts)).collect();
    if !rest.is_empty() {
        let mut sum = [0; N];
        for (_, counts) in rest {
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        rows.push((format!("{} other {others}", rest.len()), sum));
    }
    rows
}

/// A name, or what is said where there is none.
pub(super) fn name_or(name: Option<&str>, unnamed: &str) -> String {
    name.unwrap_or(unnamed).to_owned()
}

/// What is said of a stay whose hospital is not known.
pub(super) const NO_HOSPITAL: &str = "Hospital not recorded";
/// What is said of an encounter whose department is not known.
pub(super) const NO_DEPARTMENT: &str = "Department not recorded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_summed_and_nothing_is_lost() {
        let all: Vec<_> = (0..10).map(|n| (Some(format!("h{n}")), [10 - n])).collect();
        let shown = top(&all, 3, "none", "hospitals");
        assert_eq!(shown.len(), 4);
        assert_eq!(shown[3], ("7 other hospitals".to_owned(), [28]));
        assert_eq!(top(&all, 9, "none", "hospitals").len(), 10);
        assert_eq!(top(&[(None, [1])], 9, "none", "hospitals"), [("none".to_owned(), [1])]);
    }
}
