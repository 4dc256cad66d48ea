//! Reads a table of the world: tab-separated text with a header and `#` comments, one typed row per line.

use metriccare_fhir::write::{Code, Diagnosis};
use serde::de::DeserializeOwned;

/// What is wrong with a table of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableError {
    /// The file's name.
    pub file: &'static str,
    /// The line, counted from 1; none where the table as a whole is refused.
    pub line: Option<u64>,
    /// The column's name, where one is to blame.
    pub column: Option<String>,
    /// What is wrong, and what would be accepted.
    pub reason: String,
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for TableError {}

/// A row with the line it stands on.
pub(super) struct Line<T> {
    pub(super) row: T,
    file: &'static str,
    number: u64,
}

impl<T> Line<T> {
    /// Refuses the row because of a column.
    pub(super) fn refuse(&self, column: &str, reason: impl Into<String>) -> TableError {
        let column = Some(column.to_owned());
        TableError { file: self.file, line: Some(self.number), column, reason: reason.into() }
    }

    /// Refuses a number outside a range.
    pub(super) fn within(&self, column: &str, value: f64, low: f64, high: f64) -> Result<f64, TableError> {
        if (low..=high).contains(&value) {
            return Ok(value);
        }
        Err(self.refuse(column, format!("{value} is not from {low} to {high}")))
    }

    /// Refuses a share in per cent outside 0 to 100, and gives it as a fraction.
    pub(super) fn share(&self, column: &str, percent: f64) -> Result<f64, TableError> {
        self.within(column, percent, 0.0, 100.0).map(|percent| percent / 100.0)
    }

    /// Refuses negative weights.
    pub(super) fn weights<const N: usize>(&self, weights: [(&str, f64); N]) -> Result<[f64; N], TableError> {
        for (column, weight) in weights {
            self.within(column, weight, 0.0, 1e9)?;
        }
        Ok(weights.map(|(_, weight)| weight))
    }
}

/// Refuses a table as a whole.
pub(super) fn refuse(file: &'static str, reason: impl Into<String>) -> TableError {
    TableError { file, line: None, column: None, reason: reason.into() }
}

/// The rows of a table. The header may have its columns in any order, but no others.
pub(super) fn rows<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<Vec<Line<T>>, TableError> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').comment(Some(b'#')).from_reader(text.as_bytes());
    let wrong = |error: &csv::Error| refuse(file, error.to_string());
    let header = reader.headers().map_err(|error| wrong(&error))?.clone();
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| located(file, &header, &error, None))? {
        let number = reader.position().line().saturating_sub(1);
        let row = record.deserialize(Some(&header));
        let row = row.map_err(|error| located(file, &header, &error, Some(number)))?;
        rows.push(Line { row, file, number });
    }
    if rows.is_empty() {
        return Err(refuse(file, "there is no row"));
    }
    Ok(rows)
}

fn located(file: &'static str, header: &csv::StringRecord, error: &csv::Error, line: Option<u64>) -> TableError {
    let at = |position: &Option<csv::Position>| line.or(position.as_ref().map(csv::Position::line));
    match error.kind() {
        csv::ErrorKind::Deserialize { pos, err } => {
            let column = err.field().and_then(|field| header.get(field as usize)).map(str::to_owned);
            TableError { file, line: at(pos), column, reason: err.kind().to_string() }
        }
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let reason = format!("it has {len} columns, the header has {expected_len}");
            TableError { file, line: at(pos), column: None, reason }
        }
        _ => TableError { file, line, column: None, reason: error.to_string() },
    }
}

/// Keeps a text as long as the process lives: a world's codes and names are borrowed by all its lives. The shipped
/// tables are read once, others once for each world that is made from a folder.
pub(super) fn keep(text: String) -> &'static str {
    text.leak()
}

/// A diagnosis from an ICD-10-CM code and, where there is one, a SNOMED CT concept.
pub(super) fn diagnosis(
    icd: &str,
    display: &str,
    snomed: Option<&str>,
    snomed_display: Option<&str>,
) -> Diagnosis<'static> {
    let kept = |text: &str| keep(text.to_owned());
    let display = kept(display);
    let snomed = snomed.map(|code| Code { code: kept(code), display: kept(snomed_display.unwrap_or_default()) });
    Diagnosis { icd10: Some(Code { code: kept(icd), display }), snomed, text: display }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        name: String,
        share: f64,
        note: Option<String>,
    }

    /// Name, share, note and line.
    type PairRow = (String, f64, Option<String>, u64);

    fn read(text: &str) -> Result<Vec<PairRow>, String> {
        let rows = rows::<Pair>("pairs.tsv", text).map_err(|error| error.to_string())?;
        Ok(rows.into_iter().map(|line| (line.row.name, line.row.share, line.row.note, line.number)).collect())
    }

    #[test]
    fn rows_are_typed_and_know_their_line() {
        let text = "# a comment\nshare\tname\tnote\n1.5\tone\t\n# between\n2\ttwo\tx\n";
        let expected = vec![("one".into(), 1.5, None, 3), ("two".into(), 2.0, Some("x".into()), 5)];
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn errors_name_file_line_and_column() {
        let error = |text: &str| read(text).unwrap_err();
        let head = "name\tshare\tnote\n";
        assert_eq!(error(&format!("{head}a\t1\t\nb\tx\t\n")), "pairs.tsv, line 3, column share: invalid float literal");
        assert_eq!(error(&format!("{head}a\t1\n")), "pairs.tsv, line 2: it has 2 columns, the header has 3");
        assert_eq!(error(head), "pairs.tsv: there is no row");
        assert!(error("name\tshare\n").starts_with("pairs.tsv: there is no row"));
        assert!(error("name\tnote\na\tb\n").contains("line 2: missing field `share`"));
        let unknown = error("name\tshare\tnote\tcolour\na\t1\t\tred\n");
        assert!(unknown.contains("line 2") && unknown.contains("colour"), "{unknown}");
        let line = &rows::<Pair>("pairs.tsv", &format!("{head}a\t101\t\n")).unwrap()[0];
        let refused = line.share("share", line.row.share).unwrap_err().to_string();
        assert_eq!(refused, "pairs.tsv, line 2, column share: 101 is not from 0 to 100");
    }
}
