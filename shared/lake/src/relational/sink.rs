//! Where rows of a landed relational table go: typed into bronze, or whole into the quarantine with what is wrong.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use metriccare_fhir::read::{Fault, Rule};
use parquet::{arrow::ArrowWriter, errors::ParquetError};

use super::{
    RelationalTable,
    cell::{Cell, parse},
    rows::Rows,
};
use crate::bronze::{
    Counts,
    records::{Span, SpanKind},
    rows::{Origin, QuarantineRows},
    withdrawn_patients::REASON,
};

/// The column that names the patient of a row.
pub(super) const PATIENT_ID: &str = "patient_id";

/// Rows that are encoded together.
const BATCH: usize = 16 * 1024;

/// Writes batches of one table's rows; boxed, so that readers do not depend on the file's type.
pub(super) type WriteBatch<'a> = Box<dyn FnMut(&arrow_array::RecordBatch) -> Result<(), ParquetError> + 'a>;

/// Takes the rows of one landed object.
pub(super) struct RowSink<'a> {
    table: &'static RelationalTable,
    rows: Rows,
    write: WriteBatch<'a>,
    origin: Origin<'a>,
    /// What the ids of the object's source begin with, such as `north:`; empty without a source.
    id_prefix: String,
    raw_limit: usize,
    quarantine: QuarantineRows,
    counts: Counts,
}

impl<'a> RowSink<'a> {
    pub(super) fn new(
        table: &'static RelationalTable,
        origin: Origin<'a>,
        id_prefix: String,
        raw_limit: usize,
        write: WriteBatch<'a>,
    ) -> Self {
        RowSink {
            table,
            rows: Rows::new(table),
            write,
            origin,
            id_prefix,
            raw_limit,
            quarantine: QuarantineRows::default(),
            counts: Counts::default(),
        }
    }

    /// A row as texts, in the order of the table's columns.
    pub(super) fn text_row<'t>(
        &mut self,
        line: u64,
        offset: u64,
        texts: impl Iterator<Item = &'t str>,
        raw: &str,
    ) -> io::Result<()> {
        let mut cells = Vec::with_capacity(self.table.columns.len());
        for ((name, kind), text) in self.table.columns.iter().zip(texts) {
            match parse(*kind, text) {
                Ok(cell) => cells.push(cell),
                Err(fault) => return self.bad_cell(line, offset, name, fault, raw),
            }
        }
        self.row(line, offset, &cells, || Cow::Borrowed(raw))
    }

    /// A row as typed cells, in the order of the table's columns; `raw` writes it as CSV where it is refused.
    pub(super) fn row<'r>(
        &mut self,
        line: u64,
        offset: u64,
        cells: &[Cell<'_>],
        raw: impl FnOnce() -> Cow<'r, str>,
    ) -> io::Result<()> {
        for ((name, _), cell) in self.table.columns.iter().zip(cells) {
            if self.table.key.contains(name) && *cell == Cell::Missing {
                let reason = format!("{name}: missing, and the row is known by it");
                return self.refuse(line, offset, &raw(), Rule::NoId, reason);
            }
            if let Cell::Text(text) = cell
                && !self.id_prefix.is_empty()
                && name.ends_with("_id")
                && text.contains(':')
            {
                return self.bad_cell(
                    line,
                    offset,
                    name,
                    "a colon is not allowed in the ids of a named source",
                    &raw(),
                );
            }
        }
        if self.is_withdrawn(cells) {
            return self.skip();
        }
        self.rows.append(cells, self.origin, &self.id_prefix);
        self.counts.records += 1;
        *self.counts.relational.entry(self.table.name.to_owned()).or_default() += 1;
        if self.rows.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    pub(super) fn bad_cell(&mut self, line: u64, offset: u64, column: &str, fault: &str, raw: &str) -> io::Result<()> {
        self.refuse(line, offset, raw, Rule::BadValue, format!("{column}: {fault}"))
    }

    pub(super) fn wrong_width(
        &mut self,
        line: u64,
        offset: u64,
        cells: usize,
        columns: usize,
        raw: &str,
    ) -> io::Result<()> {
        let reason = format!("the row has {cells} cells, the header has {columns}");
        self.refuse(line, offset, raw, Rule::BadValue, reason)
    }

    pub(super) fn not_utf8(&mut self, line: u64, offset: u64, length: u64) -> io::Result<()> {
        self.refuse_by_place(line, offset, length, Rule::NotUtf8, "the row is not UTF-8".to_owned());
        Ok(())
    }

    /// A record that is longer than is read: it and all that follows cannot be split.
    pub(super) fn too_long(&mut self, line: u64, offset: u64, limit: usize) -> io::Result<()> {
        let reason = format!("the row is longer than {limit} bytes: is a quote missing? Nothing after it was read");
        self.refuse_by_place(line, offset, limit as u64, Rule::TooLarge, reason);
        Ok(())
    }

    fn refuse_by_place(&mut self, line: u64, offset: u64, length: u64, rule: Rule, reason: String) {
        self.quarantine_row(
            &Span { bytes: 0..0, line, offset, length, kind: SpanKind::Resource },
            &[0xff],
            rule,
            reason,
        );
    }

    /// Whether a row is of a patient that was withdrawn.
    fn is_withdrawn(&self, cells: &[Cell<'_>]) -> bool {
        let Some(patients) = self.origin.withdrawn else { return false };
        let mut named = self.table.columns.iter().zip(cells);
        let id = named.find_map(|((name, _), cell)| match cell {
            Cell::Text(id) if *name == PATIENT_ID => Some(id),
            _ => None,
        });
        id.is_some_and(|id| patients.holds(&format!("{}{id}", self.id_prefix)))
    }

    fn skip(&mut self) -> io::Result<()> {
        self.counts.records += 1;
        self.counts.skip(REASON);
        Ok(())
    }

    fn refuse(&mut self, line: u64, offset: u64, raw: &str, rule: Rule, reason: String) -> io::Result<()> {
        if self.origin.withdrawn.is_some_and(|patients| patients.holds_any_cell(raw, &self.id_prefix)) {
            return self.skip();
        }
        let span = Span { bytes: 0..0, line, offset, length: raw.len() as u64, kind: SpanKind::Resource };
        self.quarantine_row(&span, raw.as_bytes(), rule, reason);
        Ok(())
    }

    fn quarantine_row(&mut self, span: &Span, raw: &[u8], rule: Rule, reason: String) {
        self.counts.records += 1;
        self.counts.quarantine(rule.name());
        let fault = Fault::new(rule, reason);
        self.quarantine.append(self.origin, span, Some(raw), Some(self.table.name), &fault, self.raw_limit);
    }

    /// Writes the rows that wait, and gives what was refused and how much there was of everything.
    pub(super) fn finish(mut self) -> io::Result<(QuarantineRows, Counts)> {
        self.flush()?;
        Ok((self.quarantine, self.counts))
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.rows.len() == 0 {
            return Ok(());
        }
        (self.write)(&self.rows.finish()).map_err(io::Error::other)
    }
}

/// A bronze file that begins with its first batch, so that a landed object without a readable row makes none.
pub(super) struct LazyFile<F: Write + Send> {
    pub(super) writer: Option<ArrowWriter<F>>,
    pub(super) rows: u64,
}
