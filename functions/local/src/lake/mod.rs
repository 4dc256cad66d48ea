//! Opening a lake in a folder; one on S3 is opened by [`cloud`].

pub(crate) mod engine_tables;
pub(crate) mod landing_key;
pub(crate) mod location;
pub(crate) mod overlay;
pub(crate) mod rows;
pub(crate) mod unlinked;
pub(crate) mod walk;

use std::{num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use metriccare_flow::Worker;
use metriccare_lake::{keys, settings::LakeSettings, silver::DEFAULT_BUCKETS};
use metriccare_ports::{
    Clock, DiskLedger, DiskStore, ErrorKind, LANDING_FOLDER, LEDGER_FILE, Ledger, MemoryLedger, MemoryStore,
    ObjectStore, Ports, PutMode, SystemClock, catalog::NoCatalog,
};

use crate::{
    arguments::{LakeFlag, TablesFlag},
    cloud,
    lake::{
        engine_tables::{EngineTables, FOLDERS},
        location::DataLocation,
        overlay::Overlay,
    },
    output::failure::Failure,
};

/// The file that makes a folder a lake.
pub(crate) const SETTINGS: &str = keys::LAKE_SETTINGS;

/// Opens the lake of the flags; creates it, with so many buckets, if it does not exist.
pub(crate) async fn open(flag: &LakeFlag, threads: NonZeroUsize, new_buckets: u16) -> Result<Arc<Worker>, Failure> {
    match &flag.lake {
        DataLocation::Folder(folder) => {
            check_landing(flag)?;
            open_folder(folder, threads, new_buckets).await
        }
        DataLocation::Bucket(place) => cloud::open(place, flag, threads, new_buckets).await,
    }
}

/// Opens the lake of the flags, which has to exist, to read it.
///
/// Nothing is written and no lock is taken: the lake may be read-only, and another command may be writing to it.
pub(crate) async fn open_existing(flag: &LakeFlag, threads: NonZeroUsize) -> Result<Arc<Worker>, Failure> {
    match &flag.lake {
        DataLocation::Folder(folder) => {
            check_landing(flag)?;
            require_lake(folder)?;
            read_folder(folder, threads).await
        }
        DataLocation::Bucket(place) => cloud::open_existing(place, flag, threads).await,
    }
}

/// Opens the lake of the flags, which has to exist, to read it; silver and gold are those that another engine wrote, where the
/// flags name its folder.
pub(crate) async fn open_with_tables(
    flag: &LakeFlag,
    tables: &TablesFlag,
    threads: NonZeroUsize,
) -> Result<Arc<Worker>, Failure> {
    let worker = open_existing(flag, threads).await?;
    let Some(folder) = &tables.tables else { return Ok(worker) };
    let base = Arc::new(EngineTables::open(folder)?);
    let lake = Overlay { base, own: Arc::clone(&worker.ports.lake), from_base: FOLDERS };
    let ports = Ports { lake: Arc::new(lake), ..worker.ports.clone() };
    Ok(Arc::new(Worker::new(ports, worker.buckets, threads, "reader")))
}

/// Opens the lake of the flags, which has to exist, to write to it.
pub(crate) async fn open_to_write(flag: &LakeFlag, threads: NonZeroUsize) -> Result<Arc<Worker>, Failure> {
    if let DataLocation::Folder(folder) = &flag.lake {
        require_lake(folder)?;
    }
    open(flag, threads, DEFAULT_BUCKETS).await
}

/// The ledger of the lake of the flags, to look into it; an error says why that is not possible at the moment.
pub(crate) async fn ledger_to_read(flag: &LakeFlag) -> Result<Arc<dyn Ledger>, Failure> {
    match &flag.lake {
        DataLocation::Folder(folder) => {
            let path = folder.join(LEDGER_FILE);
            if !path.is_file() {
                return Err(Failure::failed("the lake has no ledger"));
            }
            Ok(Arc::new(DiskLedger::open(&path)?))
        }
        DataLocation::Bucket(place) => {
            Ok(Arc::clone(&cloud::open(place, flag, NonZeroUsize::MIN, DEFAULT_BUCKETS).await?.ports.ledger))
        }
    }
}

fn check_landing(flag: &LakeFlag) -> Result<(), Failure> {
    let Some(landing) = &flag.landing else { return Ok(()) };
    let lake = &flag.lake;
    Err(Failure::usage(format!(
        "--landing {landing}: the data of a lake in a folder lands inside it, in {lake}/landing"
    )))
}

/// Opens the lake in a folder; creates it if it does not exist.
///
/// Only one process at a time has the lake's ledger. A claim that it finds there was left by a process that has ended, so
/// leases are as short as possible.
async fn open_folder(folder: &Path, threads: NonZeroUsize, new_buckets: u16) -> Result<Arc<Worker>, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ports = ports(folder, &clock).await?;
    let buckets = make(&*ports.lake, new_buckets).await?;
    let mut worker = Worker::new(ports, buckets, threads, format!("local-{}", std::process::id()));
    worker.lease = Duration::from_millis(1);
    Ok(Arc::new(worker))
}

/// Opens the lake in a folder to read it; its ledger is an empty one in memory.
async fn read_folder(folder: &Path, threads: NonZeroUsize) -> Result<Arc<Worker>, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let unusable = |error| Failure::usage(format!("the lake cannot be read: {error}"));
    let lake = DiskStore::open_existing("lake", folder).map_err(unusable)?.hiding(LANDING_FOLDER);
    let landing: Arc<dyn ObjectStore> = match DiskStore::open_existing("landing", folder.join(LANDING_FOLDER)) {
        Ok(landing) => Arc::new(landing.remembering_times(false)),
        // What has landed may have been moved away: bronze does not need it any more.
        Err(error) if error.kind() == ErrorKind::NotFound => Arc::new(MemoryStore::new("landing", Arc::clone(&clock))),
        Err(error) => return Err(unusable(error)),
    };
    let ports = Ports {
        landing,
        lake: Arc::new(lake),
        ledger: Arc::new(MemoryLedger::default()),
        catalog: Arc::new(NoCatalog),
        clock,
    };
    let buckets = buckets(&*ports.lake).await?;
    let buckets = buckets.ok_or_else(|| Failure::usage(format!("{}: {SETTINGS} is missing", folder.display())))?;
    Ok(Arc::new(Worker::new(ports, buckets, threads, "reader")))
}

/// How long to wait for another process to release the lake: one that was just ended needs a moment.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

async fn ports(folder: &Path, clock: &Arc<dyn Clock>) -> Result<Ports, Failure> {
    let step = Duration::from_millis(100);
    let mut waited = Duration::ZERO;
    loop {
        match Ports::disk(folder, Arc::clone(clock)) {
            Err(error) if error.kind() == ErrorKind::Held && waited < LOCK_TIMEOUT => clock.sleep(step).await,
            Err(error) if error.kind() == ErrorKind::Held => return Err(error.into()),
            other => return other.map_err(|error| Failure::usage(format!("the lake cannot be used: {error}"))),
        }
        waited += step;
    }
}

/// Fails if a folder is no lake.
pub(crate) fn require_lake(folder: &Path) -> Result<(), Failure> {
    if folder.join(SETTINGS).is_file() {
        return Ok(());
    }
    let words = "there is no lake here; make one with `metriccare run` or `metriccare ingest`";
    Err(Failure::usage(format!("{}: {words}", folder.display())))
}

/// Creates a lake with so many buckets if there is none, and gives its number of buckets.
pub(crate) async fn make(lake: &dyn ObjectStore, new_buckets: u16) -> Result<u16, Failure> {
    let fresh = LakeSettings::new(new_buckets);
    match lake.put(SETTINGS, fresh.to_json().into(), PutMode::IfAbsent).await {
        Ok(_) => return Ok(fresh.buckets),
        Err(error) if error.kind() == ErrorKind::Precondition => {}
        Err(error) => return Err(Failure::usage(format!("the lake cannot be written: {error}"))),
    }
    buckets(lake)
        .await?
        .ok_or_else(|| Failure::failed(format!("{SETTINGS} of the lake was removed while it was opened")))
}

/// The number of buckets in a lake's settings; none without settings.
pub(crate) async fn buckets(lake: &dyn ObjectStore) -> Result<Option<u16>, Failure> {
    let bytes = match lake.get(SETTINGS).await {
        Ok(object) => object.body.bytes().await?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let read =
        LakeSettings::from_json(&bytes).map_err(|error| Failure::failed(format!("{SETTINGS} of the lake: {error}")))?;
    Ok(Some(read.buckets))
}
