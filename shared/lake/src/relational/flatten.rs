//! From a landed CSV or Parquet object to the bronze file of its table.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use metriccare_fhir::read::{Fault, Rule};
use parquet::{arrow::ArrowWriter, errors::ParquetError};

use super::{
    csv,
    header::Header,
    parquet_rows,
    sink::{LazyFile, RowSink},
};
use crate::{
    bronze::{
        BronzeFile, Counts, FlattenError, Flattened, Limits, Sinks, Source,
        properties::properties,
        records::{Ended, Input, Measured, Span, SpanKind},
        row_group::write_file,
        rows::{Origin, QuarantineRows, TableRows},
    },
    keys,
    schema::{BRONZE_QUARANTINE, Table},
};

/// What the ids of an object begin with that landed below `source=<name>/`: `<name>:`; empty elsewhere.
fn id_prefix(key: &str) -> String {
    let name = key.strip_prefix("source=").and_then(|rest| rest.split_once('/'));
    name.map(|(name, _)| format!("{name}:")).unwrap_or_default()
}

/// A Parquet object larger than this is not read: its end has to be known before its beginning can be.
const LARGEST_PARQUET: usize = 512 << 20;

/// What a landed object that is not FHIR turned out to be.
#[derive(Debug)]
pub(crate) enum Landed {
    /// CSV with these columns.
    Csv(Vec<String>),
    /// Parquet.
    Parquet,
}

/// Looks at an object's first bytes; none where they are not a table's. `key` decides where the bytes alone do not.
pub(crate) fn recognise(head: &[u8], key: &str) -> Option<Landed> {
    if head.starts_with(b"PAR1") {
        return Some(Landed::Parquet);
    }
    if head.starts_with(&[0x1f, 0x8b]) {
        let mut plain = vec![0; 16 * 1024];
        let mut filled = 0;
        let mut decoder = MultiGzDecoder::new(head);
        // The head of a gzip stream ends in the middle: what was decompressed until then is enough.
        while let Ok(count @ 1..) = decoder.read(&mut plain[filled..]) {
            filled += count;
        }
        return csv::header_of(&plain[..filled], key).map(Landed::Csv);
    }
    csv::header_of(head, key).map(Landed::Csv)
}

/// Flattens a landed table into its bronze file; what cannot be typed goes to the quarantine.
///
/// # Errors
/// Only what the store or the sinks do.
pub(crate) fn flatten<S: Sinks>(
    source: &Source,
    origin: Origin<'_>,
    landed: Landed,
    reader: Box<dyn Read + Send + '_>,
    sinks: &mut S,
    limits: Limits,
) -> Result<Flattened<S::File>, FlattenError> {
    let mut input = Input::open(reader, limits.unpacked)?;
    let (header, parquet) = match landed {
        Landed::Csv(names) => (csv::table_of(&names), None),
        Landed::Parquet => {
            let mut bytes = Vec::new();
            while bytes.len() <= LARGEST_PARQUET && input.fill(&mut bytes, 8 << 20)? > 0 {}
            let bytes = Bytes::from(bytes);
            let header = if bytes.len() > LARGEST_PARQUET {
                Err(format!("a Parquet object of more than {LARGEST_PARQUET} bytes: land it in parts"))
            } else {
                parquet_rows::columns_of(&bytes).and_then(|names| csv::table_of(&names))
            };
            (header, Some(bytes))
        }
    };
    let header = match header {
        Ok(header) => header,
        Err(reason) => return refuse(source, origin, input, reason, sinks, limits),
    };
    let mut file = LazyFile { writer: None, rows: 0 };
    let table = header.table;
    let write = |batch: &arrow_array::RecordBatch| -> Result<(), ParquetError> {
        let writer = match &mut file.writer {
            Some(writer) => writer,
            None => file.writer.insert(ArrowWriter::try_new(
                sinks.create()?,
                table.bronze.file_schema(),
                Some(properties(&table.bronze, std::slice::from_ref(batch))),
            )?),
        };
        file.rows += batch.num_rows() as u64;
        writer.write(batch)
    };
    let prefix = id_prefix(&source.key);
    let mut sink = RowSink::new(table, origin, prefix, limits.raw, Box::new(write));
    let damage = match parquet {
        Some(bytes) => parquet_rows::read(&bytes, &header, &mut sink)?.err().map(|reason| (Rule::Truncated, reason)),
        None => read_csv(&mut input, &header, limits, &mut sink)?,
    };
    let (mut quarantine, mut counts) = sink.finish()?;
    if let Some((rule, reason)) = damage {
        whole_record(&mut quarantine, &mut counts, origin, table.name, &Fault::new(rule, reason), limits);
    }
    let mut files = Vec::new();
    if let Some(writer) = file.writer {
        files.push((bronze_file(source, &table.bronze, file.rows), writer.into_inner()?));
    }
    finish(source, files, &quarantine, counts, input.measure()?, sinks)
}

/// Reads CSV; gives the damage that ended it early, where the object is compressed and broken.
fn read_csv(
    input: &mut Input<'_>,
    header: &Header,
    limits: Limits,
    sink: &mut RowSink<'_>,
) -> io::Result<Option<(Rule, String)>> {
    csv::read(&mut *input, header, limits.row.min(limits.record), sink)?;
    Ok(input.ended.map(|ended| match ended {
        Ended::Damaged => {
            (Rule::Truncated, "the compressed data is damaged: nothing after this could be read".to_owned())
        }
        Ended::TooLarge => {
            let reason = format!("the object decompresses to more than {} bytes: land it in parts", limits.unpacked);
            (Rule::TooLarge, reason)
        }
    }))
}

/// Keeps an object whose columns are those of no table as one record of the quarantine, by its place.
fn refuse<S: Sinks>(
    source: &Source,
    origin: Origin<'_>,
    input: Input<'_>,
    reason: String,
    sinks: &mut S,
    limits: Limits,
) -> Result<Flattened<S::File>, FlattenError> {
    let (mut quarantine, mut counts) = (QuarantineRows::default(), Counts::default());
    whole_record(&mut quarantine, &mut counts, origin, "table", &Fault::new(Rule::UnknownTable, reason), limits);
    finish(source, Vec::new(), &quarantine, counts, input.measure()?, sinks)
}

fn whole_record(
    quarantine: &mut QuarantineRows,
    counts: &mut Counts,
    origin: Origin<'_>,
    table: &str,
    fault: &Fault,
    limits: Limits,
) {
    counts.records += 1;
    counts.quarantine(fault.rule.name());
    let span = Span { bytes: 0..0, line: 1, offset: 0, length: 0, kind: SpanKind::Resource };
    quarantine.append(origin, &span, None, Some(table), fault, limits.raw);
}

fn bronze_file(source: &Source, table: &'static Table, rows: u64) -> BronzeFile {
    let (column, date) = (table.partition.unwrap_or_default(), source.ingest_date());
    let key = keys::bronze_file(table.path, column, Some(&date), &source.object_id);
    BronzeFile { key, table: table.path, partition: Some(date), rows }
}

fn finish<S: Sinks>(
    source: &Source,
    mut files: Vec<(BronzeFile, S::File)>,
    quarantine: &QuarantineRows,
    counts: Counts,
    measured: Measured,
    sinks: &mut S,
) -> Result<Flattened<S::File>, FlattenError>
where
    S::File: Write + Send,
{
    if !quarantine.is_empty() {
        let file = write_file(quarantine, sinks.create()?)?;
        files.push((bronze_file(source, &BRONZE_QUARANTINE, quarantine.len() as u64), file));
    }
    files.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    Ok(Flattened { files, counts, measured })
}
