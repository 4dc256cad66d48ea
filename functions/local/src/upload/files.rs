//! The files of a folder that go to S3, and the key of each.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{failure::Failure, ingest, place::BucketPlace};

/// A file on its way.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// The place whose bucket it goes to.
    pub(super) place: BucketPlace,
    /// Its key there.
    pub(super) key: String,
    /// Whether one that is there already stays, whatever is in it: staffed beds that a person may have edited.
    pub(super) stays: bool,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) files: Vec<Outgoing>,
    /// Hidden files, and files of variables, which hold secrets; hidden folders are not counted.
    pub(super) passed_over: u64,
    /// What cannot be sent, and why.
    pub(super) failures: Vec<String>,
}

/// The folder of generated data that is no FHIR.
const REFERENCE: &str = "reference/";

/// Every file below a folder in the order of their names, with its key below the target. Where the target is the landing
/// place of a lake, what a generator left in `reference/` goes to that lake.
pub(super) fn of(folder: &Path, to: &BucketPlace) -> Result<Folder, Failure> {
    let unusable = |error: io::Error| Failure::usage(format!("{}: {error}", folder.display()));
    let lake = if ingest::has_reference(folder) { to.lake() } else { None };
    let mut found = Folder::default();
    let mut names = Vec::new();
    walk(folder, "", &mut names, &mut found).map_err(unusable)?;
    for (name, bytes) in names {
        let aside = lake.as_ref().filter(|_| name.starts_with(REFERENCE));
        let place = aside.unwrap_or(to);
        found.files.push(Outgoing {
            path: folder.join(&name),
            bytes,
            place: place.clone(),
            stays: aside.is_some() && name == metriccare_lake::keys::HOSPITALS,
            key: place.below(&name).prefix,
        });
    }
    if found.files.is_empty() && found.failures.is_empty() {
        return Err(Failure::usage(format!("{}: there is no file in this folder", folder.display())));
    }
    Ok(found)
}

fn walk(folder: &Path, below: &str, names: &mut Vec<(String, u64)>, found: &mut Folder) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            found.failures.push(format!("{}: its name is no UTF-8", entry.path().display()));
            continue;
        };
        let folder_of_its_own = entry.file_type()?.is_dir();
        if name.starts_with('.') || name.ends_with(".env") {
            found.passed_over += u64::from(!folder_of_its_own);
            continue;
        }
        let name = if below.is_empty() { name } else { format!("{below}/{name}") };
        // A link to a folder may lead in a circle: only links to files are followed.
        if folder_of_its_own {
            walk(&entry.path(), &name, names, found)?;
            continue;
        }
        match fs::metadata(entry.path()) {
            Ok(data) if data.is_file() => names.push((name, data.len())),
            Ok(_) => found.passed_over += 1,
            Err(error) => found.failures.push(format!("{name}: {error}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(folder: &Path, bucket: &str, prefix: &str) -> Vec<String> {
        let to = BucketPlace { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
        let found = of(folder, &to).expect("files");
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
    }
}
