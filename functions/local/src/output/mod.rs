//! What the command prints: data on standard output, everything else on standard error.

pub(crate) mod failure;
pub(crate) mod nearest;
pub(crate) mod progress;
pub(crate) mod summary;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use indicatif::{DecimalBytes, HumanCount};
use serde::Serialize;

use crate::output::failure::Failure;

/// Buffered standard output.
pub(crate) struct Output {
    out: io::BufWriter<io::Stdout>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Output { out: io::BufWriter::new(io::stdout()) }
    }

    /// Writes a line of the command's answer.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{line}")?)
    }

    /// Writes rows as aligned columns; a column of numbers is aligned to the right.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) -> Result<(), Failure> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let cell = |row: &Vec<String>, at: usize| row.get(at).map_or(0, |cell| cell.chars().count());
        let widths: Vec<_> =
            (0..columns).map(|at| rows.iter().map(|row| cell(row, at)).max().unwrap_or_default()).collect();
        for row in rows {
            let mut line = String::from(" ");
            for (cell, width) in row.iter().zip(&widths) {
                let pad = " ".repeat(width - cell.chars().count());
                let number = cell.chars().all(|c| c.is_ascii_digit() || ",.% of".contains(c));
                line += " ";
                line += &if number { format!("{pad}{cell} ") } else { format!("{cell}{pad} ") };
            }
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    /// Writes one JSON object.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
        self.line(text)
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.out.write_all(bytes)?)
    }

    /// Flushes the buffer.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    /// Reports a failure on standard error, and gives its exit status.
    pub(crate) fn fail(&mut self, failure: &Failure) -> ExitCode {
        // Standard output may be closed; the failure still has to be reported.
        let _ = self.out.flush();
        if !matches!(failure, Failure::OutputClosed) {
            let mut error = io::stderr().lock();
            let (red, plain) = if error.is_terminal() { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
            let _ = writeln!(error, "{red}error:{plain} {failure}");
        }
        ExitCode::from(failure.status())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = self.out.flush();
    }
}

/// A count with thousands separators: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// A count with its noun: `1 record`, `2 records`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{} {stem}ies", count(number)),
        _ => format!("{} {noun}s", count(number)),
    }
}

/// A size in decimal units: `12.35 MB`.
pub(crate) fn size(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators_units_and_plurals() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(12_345_678), "12.35 MB");
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(2, "registry entry"), "2 registry entries");
        assert_eq!(counted(1_000, "day"), "1,000 days");
    }
}
