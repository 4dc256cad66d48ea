//! Which of two versions of a resource is the later one.
//!
//! The order is total over rows: (lastUpdated, versionId, landed time, content), a missing value lowest, and where all
//! four agree the remaining columns, so that the winner never depends on the order of arrival. (The same bytes may
//! land twice at one time with different Organizations beside them, and so with different hospital names.)

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;

/// The columns that decide, before all others.
const DECIDING: [&str; 4] = ["last_updated", "version_id", "precombine_ts", "content_id"];

/// Compares rows of one batch as versions of a resource.
pub(super) struct VersionOrder<'a> {
    deciding: Vec<&'a ArrayRef>,
    rest: &'a [ArrayRef],
}

impl<'a> VersionOrder<'a> {
    /// The order of a batch of conformed rows.
    pub(super) fn new(rows: &'a RecordBatch) -> Self {
        VersionOrder {
            deciding: DECIDING.iter().filter_map(|name| rows.column_by_name(name)).collect(),
            rest: rows.columns(),
        }
    }

    /// Compares two rows; equal only where they are the same in every column.
    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        let deciding = self.deciding.iter().zip(DECIDING).map(|(column, name)| {
            if name == "version_id" {
                compare_version_ids(text(column, a), text(column, b))
            } else {
                compare_cells(column, a, b)
            }
        });
        let rest = self.rest.iter().map(|column| compare_cells(column, a, b));
        deciding.chain(rest).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

fn text(column: &ArrayRef, row: usize) -> Option<&str> {
    let column = column.as_string_opt::<i32>()?;
    column.is_valid(row).then(|| column.value(row))
}

fn compare_cells(column: &ArrayRef, a: usize, b: usize) -> Ordering {
    match (column.is_valid(a), column.is_valid(b)) {
        (true, true) => {}
        (a, b) => return a.cmp(&b),
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(a).cmp(column.as_string::<i32>().value(b)),
        DataType::Timestamp(..) => {
            let column = column.as_primitive::<TimestampMicrosecondType>();
            column.value(a).cmp(&column.value(b))
        }
        DataType::Date32 => {
            column.as_primitive::<Date32Type>().value(a).cmp(&column.as_primitive::<Date32Type>().value(b))
        }
        // Silver has no other column of its own; one would have to be compared here.
        _ => Ordering::Equal,
    }
}

/// Compares versionIds: missing, then numbers by size whatever their length, then text.
fn compare_version_ids(a: Option<&str>, b: Option<&str>) -> Ordering {
    fn key(id: Option<&str>) -> (u8, usize, &str) {
        match id.filter(|id| !id.is_empty()) {
            None => (0, 0, ""),
            Some(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
                let digits = id.trim_start_matches('0');
                (1, digits.len(), digits)
            }
            Some(id) => (2, 0, id),
        }
    }
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_ids_are_numbers_before_they_are_text() {
        let ordered = [
            None,
            Some("0"),
            Some("2"),
            Some("10"),
            Some("99999999999999999999999999"),
            Some("100000000000000000000000000"),
            Some("1a"),
            Some("a"),
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(compare_version_ids(*a, *b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
        assert_eq!(compare_version_ids(Some("007"), Some("7")), Ordering::Equal);
    }
}
