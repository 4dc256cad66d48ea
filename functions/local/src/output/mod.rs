//! What the command says: data on standard output, everything else on standard error.

pub(crate) mod failure;
pub(crate) mod nearest;
pub(crate) mod progress;
pub(crate) mod summary;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use serde::Serialize;

use crate::output::failure::Failure;

/// Standard output, buffered until a command has something whole to say.
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

    /// Writes one machine-readable object.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
        self.line(text)
    }

    /// Writes text or rows that are already in their final form.
    #[cfg(feature = "query")]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.out.write_all(bytes)?)
    }

    /// Everything that was said reaches its reader.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    /// Ends the command badly: the words on standard error, the kind as the exit status.
    pub(crate) fn fail(&mut self, failure: &Failure) -> ExitCode {
        // Standard output may be closed; the failure is what counts.
        let _ = self.out.flush();
        if !matches!(failure, Failure::Unread) {
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

/// A count as people read it: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size as people read it: `12.3 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const STEPS: [(&str, f64); 3] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let large = STEPS.iter().find(|(_, step)| bytes as f64 >= *step);
    large.map_or_else(|| format!("{bytes} B"), |(unit, step)| format!("{:.1} {unit}", bytes as f64 / step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(12_345_678), "12.3 MB");
    }
}
