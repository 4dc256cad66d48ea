//! Which of two versions of a resource is the later one.
//!
//! The order is total: (lastUpdated, versionId, deletion, landed time, content), a missing value lowest, and where all
//! five agree the remaining columns, so that the winner never depends on the order of arrival. (The same bytes may
//! land twice at one time with different Organizations beside them, and so with different hospital names.)
//! [`VersionOrder`] compares rows; [`Version`] is the part of it that is kept apart from the row.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::DataType;

use crate::keys::hex;
use crate::table_file::{Columns, FileError};

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

    /// Compares two rows of one resource; equal only where they are the same in every column.
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
        DataType::Boolean => column.as_boolean().value(a).cmp(&column.as_boolean().value(b)),
        // Silver has no other column of its own; one would have to be compared here.
        _ => Ordering::Equal,
    }
}

/// Compares versionIds: missing, then numbers by size whatever their length, then text.
fn compare_version_ids(a: Option<&str>, b: Option<&str>) -> Ordering {
    version_id_key(a).cmp(&version_id_key(b))
}

fn version_id_key(id: Option<&str>) -> (u8, usize, &str) {
    match id.filter(|id| !id.is_empty()) {
        None => (0, 0, ""),
        Some(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
            let digits = id.trim_start_matches('0');
            (1, digits.len(), digits)
        }
        Some(id) => (2, 0, id),
    }
}

/// Where a version stands among the versions of its resource, as far as that does not depend on the rest of the row.
///
/// The fields are compared in their order. The patient is the first of the remaining columns after the id: two rows
/// that agree in all of this have the same patient, and so the same bucket, where their other columns decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// `meta.lastUpdated`, in UTC microseconds; of a deletion, its time.
    pub last_updated: Option<i64>,
    /// `meta.versionId`.
    pub version_id: VersionId,
    /// Whether this version says that the resource is gone.
    pub deletion: bool,
    /// When it landed, in UTC microseconds.
    pub precombine_ts: Option<i64>,
    /// The fingerprint of the resource's bytes.
    pub content_id: ContentId,
    /// The patient.
    pub patient_id: Option<Box<str>>,
}

/// A versionId as it is compared: missing, then numbers by size, then text, then that of a deletion without one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VersionId {
    /// There is none.
    Missing,
    /// Digits, as a number.
    Number(u64),
    /// Digits of a number that is too great for 64 bits: how many, and which.
    Long(usize, Box<str>),
    /// Any other text.
    Text(Box<str>),
    /// That of a deletion that names none: it is the last at its time.
    LastAtItsTime,
}

impl VersionId {
    /// The versionId of content.
    pub fn new(text: Option<&str>) -> Self {
        match version_id_key(text) {
            (0, ..) => VersionId::Missing,
            (1, 0, _) => VersionId::Number(0),
            (1, length, digits) => {
                digits.parse().map_or_else(|_| VersionId::Long(length, digits.into()), VersionId::Number)
            }
            (_, _, text) => VersionId::Text(text.into()),
        }
    }

    /// The versionId of a deletion.
    pub fn of_deletion(text: Option<&str>) -> Self {
        match VersionId::new(text) {
            VersionId::Missing => VersionId::LastAtItsTime,
            named => named,
        }
    }
}

/// A `content_id` as it is compared: as text, which fingerprints in lower-case hex need not be to sort the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentId {
    /// There is none.
    Missing,
    /// A fingerprint of 128 bits.
    Fingerprint([u8; 16]),
    /// Any other text.
    Text(Box<str>),
}

impl ContentId {
    /// A row's `content_id`.
    pub fn new(text: Option<&str>) -> Self {
        let Some(text) = text else { return ContentId::Missing };
        fingerprint(text).map_or_else(|| ContentId::Text(text.into()), ContentId::Fingerprint)
    }

    fn text(&self) -> Option<String> {
        match self {
            ContentId::Missing => None,
            ContentId::Fingerprint(bytes) => Some(hex(bytes)),
            ContentId::Text(text) => Some(text.to_string()),
        }
    }
}

impl Ord for ContentId {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (ContentId::Fingerprint(a), ContentId::Fingerprint(b)) => a.cmp(b),
            _ => self.text().cmp(&other.text()),
        }
    }
}

impl PartialOrd for ContentId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The bytes of 32 lower-case hexadecimal digits; none of any other text.
fn fingerprint(text: &str) -> Option<[u8; 16]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 16];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// The columns of rows that make a [`Version`].
pub(super) struct VersionColumns<'a> {
    last_updated: &'a TimestampMicrosecondArray,
    version_id: &'a StringArray,
    precombine_ts: &'a TimestampMicrosecondArray,
    content_id: &'a StringArray,
    patient_id: &'a StringArray,
}

impl<'a> VersionColumns<'a> {
    /// The columns of bronze or conformed rows.
    pub(super) fn new(columns: Columns<'a>) -> Result<Self, FileError> {
        Ok(VersionColumns {
            last_updated: columns.time("last_updated")?,
            version_id: columns.text("version_id")?,
            precombine_ts: columns.time("precombine_ts")?,
            content_id: columns.text("content_id")?,
            patient_id: columns.text("patient_id")?,
        })
    }

    /// The version of a row.
    pub(super) fn version(&self, row: usize) -> Version {
        fn text(column: &StringArray, row: usize) -> Option<&str> {
            column.is_valid(row).then(|| column.value(row))
        }
        let time = |column: &TimestampMicrosecondArray| column.is_valid(row).then(|| column.value(row));
        Version {
            last_updated: time(self.last_updated),
            version_id: VersionId::new(text(self.version_id, row)),
            deletion: false,
            precombine_ts: time(self.precombine_ts),
            content_id: ContentId::new(text(self.content_id, row)),
            patient_id: text(self.patient_id, row).map(Into::into),
        }
    }
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
                assert_eq!(VersionId::new(*a).cmp(&VersionId::new(*b)), i.cmp(&j), "{a:?} {b:?}");
            }
        }
        assert_eq!(compare_version_ids(Some("007"), Some("7")), Ordering::Equal);
        assert_eq!(VersionId::new(Some("007")), VersionId::new(Some("7")));
    }

    #[test]
    fn a_deletion_without_a_version_is_the_last_at_its_time() {
        for other in [None, Some("7"), Some("99999999999999999999999999"), Some("z")] {
            assert!(VersionId::of_deletion(None) > VersionId::new(other), "{other:?}");
        }
        assert_eq!(VersionId::of_deletion(Some("7")), VersionId::new(Some("7")));
    }

    #[test]
    fn content_ids_are_compared_as_text() {
        let texts = [
            None,
            Some(""),
            Some("0"),
            Some("00ff00ff00ff00ff00ff00ff00ff00fe"),
            Some("00ff00ff00ff00ff00ff00ff00ff00ff"),
            Some("00fz"),
            Some("b"),
        ];
        for (i, a) in texts.iter().enumerate() {
            for (j, b) in texts.iter().enumerate() {
                assert_eq!(ContentId::new(*a).cmp(&ContentId::new(*b)), i.cmp(&j), "{a:?} {b:?}");
            }
        }
        assert!(matches!(ContentId::new(texts[3]), ContentId::Fingerprint(_)));
    }
}
