//! Compacted bronze files: the rows of many landed objects in one file, and the rows of one object read back from it.
//!
//! A row says by its columns `sourcename` and `precombine_ts` of which object it is, and no compacted file holds two objects of
//! the same key and time. So a file may lose the rows of one object without anything else having to change.

use std::collections::BTreeSet;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use bytes::Bytes;
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    file::{metadata::RowGroupMetaData, properties::WriterProperties},
};

use super::{ObjectRows, properties::properties};
use crate::{
    schema::Table,
    table_file::{Columns, FileError, guarded},
};

/// Rows that are decoded together.
const BATCH: usize = 8 * 1024;

/// A file that is compacted: its bytes, and the landed object that all its rows are of.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its Parquet bytes.
    pub bytes: Bytes,
    /// The object.
    pub object: ObjectRows,
    /// The rows that the object's commit counts.
    pub rows: u64,
}

/// What compaction makes of files.
#[derive(Clone, Debug)]
pub struct Compacted {
    /// The Parquet bytes of all rows.
    pub bytes: Bytes,
    /// Their number.
    pub rows: u64,
}

/// Puts the rows of files into one, in the order of the members. The same members always make the same bytes.
///
/// # Errors
/// A file that cannot be read, has rows of another object, or other rows than its commit counts; nothing is written then.
pub fn compact(table: &'static Table, members: impl IntoIterator<Item = Member>) -> Result<Compacted, FileError> {
    let mut writer = Writer::new(table, properties(table, &[]))?;
    for member in members {
        let of_object = BTreeSet::from([member.object]);
        let mut rows = 0;
        each_batch(
            table,
            &member.bytes,
            |_| true,
            |batch| {
                if mask(table, batch, &of_object)?.true_count() != batch.num_rows() {
                    return Err(FileError::Damaged { table: table.path });
                }
                rows += batch.num_rows() as u64;
                writer.write(batch)
            },
        )?;
        if rows != member.rows {
            return Err(FileError::Damaged { table: table.path });
        }
    }
    writer.finish()
}

/// The rows of some objects in a compacted file, as a file of its own.
///
/// # Errors
/// What is no file of the table.
pub fn rows_of(table: &'static Table, bytes: &Bytes, objects: &BTreeSet<ObjectRows>) -> Result<Bytes, FileError> {
    Ok(select(table, bytes, objects, true)?.bytes)
}

/// A compacted file without the rows of some objects; none where it has none of them.
///
/// # Errors
/// What is no file of the table.
pub fn without_rows(
    table: &'static Table,
    bytes: &Bytes,
    objects: &BTreeSet<ObjectRows>,
) -> Result<Option<Compacted>, FileError> {
    let left = select(table, bytes, objects, false)?;
    Ok((left.bytes != *bytes).then_some(left))
}

/// The rows that are of these objects, or that are not; the bytes as they are where that is all of them.
fn select(
    table: &'static Table,
    bytes: &Bytes,
    objects: &BTreeSet<ObjectRows>,
    wanted: bool,
) -> Result<Compacted, FileError> {
    let mut writer = Writer::new(table, properties(table, &[]))?;
    let mut read = 0;
    let total = each_batch(
        table,
        bytes,
        |group| !wanted || may_hold(group, objects),
        |batch| {
            let of_objects = mask(table, batch, objects)?;
            let mask = if wanted { of_objects } else { of_objects.values().iter().map(|is| Some(!is)).collect() };
            read += mask.true_count() as u64;
            let rows =
                filter_record_batch(batch, &mask).map_err(|source| FileError::Rows { table: table.path, source })?;
            writer.write(&rows)
        },
    )?;
    if read == total { Ok(Compacted { bytes: bytes.clone(), rows: total }) } else { writer.finish() }
}

/// Which rows of a batch are of these objects; never null.
fn mask(table: &'static Table, batch: &RecordBatch, objects: &BTreeSet<ObjectRows>) -> Result<BooleanArray, FileError> {
    let columns = Columns { table, batch };
    let (sources, times) = (columns.text("sourcename")?, columns.time("precombine_ts")?);
    // Rows of one object stand together.
    let mut last: Option<(&str, i64, bool)> = None;
    let is_of = |row: usize| {
        let (source, time) = (sources.value(row), times.value(row));
        if let Some((last_source, last_time, is)) = last
            && (last_source, last_time) == (source, time)
        {
            return Some(is);
        }
        let is = objects.contains(&ObjectRows { sourcename: source.to_owned(), landed_micros: time });
        last = Some((source, time, is));
        Some(is)
    };
    Ok((0..batch.num_rows()).map(is_of).collect())
}

/// Whether a row group may hold rows of the objects, as the bounds of its column `sourcename` say.
fn may_hold(group: &RowGroupMetaData, objects: &BTreeSet<ObjectRows>) -> bool {
    let column = group.columns().iter().find(|column| column.column_path().string() == "sourcename");
    let statistics = column.and_then(|column| column.statistics());
    let bounds = statistics.and_then(|bounds| Some((bounds.min_bytes_opt()?, bounds.max_bytes_opt()?)));
    bounds.is_none_or(|(least, greatest)| {
        objects.iter().any(|object| (least..=greatest).contains(&object.sourcename.as_bytes()))
    })
}

/// Gives the rows of a file's row groups; returns the number of all its rows.
fn each_batch(
    table: &'static Table,
    bytes: &Bytes,
    reads: impl Fn(&RowGroupMetaData) -> bool,
    mut take: impl FnMut(&RecordBatch) -> Result<(), FileError>,
) -> Result<u64, FileError> {
    guarded(table, || {
        let broken = |source| FileError::Read { table: table.path, source };
        let loose = |source| FileError::Rows { table: table.path, source };
        // Another engine's own notes on its types say nothing here: the Parquet types do.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.clone(), options).map_err(broken)?;
        let total = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let groups = builder.metadata().row_groups().iter().enumerate();
        let groups = groups.filter(|(_, group)| reads(group)).map(|(at, _)| at).collect();
        let reader = builder.with_row_groups(groups).with_batch_size(BATCH).build().map_err(broken)?;
        for batch in reader {
            let batch = batch.map_err(loose)?;
            let columns = Columns { table, batch: &batch };
            let arrays = table.file_columns().map(|(name, _)| columns.get(name).cloned()).collect::<Result<_, _>>()?;
            take(&RecordBatch::try_new(table.file_schema(), arrays).map_err(loose)?)?;
        }
        Ok(total)
    })
}

struct Writer {
    table: &'static Table,
    writer: ArrowWriter<Vec<u8>>,
    rows: u64,
}

impl Writer {
    fn new(table: &'static Table, properties: WriterProperties) -> Result<Self, FileError> {
        let writer = ArrowWriter::try_new(Vec::new(), table.file_schema(), Some(properties))
            .map_err(|source| FileError::Write { table: table.path, source })?;
        Ok(Writer { table, writer, rows: 0 })
    }

    fn write(&mut self, rows: &RecordBatch) -> Result<(), FileError> {
        self.rows += rows.num_rows() as u64;
        self.writer.write(rows).map_err(|source| FileError::Write { table: self.table.path, source })
    }

    fn finish(self) -> Result<Compacted, FileError> {
        let (table, rows) = (self.table, self.rows);
        let bytes = self.writer.into_inner().map_err(|source| FileError::Write { table: table.path, source })?;
        Ok(Compacted { bytes: bytes.into(), rows })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        bronze::{BronzeFile, Limits, Sinks, Source, flatten},
        cells::read_rows,
        keys,
        schema::{BRONZE_ENCOUNTER, BRONZE_QUARANTINE, TABLES},
    };

    struct Memory;

    impl Sinks for Memory {
        type File = Vec<u8>;

        fn create(&mut self) -> std::io::Result<Vec<u8>> {
            Ok(Vec::new())
        }
    }

    /// The bronze files of a landed object: tables, bytes and rows.
    fn landed(key: &str, landed_micros: i64, text: &str) -> Vec<(&'static Table, Member)> {
        let source =
            Source { key: key.into(), object_id: keys::content_id(key.as_bytes()), etag: "e".into(), landed_micros };
        let bytes = text.as_bytes().to_vec();
        let open =
            || -> std::io::Result<Box<dyn std::io::Read + Send>> { Ok(Box::new(std::io::Cursor::new(bytes.clone()))) };
        let flat = flatten(&source, open, &mut Memory, NonZeroUsize::MIN, Limits::default()).expect("memory");
        let object = ObjectRows { sourcename: key.into(), landed_micros };
        let member = |(file, bytes): (BronzeFile, Vec<u8>)| {
            let table = TABLES.iter().copied().find(|table| table.path == file.table).expect("a table");
            (table, Member { bytes: bytes.into(), object: object.clone(), rows: file.rows })
        };
        flat.files.into_iter().map(member).collect()
    }

    proptest! {
        #[test]
        fn every_object_has_its_rows_in_the_compacted_file_and_no_others(
            sizes in proptest::collection::vec((1..30_usize, 0..3_i64), 1..12),
            cut in 0..12_usize,
        ) {
            let mut members: Vec<Member> = Vec::new();
            let mut wanted = Vec::new();
            for (at, (rows, time)) in sizes.iter().enumerate() {
                let lines: String = (0..*rows).map(|row| format!(
                    "{{\"resourceType\":\"Encounter\",\"id\":\"e{at}-{row}\",\"status\":\"finished\",\"subject\":{{\"reference\":\"Patient/p{row}\"}}}}\n"
                )).collect();
                // Keys repeat, with other times.
                let key = format!("encounter/{}.ndjson", at / 2);
                for (table, member) in landed(&key, 1_764_000_000_000_000 + time * 100 + at as i64, &lines) {
                    if table.path == BRONZE_ENCOUNTER.path {
                        wanted.extend(read_rows(table, &member.bytes).expect("ours"));
                        members.push(member);
                    }
                }
            }
            let compacted = compact(&BRONZE_ENCOUNTER, members.clone()).expect("ours");
            prop_assert_eq!(&compacted.bytes, &compact(&BRONZE_ENCOUNTER, members.clone()).expect("ours").bytes);
            prop_assert_eq!(read_rows(&BRONZE_ENCOUNTER, &compacted.bytes).expect("ours"), wanted);
            for member in &members {
                let own = rows_of(&BRONZE_ENCOUNTER, &compacted.bytes, &BTreeSet::from([member.object.clone()])).expect("ours");
                let (own, should) = (read_rows(&BRONZE_ENCOUNTER, &own), read_rows(&BRONZE_ENCOUNTER, &member.bytes));
                prop_assert_eq!(own.expect("ours"), should.expect("ours"));
            }
            let cut = members.remove(cut % members.len()).object;
            let left = without_rows(&BRONZE_ENCOUNTER, &compacted.bytes, &BTreeSet::from([cut.clone()])).expect("ours").expect("it had rows");
            let should: Vec<_> = members.iter().flat_map(|member| read_rows(&BRONZE_ENCOUNTER, &member.bytes).expect("ours")).collect();
            prop_assert_eq!(left.rows, should.len() as u64);
            prop_assert_eq!(read_rows(&BRONZE_ENCOUNTER, &left.bytes).expect("ours"), should);
            prop_assert!(without_rows(&BRONZE_ENCOUNTER, &left.bytes, &BTreeSet::from([cut])).expect("ours").is_none());
        }
    }

    #[test]
    fn rows_of_another_object_and_missing_rows_are_refused() {
        let files = landed("a.ndjson", 1, "no JSON\nneither\n");
        let (table, member) =
            files.into_iter().find(|(table, _)| table.path == BRONZE_QUARANTINE.path).expect("quarantine");
        let of = |object: ObjectRows, rows| compact(table, [Member { object, rows, ..member.clone() }]);
        assert_eq!(of(member.object.clone(), 2).expect("right").rows, 2);
        assert!(of(member.object.clone(), 3).is_err());
        assert!(of(ObjectRows { landed_micros: 2, ..member.object.clone() }, 2).is_err());
        assert!(compact(table, [Member { bytes: "no Parquet".into(), ..member.clone() }]).is_err());
    }
}
