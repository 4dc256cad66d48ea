//! What to write of a world, and in which form.

use std::{fmt, num::NonZeroUsize, str::FromStr};

use metriccare_fhir::write::{Date, FhirVersion};

/// What to write of a world.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// The FHIR version to write.
    pub version: FhirVersion,
    /// The form of a file.
    pub format: Format,
    /// Whether every file is compressed.
    pub gzip: bool,
    /// One day of the year's feed instead of the whole year.
    pub day: Option<Date>,
    /// Which part of the population.
    pub shard: Shard,
    /// How many threads may be used.
    pub threads: NonZeroUsize,
}

/// Which view of a world to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Resources.
    #[default]
    Fhir,
    /// The eight relational tables.
    Tables,
}

/// The form of a file of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One resource a line, one type a file.
    #[default]
    Ndjson,
    /// One Bundle a file, with all types.
    Bundle,
    /// One JSON array a file, one type a file.
    Json,
}

/// The form of a table's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableFormat {
    /// Comma-separated values with a header line.
    #[default]
    Csv,
    /// Parquet with typed columns.
    Parquet,
}

/// The form of a file of either view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Of resources.
    Resources(Format),
    /// Of tables.
    Tables(TableFormat),
}

impl FileFormat {
    /// All forms.
    const ALL: [FileFormat; 5] = [
        FileFormat::Resources(Format::Ndjson),
        FileFormat::Resources(Format::Bundle),
        FileFormat::Resources(Format::Json),
        FileFormat::Tables(TableFormat::Csv),
        FileFormat::Tables(TableFormat::Parquet),
    ];

    /// The name, as a job has it.
    pub fn name(self) -> &'static str {
        match self {
            FileFormat::Resources(Format::Ndjson) => "ndjson",
            FileFormat::Resources(Format::Bundle) => "bundle",
            FileFormat::Resources(Format::Json) => "json",
            FileFormat::Tables(TableFormat::Csv) => "csv",
            FileFormat::Tables(TableFormat::Parquet) => "parquet",
        }
    }

    /// The form of a name.
    pub(crate) fn named(name: &str) -> Option<FileFormat> {
        FileFormat::ALL.into_iter().find(|format| format.name() == name)
    }

    /// All names, in words.
    pub(crate) fn allowed() -> String {
        let [first @ .., last] = FileFormat::ALL.map(FileFormat::name);
        format!("{} or {last}", first.join(", "))
    }
}

/// A part of a population, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which part.
    pub part: u64,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// The whole population.
    pub const WHOLE: Shard = Shard { part: 1, of: 1 };
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((part, of)) if (1..=of).contains(&part) => Ok(Shard { part, of }),
            _ => Err("a shard is k/n with k from 1 to n, such as 2/7".to_owned()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_counts_from_one() {
        assert_eq!("2/7".parse(), Ok(Shard { part: 2, of: 7 }));
        assert_eq!(Shard { part: 2, of: 7 }.to_string(), "2/7");
        for wrong in ["0/7", "8/7", "7", "a/b", "1/0", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
