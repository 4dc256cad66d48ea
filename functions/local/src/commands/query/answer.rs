//! A query's rows as text: a table for people, CSV, or JSON. CSV and JSON are written batch by batch as they come.

use datafusion::arrow::{
    array::RecordBatch,
    csv,
    datatypes::SchemaRef,
    error::ArrowError,
    json::{self, writer::LineDelimited},
    util::{display::FormatOptions, pretty::pretty_format_batches_with_options},
};

use crate::{
    arguments::RowFormat,
    output::{Output, counted, failure::Failure},
};

/// How a time is shown: as Athena's console does, in UTC and to the millisecond.
const TIME: &str = "%Y-%m-%d %H:%M:%S%.3f";

/// Rows on their way to the reader.
pub(super) struct Answer {
    shape: RowFormat,
    /// Rows of a table, which needs the widest cell of each column before the first line.
    kept: Vec<RecordBatch>,
    /// Whether the line of names, or the array's beginning, is out.
    begun: bool,
}

impl Answer {
    pub(super) fn new(shape: RowFormat) -> Self {
        Answer { shape, kept: Vec::new(), begun: false }
    }

    /// Takes the next rows.
    pub(super) fn rows(&mut self, batch: RecordBatch, output: &mut Output) -> Result<(), Failure> {
        match self.shape {
            RowFormat::Table => self.kept.push(batch),
            RowFormat::Csv => output.bytes(&self.csv(&batch).map_err(|error| unwritable(&error))?)?,
            RowFormat::Json if batch.num_rows() == 0 => {}
            RowFormat::Json => {
                output.bytes(if self.begun { b",\n" } else { b"[\n" })?;
                self.begun = true;
                output.bytes(&objects(&batch).map_err(|error| unwritable(&error))?)?;
            }
        }
        Ok(())
    }

    /// Says what is left to say when all rows are there; the schema gives the names where there was no row.
    pub(super) fn end(mut self, schema: &SchemaRef, output: &mut Output) -> Result<(), Failure> {
        match self.shape {
            RowFormat::Table => {
                let options = FormatOptions::new().with_timestamp_format(Some(TIME));
                // Where there was no row, the names are still worth showing.
                self.kept.push(RecordBatch::new_empty(schema.clone()));
                let rows: usize = self.kept.iter().map(RecordBatch::num_rows).sum();
                let table = pretty_format_batches_with_options(&self.kept, &options);
                output.line(table.map_err(|error| unwritable(&error))?)?;
                output.line(counted(rows as u64, "row"))?;
            }
            RowFormat::Csv if !self.begun => {
                output
                    .bytes(&self.csv(&RecordBatch::new_empty(schema.clone())).map_err(|error| unwritable(&error))?)?;
            }
            RowFormat::Csv => {}
            RowFormat::Json => output.line(if self.begun { "\n]" } else { "[]" })?,
        }
        output.flush()
    }

    fn csv(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let mut text = Vec::new();
        let names = !std::mem::replace(&mut self.begun, true);
        let builder = csv::WriterBuilder::new().with_header(names).with_timestamp_format(TIME.to_owned());
        builder.build(&mut text).write(batch)?;
        Ok(text)
    }
}

/// Rows as JSON objects, one a line, with commas between them; a newline within a value is escaped.
fn objects(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut text = Vec::new();
    let builder = json::WriterBuilder::new().with_explicit_nulls(true).with_timestamp_format(TIME.to_owned());
    let mut writer = builder.build::<_, LineDelimited>(&mut text);
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    Ok(text.trim_ascii_end().split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b",\n"[..]))
}

fn unwritable(error: &ArrowError) -> Failure {
    Failure::failed(format!("the rows cannot be written: {error}"))
}
