//! The flags of `metriccare compact`.

use clap::Args;

use super::{LakeFlag, WorkFlags};

#[derive(Debug, Args)]
pub(crate) struct Compact {
    /// Compact a partition that has at least this many small files
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) min_files: usize,
    /// Files below this size are small, and compacted files grow to about this size: bytes, or with kB, MB or GB
    #[arg(long, value_name = "SIZE", default_value = "64MB", value_parser = size)]
    pub(crate) target_size: u64,
    /// Keep files that running queries may still read for this many hours; 0 where no query is running
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub(crate) keep_hours: u32,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        other => return Err(format!("{other} is no unit; kB, MB and GB are")),
    };
    let number: u64 = digits.trim().parse().map_err(|_| "a size is a whole number, such as 64MB".to_owned())?;
    let bytes = number.checked_mul(unit).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "a size is more than nothing, and less than 18 EB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("7", 7), ("64MB", 64_000_000), ("3 kb", 3_000), ("1GB", 1_000_000_000)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "0", "1TB", "1.5MB", "-1", "99999999999GB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
