//! Copies the tables that a statement names from a lake on S3 to a temporary folder, for as long as the statement runs.

use std::{
    io,
    path::{Path, PathBuf},
};

use metriccare_lake::{keys, schema::TABLES};
use metriccare_ports::ObjectStore;
use tempfile::TempDir;

use crate::{
    arguments::LakeFlag,
    lake::location::BucketLocation,
    output::{failure::Failure, progress::Bars},
};

/// Tables in a folder, which may be a temporary one.
pub(crate) struct Tables {
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl Tables {
    /// Those of a lake in a folder.
    pub(crate) fn there(folder: &Path) -> Self {
        Tables { folder: folder.to_owned(), _temporary: None }
    }

    /// Where they are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Copies every table whose name is in the statement's text.
pub(crate) async fn copy(place: &BucketLocation, flag: &LakeFlag, sql: &str) -> Result<Tables, Failure> {
    let worker = super::open_existing(place, flag, std::num::NonZeroUsize::MIN).await?;
    let lake = &*worker.ports.lake;
    let sql = sql.to_ascii_lowercase();
    let mut listed = lake.list(keys::HOSPITALS).await?;
    for table in TABLES.iter().filter(|table| sql.contains(&table.glue_name())) {
        listed.extend(lake.list(&format!("{}/", table.path)).await?);
    }
    let temporary = tempfile::tempdir().map_err(|error| unwritable(&error))?;
    let bars = Bars::new(false);
    bars.start("copy", listed.len());
    for object in listed {
        write(lake, &object.key, temporary.path()).await?;
        bars.step(1);
    }
    bars.finish();
    Ok(Tables { folder: temporary.path().to_owned(), _temporary: Some(temporary) })
}

async fn write(lake: &dyn ObjectStore, key: &str, folder: &Path) -> Result<(), Failure> {
    // A bucket may hold keys that are no valid paths; no table has such a key.
    if key.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Ok(());
    }
    let path = folder.join(key);
    std::fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(|error| unwritable(&error))?;
    let bytes = lake.get(key).await?.body.bytes().await?;
    std::fs::write(path, bytes).map_err(|error| unwritable(&error))
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::failed(format!("the tables cannot be copied to a temporary folder: {error}"))
}
