//! Opening a lake, which is in a folder here; one on S3 is opened by [`cloud`].

pub(crate) mod location;
pub(crate) mod rows;
pub(crate) mod walk;

use std::{num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use metriccare_flow::Worker;
use metriccare_lake::{keys, settings::LakeSettings, silver::DEFAULT_BUCKETS};
use metriccare_ports::{Clock, ErrorKind, ObjectStore, Ports, PutMode, SystemClock};

use crate::{arguments::LakeFlag, cloud, lake::location::DataLocation, output::failure::Failure};

/// The file that makes a folder a lake.
pub(crate) const SETTINGS: &str = keys::LAKE_SETTINGS;

/// Opens the lake of the flags, made where there is none.
pub(crate) async fn open(flag: &LakeFlag, threads: NonZeroUsize) -> Result<Arc<Worker>, Failure> {
    match &flag.lake {
        DataLocation::Folder(folder) => {
            lands_inside(flag)?;
            open_folder(folder, threads).await
        }
        DataLocation::Bucket(place) => cloud::open(place, flag, threads).await,
    }
}

/// Opens the lake of the flags, which has to be there.
pub(crate) async fn open_existing(flag: &LakeFlag, threads: NonZeroUsize) -> Result<Arc<Worker>, Failure> {
    match &flag.lake {
        DataLocation::Folder(folder) => {
            lands_inside(flag)?;
            must_be_there(folder)?;
            open_folder(folder, threads).await
        }
        DataLocation::Bucket(place) => cloud::open_existing(place, flag, threads).await,
    }
}

fn lands_inside(flag: &LakeFlag) -> Result<(), Failure> {
    let Some(landing) = &flag.landing else { return Ok(()) };
    let lake = &flag.lake;
    Err(Failure::usage(format!(
        "--landing {landing}: the data of a lake in a folder lands inside it, in {lake}/landing"
    )))
}

/// Opens the lake in a folder, made where there is none.
///
/// This process holds the lake's ledger alone. A claim that it finds there was left by a process that is no more, so
/// claims hold no longer than they are worked on.
async fn open_folder(folder: &Path, threads: NonZeroUsize) -> Result<Arc<Worker>, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ports = ports(folder, &clock).await?;
    let buckets = make(&*ports.lake).await?;
    let mut worker = Worker::new(ports, buckets, threads, format!("local-{}", std::process::id()));
    worker.lease = Duration::from_millis(1);
    Ok(Arc::new(worker))
}

/// How long to wait for another process to let go of the lake: one that was just ended needs a moment.
const PATIENCE: Duration = Duration::from_secs(5);

async fn ports(folder: &Path, clock: &Arc<dyn Clock>) -> Result<Ports, Failure> {
    let step = Duration::from_millis(100);
    let mut waited = Duration::ZERO;
    loop {
        match Ports::disk(folder, Arc::clone(clock)) {
            Err(error) if error.kind() == ErrorKind::Held && waited < PATIENCE => clock.sleep(step).await,
            Err(error) if error.kind() == ErrorKind::Held => return Err(error.into()),
            other => return other.map_err(|error| Failure::usage(format!("the lake cannot be used: {error}"))),
        }
        waited += step;
    }
}

/// Refuses a folder that is no lake.
pub(crate) fn must_be_there(folder: &Path) -> Result<(), Failure> {
    if folder.join(SETTINGS).is_file() {
        return Ok(());
    }
    let words = "there is no lake here; make one with `metriccare run` or `metriccare ingest`";
    Err(Failure::usage(format!("{}: {words}", folder.display())))
}

/// Makes a lake where there is none, and gives its number of buckets.
pub(crate) async fn make(lake: &dyn ObjectStore) -> Result<u16, Failure> {
    let fresh = LakeSettings::new(DEFAULT_BUCKETS);
    match lake.put(SETTINGS, fresh.to_json().into(), PutMode::IfAbsent).await {
        Ok(_) => return Ok(fresh.buckets),
        Err(error) if error.kind() == ErrorKind::Precondition => {}
        Err(error) => return Err(Failure::usage(format!("the lake cannot be written: {error}"))),
    }
    buckets(lake).await?.ok_or_else(|| Failure::failed(format!("{SETTINGS} of the lake has gone while it was opened")))
}

/// The number of buckets of a lake, where its settings say it.
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
