//! The key under which a person's file lands: its source, resource type and date, and its own name.

use std::{fmt, path::Path, str::FromStr};

/// The folders of resource types.
const FOLDERS: [&str; 7] = ["patient", "encounter", "condition", "organization", "location", "practitioner", "bundle"];

/// The folder that the generator lands relational tables in.
const TABLES: &str = "tables";

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

/// The path of a file as if a folder above its source, type and date had been named.
///
/// Naming `lake/landing`, `lake/landing/patient`, `lake/landing/patient/2025` or the file itself lands a file under the same
/// key: what the named folder's own path says of the source, the type and the date is put before the file's path within it.
pub(crate) fn with_folder(folder_path: &Path, path: &str) -> String {
    let above: Vec<String> =
        folder_path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let all: Vec<&str> = above.iter().map(String::as_str).chain(path.split('/')).collect();
    let is_type = |part: &str| folder(part).is_some() || part == TABLES;
    let dated_type = (0..above.len()).find(|at| is_type(all[*at]) && is_dated(&all, *at));
    let last = above.len().saturating_sub(1);
    let begin = dated_type.or_else(|| above.last().filter(|part| is_type(part)).map(|_| last)).unwrap_or(above.len());
    let source = begin.checked_sub(1).filter(|at| source_of(&format!("{}/", all[*at])).is_some());
    all[source.unwrap_or(begin)..].join("/")
}

/// Where `<type>/YYYY/MM/DD/<name>` begins in a path: at a type's name, or, for any other name, at the path's beginning.
fn dated(parts: &[&str]) -> Option<usize> {
    (0..parts.len()).find(|at| is_dated(parts, *at) && (*at == 0 || folder(parts[*at]).is_some()))
}

/// Whether the part at a place of a path is followed by `YYYY/MM/DD/<name>`.
fn is_dated(parts: &[&str], at: usize) -> bool {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts.get(at + 1..), Some([year, month, day, _, ..])
        if digits(year, 4) && digits(month, 2) && digits(day, 2))
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
    fn the_same_file_has_one_key_however_deep_the_named_folder_lies() {
        for (landed, depths) in [
            ("patient/2025/12/31/p.ndjson", 1..=4),
            ("tables/2025/12/31/claims.csv", 1..=4),
            ("source=x/encounter/2025/09/15/a/enc.json", 1..=5),
        ] {
            let parts: Vec<&str> = landed.split('/').collect();
            for depth in depths {
                let folder = Path::new("/data/landing").join(parts[..depth].join("/"));
                let path = with_folder(&folder, &parts[depth..].join("/"));
                assert_eq!(key(None, &path), landed, "{}", folder.display());
            }
        }
        let of = |folder: &str, path: &str| key(None, &with_folder(Path::new(folder), path));
        assert_eq!(of("/data/encounters", "enc.json"), "encounter/2025/06/01/encounters/enc.json");
        assert_eq!(of("/data/export", "enc.json"), "other/2025/06/01/enc.json");
        assert_eq!(of("/patient/export/2024", "a.json"), "other/2025/06/01/a.json", "2024 is no date of a type");
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
