//! A table's file: written beside its name, and named when it is whole.

use std::{fs::File, io::Write, path::Path};

use metriccare_world::view::tables::Table;

use super::parquet::{Encoder, Group, GroupFile};
use crate::{failure::Failure, generate::draft::Draft};

/// The form of the files of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Csv,
    Parquet,
}

impl Form {
    fn ending(self) -> &'static str {
        match self {
            Form::Csv => "csv",
            Form::Parquet => "parquet",
        }
    }
}

/// A file under construction; it is gone again where it is not finished.
pub(super) struct TableFile {
    content: Content,
    draft: Draft,
}

enum Content {
    Csv(File),
    Parquet(Box<GroupFile>),
}

impl TableFile {
    /// Begins a table's file in a folder: `<table><ending>.csv` or `.parquet`.
    pub(super) fn create(folder: &Path, form: Form, table: &Table, ending: &str) -> Result<Self, Failure> {
        let draft = Draft::new(folder, &format!("{}{ending}.{}", table.name, form.ending()));
        let mut file = draft.create()?;
        let content = match form {
            Form::Csv => {
                file.write_all(table.header().as_bytes()).map_err(|error| draft.failure(&error))?;
                Content::Csv(file)
            }
            Form::Parquet => Content::Parquet(Box::new(GroupFile::new(table, file)?)),
        };
        Ok(TableFile { content, draft })
    }

    /// Appends lines of CSV to a CSV file.
    pub(super) fn lines(&mut self, lines: &[u8]) -> Result<(), Failure> {
        match &mut self.content {
            Content::Csv(file) => file.write_all(lines).map_err(|error| self.draft.failure(&error)),
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
        Form::Parquet => file.group(Encoder::new(table)?.encode(lines)?)?,
    }
    file.finish()
}
