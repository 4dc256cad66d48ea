//! Silver and gold made again from the landed objects, in a temporary folder, and compared with those of the lake.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use metriccare_flow::{Worker, drive};
use metriccare_lake::{
    cells, keys,
    schema::TABLES,
    table_file::{self, FileError},
};
use metriccare_ports::{DiskStore, ErrorKind, MemoryLedger, ObjectStore, Ports, PutMode, catalog::NoCatalog};

use super::{Check, rows::Named};
use crate::output::{counted, failure::Failure, progress::Bars};

pub(super) async fn check(worker: &Worker, bars: &Bars) -> Result<Check, Failure> {
    let mut check = Check::named("rebuilt");
    let clock = Arc::clone(&worker.ports.clock);
    let folder = tempfile::tempdir().map_err(|error| no_room(&error))?;
    let fresh: Arc<dyn ObjectStore> = Arc::new(DiskStore::open("lake", folder.path())?);
    if let Some(beds) = read(&*worker.ports.lake, keys::HOSPITALS).await? {
        fresh.put(keys::HOSPITALS, beds.into(), PutMode::Overwrite).await?;
    }
    let withdrawals = worker.ports.lake.list(keys::WITHDRAWALS).await?.into_iter().map(|listed| listed.key);
    for key in withdrawals.chain([keys::WITHDRAWAL_KEY.to_owned()]) {
        if let Some(bytes) = read(&*worker.ports.lake, &key).await? {
            fresh.put(&key, bytes.into(), PutMode::Overwrite).await?;
        }
    }
    let ports = Ports {
        landing: Arc::clone(&worker.ports.landing),
        lake: Arc::clone(&fresh),
        ledger: Arc::new(MemoryLedger::default()),
        catalog: Arc::new(NoCatalog),
        clock,
    };
    let builder = Arc::new(Worker::new(ports, worker.buckets, worker.threads, "verify"));
    let driven = drive(&builder, bars).await?;
    check.differences.extend(driven.failed.iter().map(|(stage, reason)| format!("{stage}: {reason}")));

    let mut all_rows = 0;
    for table in TABLES.iter().copied().filter(|table| !table.path.starts_with("bronze/")) {
        let prefix = format!("{}/", table.path);
        let mut keys = BTreeSet::new();
        for store in [&*worker.ports.lake, &*fresh] {
            keys.extend(store.list(&prefix).await?.into_iter().map(|listed| listed.key));
        }
        for key in keys.into_iter().filter(|key| key.ends_with(".parquet")) {
            let (is, should) = (read(&*worker.ports.lake, &key).await?, read(&*fresh, &key).await?);
            let (Some(is), Some(should)) = (&is, &should) else {
                let words = if is.is_none() { "is missing" } else { "should not be there" };
                check.differences.push(format!("{key} {words}"));
                continue;
            };
            let unreadable = |error: FileError| Failure::failed(error.to_string());
            all_rows += table_file::count_rows(table, should).map_err(unreadable)?;
            if is == should {
                continue;
            }
            let should_rows = cells::read_rows(table, should).map_err(unreadable)?;
            match cells::read_rows(table, is) {
                Ok(rows) => Named::of(table, &rows).differences(Named::of(table, &should_rows), &mut check.differences),
                Err(error) => check.differences.push(format!("{key}: {error}")),
            }
        }
    }
    check.compared = format!("{} of silver and gold, rebuilt from landing", counted(all_rows, "row"));
    Ok(check)
}

fn no_room(error: &std::io::Error) -> Failure {
    Failure::failed(format!("silver and gold are made again in a temporary folder, which cannot be used: {error}"))
}

async fn read(store: &dyn ObjectStore, key: &str) -> Result<Option<Bytes>, Failure> {
    match store.get(key).await {
        Ok(object) => Ok(Some(object.body.bytes().await?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
