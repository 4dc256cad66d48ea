//! A table's file: written beside its name, and named when it is whole.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use metriccare_lake::keys::Fingerprint;
use metriccare_world::{CoveredTable, view::tables::Table};

use super::parquet::{Encoder, Group, GroupFile};
use crate::{commands::generate::atomic_file::AtomicFile, output::failure::Failure};

/// The form of the files of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Csv,
    /// CSV in gzip: one member a part, which together are one file to every reader of gzip.
    CsvGzip,
    Parquet,
}

impl Form {
    pub(super) const ALL: [Form; 3] = [Form::Csv, Form::CsvGzip, Form::Parquet];

    pub(super) fn ending(self) -> &'static str {
        match self {
            Form::Csv => "csv",
            Form::CsvGzip => "csv.gz",
            Form::Parquet => "parquet",
        }
    }

    pub(super) fn is_csv(self) -> bool {
        self != Form::Parquet
    }
}

/// One member of a gzip file, without a time in its header, so that the same lines are the same bytes.
pub(super) fn gzip(lines: &[u8], into: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let mut encoder = GzEncoder::new(into, Compression::fast());
    encoder.write_all(lines)?;
    Ok(encoder.finish()?)
}

/// A file that is being written; it is removed if it is not finished.
pub(super) struct TableFile {
    content: Content,
    draft: AtomicFile,
    name: String,
    fingerprint: Fingerprint,
}

/// A file that is whole.
pub(super) struct Finished {
    pub(super) bytes: u64,
    pub(super) covered: CoveredTable,
}

enum Content {
    Csv(File),
    Parquet(Box<GroupFile>),
}

impl TableFile {
    /// Begins a table's file in a folder: `<table><ending>.csv`, `.csv.gz` or `.parquet`.
    pub(super) fn create(folder: &Path, form: Form, table: &Table, ending: &str) -> Result<Self, Failure> {
        let name = format!("{}{ending}.{}", table.name, form.ending());
        let draft = AtomicFile::new(folder, &name);
        let file = draft.create()?;
        let content = match form {
            Form::Csv | Form::CsvGzip => Content::Csv(file),
            Form::Parquet => Content::Parquet(Box::new(GroupFile::new(table, file)?)),
        };
        let mut file = TableFile { content, draft, name, fingerprint: Fingerprint::default() };
        match form {
            Form::Csv => file.lines(table.header().as_bytes())?,
            Form::CsvGzip => file.lines(&gzip(table.header().as_bytes(), Vec::new())?)?,
            Form::Parquet => {}
        }
        Ok(file)
    }

    /// Appends lines of CSV, compressed where the form is, to a CSV file.
    pub(super) fn lines(&mut self, lines: &[u8]) -> Result<(), Failure> {
        match &mut self.content {
            Content::Csv(file) => {
                self.fingerprint.update(lines);
                self.draft.append(file, lines)
            }
            Content::Parquet(_) => Err(Failure::failed("lines of CSV do not go into a Parquet file")),
        }
    }

    /// Appends a row group, if there are rows, to a Parquet file.
    pub(super) fn group(&mut self, group: Option<Group>) -> Result<(), Failure> {
        match &mut self.content {
            Content::Parquet(file) => group.map_or(Ok(()), |group| file.append(group)),
            Content::Csv(_) => Err(Failure::failed("a row group does not go into a CSV file")),
        }
    }

    /// Ends the file and gives it its name.
    pub(super) fn finish(mut self) -> Result<Finished, Failure> {
        let parquet = matches!(self.content, Content::Parquet(_));
        if let Content::Parquet(file) = self.content {
            file.finish()?;
        }
        let (bytes, path) = self.draft.publish()?;
        if parquet {
            // Parquet writes some of its bytes by itself.
            let failure = |error: io::Error| Failure::failed(format!("{}: {error}", path.display()));
            let mut reader = File::open(path).map_err(failure)?;
            let mut buffer = vec![0; 1 << 16];
            loop {
                match reader.read(&mut buffer).map_err(failure)? {
                    0 => break,
                    count => self.fingerprint.update(&buffer[..count]),
                }
            }
        }
        Ok(Finished { bytes, covered: CoveredTable { name: self.name, content_id: self.fingerprint.finish() } })
    }
}

/// Writes a table whose CSV is known as a whole.
pub(super) fn write_once(folder: &Path, form: Form, table: &'static Table, csv: &[u8]) -> Result<Finished, Failure> {
    let lines = csv.strip_prefix(table.header().as_bytes()).unwrap_or(csv);
    let mut file = TableFile::create(folder, form, table, "")?;
    match form {
        Form::Csv => file.lines(lines)?,
        Form::CsvGzip => file.lines(&gzip(lines, Vec::new())?)?,
        Form::Parquet => file.group(Encoder::new(table)?.encode(lines)?)?,
    }
    file.finish()
}
