//! A table's file: written beside its name, and named when it is whole.

use std::{fs::File, io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};
use metriccare_world::view::tables::Table;

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
}

enum Content {
    Csv(File),
    Parquet(Box<GroupFile>),
}

impl TableFile {
    /// Begins a table's file in a folder: `<table><ending>.csv`, `.csv.gz` or `.parquet`.
    pub(super) fn create(folder: &Path, form: Form, table: &Table, ending: &str) -> Result<Self, Failure> {
        let draft = AtomicFile::new(folder, &format!("{}{ending}.{}", table.name, form.ending()));
        let mut file = draft.create()?;
        let content = match form {
            Form::Csv => {
                draft.append(&mut file, table.header().as_bytes())?;
                Content::Csv(file)
            }
            Form::CsvGzip => {
                draft.append(&mut file, &gzip(table.header().as_bytes(), Vec::new())?)?;
                Content::Csv(file)
            }
            Form::Parquet => Content::Parquet(Box::new(GroupFile::new(table, file)?)),
        };
        Ok(TableFile { content, draft })
    }

    /// Appends lines of CSV, compressed where the form is, to a CSV file.
    pub(super) fn lines(&mut self, lines: &[u8]) -> Result<(), Failure> {
        match &mut self.content {
            Content::Csv(file) => self.draft.append(file, lines),
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

    /// Ends the file, gives it its name, and says its size.
    pub(super) fn finish(mut self) -> Result<u64, Failure> {
        if let Content::Parquet(file) = self.content {
            file.finish()?;
        }
        self.draft.publish()
    }
}

/// Writes a table whose CSV is known as a whole.
pub(super) fn write_once(folder: &Path, form: Form, table: &'static Table, csv: &[u8]) -> Result<u64, Failure> {
    let lines = csv.strip_prefix(table.header().as_bytes()).unwrap_or(csv);
    let mut file = TableFile::create(folder, form, table, "")?;
    match form {
        Form::Csv => file.lines(lines)?,
        Form::CsvGzip => file.lines(&gzip(lines, Vec::new())?)?,
        Form::Parquet => file.group(Encoder::new(table)?.encode(lines)?)?,
    }
    file.finish()
}
