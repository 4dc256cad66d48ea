//! A table's file: written beside its name, and named when it is whole.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use metriccare_world::view::tables::Table;

use super::parquet::{Encoder, Group, GroupFile};
use crate::failure::Failure;

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

/// A file's name, and the one that it has until it is whole: other runs and readers never see a part of it.
pub(super) struct Draft {
    path: PathBuf,
    temporary: PathBuf,
    published: bool,
}

impl Draft {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        let temporary = folder.join(format!(".{name}.{}", std::process::id()));
        Draft { path: folder.join(name), temporary, published: false }
    }

    pub(super) fn create(&self) -> Result<File, Failure> {
        File::create(&self.temporary).map_err(|error| self.failure(&error))
    }

    pub(super) fn publish(&mut self) -> Result<u64, Failure> {
        std::fs::rename(&self.temporary, &self.path).map_err(|error| self.failure(&error))?;
        self.published = true;
        Ok(std::fs::metadata(&self.path).map_err(|error| self.failure(&error))?.len())
    }

    pub(super) fn failure(&self, error: &std::io::Error) -> Failure {
        Failure::failed(format!("{} cannot be written: {error}", self.path.display()))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // What was wrong has been said already.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}
