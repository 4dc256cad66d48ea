//! The files of a folder that go to S3, and the key of each.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    commands::{ingest, plausible},
    lake::{
        landing_key::SourceName,
        location::BucketLocation,
        walk::{File, walk},
    },
    output::failure::Failure,
};

/// A file to upload.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// The time that the object lands with: the file's own, where that is plausible.
    pub(super) landed_micros: Option<i64>,
    /// The location whose bucket it goes to.
    pub(super) place: BucketLocation,
    /// Its key there.
    pub(super) key: String,
    /// Whether an existing object is kept, whatever it holds: staffed beds that a person may have edited.
    pub(super) stays: bool,
}

/// What a folder holds.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) files: Vec<Outgoing>,
    /// Hidden files, files of variables, which hold secrets, and links to folders; hidden folders are not counted.
    pub(super) passed_over: u64,
    /// What cannot be sent, and why.
    pub(super) failures: Vec<String>,
}

/// The folder of generated data that is not FHIR.
const REFERENCE: &str = "reference/";

/// Every file below a folder in the order of their names, with its key below the target. Where the target is the landing
/// place of a lake, what a generator left in `reference/` goes to that lake.
pub(super) fn of(
    folder: &Path,
    to: &BucketLocation,
    source: Option<&SourceName>,
    now_micros: i64,
) -> Result<Folder, Failure> {
    let unusable = |error: io::Error| Failure::usage(format!("{}: {error}", folder.display()));
    let lake = if ingest::has_reference(folder) { to.lake() } else { None };
    let mut secret_or_hidden = 0;
    let below = walk(folder, &mut |entry| {
        let aside = entry.name.starts_with('.') || entry.name.ends_with(".env");
        // A folder of such a name is not counted, whatever it holds; a link to one is.
        secret_or_hidden += u64::from(aside && !fs::symlink_metadata(entry.path).is_ok_and(|data| data.is_dir()));
        aside
    });
    let below = below.map_err(unusable)?;
    let passed_over = secret_or_hidden + below.passed_over.len() as u64;
    let mut found = Folder { files: Vec::new(), passed_over, failures: below.failures };
    for File { path, name } in below.files {
        if path.strip_prefix(folder).is_ok_and(|below| below.to_str().is_none()) {
            found.failures.push(format!("{}: its name is no UTF-8", path.display()));
            continue;
        }
        plausible::check_file(&path, &name)?;
        let bytes = match fs::metadata(&path) {
            Ok(data) => data.len(),
            Err(error) => {
                found.failures.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        // A file that has no time lands at the bucket's.
        let modified = fs::File::open(&path).and_then(|file| ingest::modified_micros(&file)).ok();
        let aside = lake.as_ref().filter(|_| name.starts_with(REFERENCE));
        let place = aside.unwrap_or(to);
        let source = source.filter(|_| !name.starts_with(REFERENCE)).map(|source| format!("{source}/"));
        found.files.push(Outgoing {
            path,
            bytes,
            landed_micros: modified.map(|modified| ingest::landed_time(modified, now_micros)),
            place: place.clone(),
            stays: aside.is_some() && name == metriccare_lake::keys::HOSPITALS,
            key: place.join(&format!("{}{name}", source.unwrap_or_default())).prefix,
        });
    }
    if found.files.is_empty() && found.failures.is_empty() {
        return Err(Failure::usage(format!("{}: there is no file in this folder", folder.display())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(folder: &Path, bucket: &str, prefix: &str) -> Vec<String> {
        keys_of(folder, bucket, prefix, None)
    }

    fn keys_of(folder: &Path, bucket: &str, prefix: &str, source: Option<&str>) -> Vec<String> {
        let source = source.map(|name| name.parse().expect("a name"));
        let to = BucketLocation { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
        let found = of(folder, &to, source.as_ref(), i64::MAX).expect("files");
        found
            .files
            .iter()
            .map(|file| format!("{}:{}{}", file.place.bucket, file.key, if file.stays { "!" } else { "" }))
            .collect()
    }

    #[test]
    fn reference_goes_to_the_lake_and_secrets_stay() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in [
            "patient/2025/12/31/p.ndjson",
            "reference/hospitals.csv",
            "reference/_answers/w/1-of-1.json",
            ".env",
            "my.env",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "x").expect("written");
        }
        let plain = [
            "data:in/patient/2025/12/31/p.ndjson",
            "data:in/reference/_answers/w/1-of-1.json",
            "data:in/reference/hospitals.csv",
        ];
        assert_eq!(keys(folder.path(), "data", "in"), plain);
        let beside = [
            "data:q/landing/patient/2025/12/31/p.ndjson",
            "data:q/reference/_answers/w/1-of-1.json",
            "data:q/reference/hospitals.csv!",
        ];
        assert_eq!(keys(folder.path(), "data", "q/landing"), beside);
        let stack = keys(folder.path(), "m-landing-123456789012-eu-central-1", "");
        assert_eq!(stack[0], "m-landing-123456789012-eu-central-1:patient/2025/12/31/p.ndjson");
        assert_eq!(stack[2], "m-lake-123456789012-eu-central-1:reference/hospitals.csv!");
        let named = keys_of(folder.path(), "data", "q/landing", Some("st-marys"));
        assert_eq!(named[0], "data:q/landing/source=st-marys/patient/2025/12/31/p.ndjson");
        assert_eq!(named[1..], beside[1..], "reference data has no source");
    }
}
