//! Reads the rows of a relational table from CSV, plain or gzipped.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::{ByteRecord, ReaderBuilder};

use super::{
    cell::push_quoted,
    header::{Header, recognise},
    sink::RowSink,
};

/// Bytes that the reader may buffer ahead of the record it returns.
const READ_AHEAD: u64 = 64 * 1024;

/// Refuses to read on where one record has used up its share, so that a quote that is never closed cannot fill memory.
struct RecordLimit<R> {
    reader: R,
    since_record: Arc<AtomicU64>,
    limit: u64,
}

impl<R: Read> Read for RecordLimit<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_record.load(Ordering::Relaxed) > self.limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a record is too long"));
        }
        let count = self.reader.read(buffer)?;
        self.since_record.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The columns of a CSV object, from its first bytes: none where they are not CSV.
///
/// A first line that could be JSON is not CSV. One name alone is a table only where the key says so.
pub(super) fn header_of(head: &[u8], key: &str) -> Option<Vec<String>> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if matches!(first, b'{' | b'[' | 0x1e) {
        return None;
    }
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(head);
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).ok()? {
        return None;
    }
    let names: Option<Vec<String>> =
        record.iter().map(|name| std::str::from_utf8(name).ok().map(|name| name.trim().to_owned())).collect();
    let names = names?;
    let plain = |name: &String| {
        !name.is_empty() && name.len() <= 128 && name.chars().all(|c| c.is_alphanumeric() || " _-./()#%".contains(c))
    };
    let named_csv = key.ends_with(".csv") || key.ends_with(".csv.gz");
    (named_csv || names.len() > 1 && names.iter().all(plain)).then_some(names)
}

/// Reads every row into the sink. What cannot be split is one record of the quarantine, with all that follows it.
///
/// # Errors
/// Where the object cannot be read from its store, or a sink not be written.
pub(super) fn read(reader: impl Read, header: &Header, limit: usize, sink: &mut RowSink<'_>) -> io::Result<()> {
    let since_record = Arc::new(AtomicU64::new(0));
    let limited = RecordLimit { reader, since_record: Arc::clone(&since_record), limit: limit as u64 + READ_AHEAD };
    let mut reader = ReaderBuilder::new().has_headers(true).flexible(true).from_reader(limited);
    reader.byte_headers().map_err(store_fault)?;
    let mut record = ByteRecord::new();
    let mut raw = String::new();
    loop {
        since_record.store(0, Ordering::Relaxed);
        let line = reader.position().line();
        let offset = reader.position().byte();
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) if matches!(error.kind(), csv::ErrorKind::Io(cause) if cause.kind() == io::ErrorKind::FileTooLarge) =>
            {
                return sink.too_long(line, offset, limit);
            }
            Err(error) => return Err(store_fault(error)),
        }
        let Some(cells) = texts(&record) else {
            sink.not_utf8(line, offset, record.as_slice().len() as u64)?;
            continue;
        };
        raw.clear();
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                raw.push(',');
            }
            push_quoted(cell, &mut raw);
        }
        if cells.len() == header.width {
            let ordered = header.positions.iter().map(|position| cells[*position]);
            sink.text_row(line, offset, ordered, &raw)?;
        } else {
            sink.wrong_width(line, offset, cells.len(), header.width, &raw)?;
        }
    }
}

fn texts(record: &ByteRecord) -> Option<Vec<&str>> {
    record.iter().map(|cell| std::str::from_utf8(cell).ok()).collect()
}

/// The fault of the store behind an error of the CSV reader, which refuses nothing itself where rows may differ in width.
fn store_fault(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(csv::Error::from(io::Error::other(format!("{other:?}")))),
    }
}

/// The table whose columns these are.
///
/// # Errors
/// What the columns come closest to.
pub(super) fn table_of(names: &[String]) -> Result<Header, String> {
    recognise(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_distinguished_from_json_by_its_first_line() {
        for (head, key, csv) in [
            (&b"claim_id,patient_id\n1,2\n"[..], "x", true),
            (b"\xef\xbb\xbfclaim_id,patient_id\r\n", "x", true),
            (b"only\n1\n", "a/b.csv", true),
            (b"only\n1\n", "a/b.txt", false),
            (b"{\"resourceType\":\"Patient\"}", "a.csv", false),
            (b"  [1,2]", "a", false),
            (b"{broken, json", "a.json", false),
            (b"resourceType\":\"Patient\",\"id\":\"1\"}", "a.json", false),
            (b"", "a.csv", false),
        ] {
            assert_eq!(header_of(head, key).is_some(), csv, "{}", String::from_utf8_lossy(head));
        }
    }
}
