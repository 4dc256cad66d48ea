//! The key under which a person's file lands: its source, resource type and date, and its own name.

use std::{fmt, str::FromStr};

/// The folders of resource types.
const FOLDERS: [&str; 7] = ["patient", "encounter", "condition", "organization", "location", "practitioner", "bundle"];

/// The name of a server: what lands below `source=<name>/` has ids of its own, `<name>:<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceName(String);

impl FromStr for SourceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err("a source is named by lower-case letters, digits and hyphens, such as st-marys".to_owned());
        }
        Ok(SourceName(text.to_owned()))
    }
}

impl fmt::Display for SourceName {
    /// The first segment of the source's keys: `source=<name>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source={}", self.0)
    }
}

/// The source of a landing key, if it has one.
pub(crate) fn source_of(key: &str) -> Option<&str> {
    key.strip_prefix("source=")?.split_once('/').map(|(source, _)| source)
}

/// The landing key of a file, by its path within the folder that was named, and by the date of its modification.
///
/// A path that holds `<type>/YYYY/MM/DD/<name>` lands as that. Any other path lands as a whole below its type and date; the
/// type is that of the file's name, else of its innermost folder with a type's name.
pub(crate) fn landing_key(source: Option<&SourceName>, path: &str, date: &str) -> String {
    let (given, path) = match (source, source_of(path)) {
        (Some(source), Some(_)) => (Some(source.to_string()), path.split_once('/').map_or(path, |(_, rest)| rest)),
        (Some(source), None) => (Some(source.to_string()), path),
        (None, Some(source)) => (Some(format!("source={source}")), path.split_once('/').map_or(path, |(_, rest)| rest)),
        (None, None) => (None, path),
    };
    let parts: Vec<&str> = path.split('/').collect();
    let key = match dated(&parts) {
        Some(at) => {
            let folder = folder(parts[at]).unwrap_or(parts[at]);
            format!("{folder}/{}", parts[at + 1..].join("/"))
        }
        None => format!("{}/{date}/{path}", folder_of_path(&parts)),
    };
    match given {
        Some(source) => format!("{source}/{key}"),
        None => key,
    }
}

/// Where `<type>/YYYY/MM/DD/<name>` begins in a path: at a type's name, or, for any other name, at the path's beginning.
fn dated(parts: &[&str]) -> Option<usize> {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_dated = |at: usize| {
        matches!(parts.get(at + 1..), Some([year, month, day, _, ..])
            if digits(year, 4) && digits(month, 2) && digits(day, 2))
    };
    (0..parts.len()).find(|at| is_dated(*at) && (*at == 0 || folder(parts[*at]).is_some()))
}

/// The folder of a resource type that a folder's name means: `Encounter` and `encounters` are `encounter`.
fn folder(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    FOLDERS.into_iter().find(|folder| name == *folder || name.strip_suffix('s') == Some(folder))
}

/// The folder of a file, by its name (`Encounter.000.ndjson` is `encounter`), else by the folders that it is in.
fn folder_of_path(parts: &[&str]) -> &'static str {
    let Some((name, folders)) = parts.split_last() else { return "other" };
    let name = name.to_ascii_lowercase();
    let by_name = FOLDERS.into_iter().find(|folder| name.starts_with(folder));
    by_name.or_else(|| folders.iter().rev().find_map(|name| folder(name))).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(source: Option<&str>, path: &str) -> String {
        let source = source.map(|name| name.parse().expect("a name"));
        landing_key(source.as_ref(), path, "2025/06/01")
    }

    #[test]
    fn a_file_lands_by_its_name_or_its_folders() {
        for (path, expected) in [
            ("R4/Encounter.000.ndjson", "encounter/2025/06/01/R4/Encounter.000.ndjson"),
            ("patient_1.json", "patient/2025/06/01/patient_1.json"),
            ("log.ndjson", "other/2025/06/01/log.ndjson"),
            ("encounters/enc.json", "encounter/2025/06/01/encounters/enc.json"),
            ("patient/2025/12/31/patient-1.ndjson", "patient/2025/12/31/patient-1.ndjson"),
            ("device/2025/12/31/d.json", "device/2025/12/31/d.json"),
            ("bronze/encounter/2025/09/15/enc.json", "encounter/2025/09/15/enc.json"),
            ("export/patient/a.ndjson", "patient/2025/06/01/export/patient/a.ndjson"),
            ("patient/2025/12/31", "patient/2025/06/01/patient/2025/12/31"),
        ] {
            assert_eq!(key(None, path), expected);
        }
    }

    #[test]
    fn a_source_is_the_first_segment_and_survives_a_copy_of_landing() {
        assert_eq!(
            key(Some("st-marys"), "p.json"),
            "source=st-marys/patient/2025/06/01/p.json".replace("patient", "other")
        );
        let landed = "source=st-marys/patient/2025/12/31/p.json";
        assert_eq!(key(Some("st-marys"), "patient/2025/12/31/p.json"), landed);
        assert_eq!(key(None, landed), landed);
        assert_eq!(key(Some("other"), landed), "source=other/patient/2025/12/31/p.json");
        assert_eq!((source_of(landed), source_of("patient/2025/12/31/p.json")), (Some("st-marys"), None));
        for wrong in ["", "St-Marys", "a/b", "a_b", "a:b"] {
            assert!(wrong.parse::<SourceName>().is_err(), "{wrong}");
        }
    }
}
