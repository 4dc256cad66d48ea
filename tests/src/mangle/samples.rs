//! The files that are mangled: Synthea's, HL7's examples, histories and documents, our own samples, and the relational
//! tables as CSV and as Parquet.

use std::{fs, path::Path, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

/// Bytes of a file that are mangled: its first lines, so that ten thousand take a minute.
const MOST: usize = 6_000;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON document, or one a line.
    Json,
    /// A relational table as CSV.
    Csv,
    /// A relational table as Parquet.
    Parquet,
}

/// A real file.
#[derive(Debug)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub form: Form,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// All files, always in the same order.
///
/// # Panics
/// Where one cannot be read.
pub fn samples() -> Vec<Sample> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut samples = Vec::new();
    for folder in ["data", "../samples/r4", "../samples/r5", "../samples/tables"] {
        add(&here.join(folder), &mut samples);
    }
    let tables: Vec<Sample> = samples.iter().filter(|sample| sample.form == Form::Csv).map(as_parquet).collect();
    samples.extend(tables);
    samples
}

fn add(folder: &Path, samples: &mut Vec<Sample>) {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            // Keys of answers are not landed.
            if entry.file_name() != "reference" {
                add(&path, samples);
            }
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let form = match name.rsplit_once('.') {
            Some((_, "json" | "ndjson")) => Form::Json,
            Some((_, "csv")) => Form::Csv,
            _ => continue,
        };
        let mut bytes = fs::read(&path).expect("a file that can be read");
        if bytes.len() > MOST && !name.ends_with(".json") {
            let end = bytes[..MOST].iter().rposition(|byte| *byte == b'\n').expect("lines");
            bytes.truncate(end + 1);
        }
        samples.push(Sample { name, form, bytes });
    }
}

fn as_parquet(sample: &Sample) -> Sample {
    let text = String::from_utf8_lossy(&sample.bytes);
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().expect("a header");
    // Rows with quoted commas have another width, and are left out.
    let rows: Vec<Vec<&str>> = lines.filter(|cells| cells.len() == names.len()).collect();
    let columns = names.iter().enumerate().map(|(at, name)| {
        let cells = rows.iter().map(|row| Some(row[at]).filter(|cell| !cell.is_empty()));
        (*name, Arc::new(cells.collect::<StringArray>()) as ArrayRef)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)));
    let batch = batch.expect("columns of one length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("memory");
    writer.write(&batch).expect("memory");
    let bytes = writer.into_inner().expect("memory");
    Sample { name: sample.name.replace(".csv", ".parquet"), form: Form::Parquet, bytes }
}
