//! Opening a lake on S3: landing and lake, ledger, catalog and number of buckets.
//!
//! Silver and gold are safe with other writers, because every write of theirs is conditional. The ledger only keeps work
//! from being done twice: it is the deployed stack's table, or the one that `LEDGER_TABLE` names, or objects below
//! `_ledger/` of the lake itself. A command that only reads needs none.

use std::{
    hash::{BuildHasher, RandomState},
    num::NonZeroUsize,
    sync::Arc,
};

use metriccare_aws::{DynamoLedger, GlueCatalog};
use metriccare_flow::Worker;
use metriccare_lake::{keys, settings::MOST_BUCKETS, silver::SilverCommit};
use metriccare_ports::{
    Catalog, Clock, Ledger, MemoryLedger, ObjectLedger, Ports, SystemClock, WorkId, catalog::NoCatalog,
};

use super::session::AwsSession;
use crate::{
    arguments::LakeFlag,
    lake::{
        self,
        location::{BucketLocation, DataLocation},
    },
    output::failure::Failure,
};

/// Days that the ledger's table keeps a finished work item, as in the template.
const LEDGER_DAYS: u32 = 90;

/// Opens a lake to work on; created with so many buckets if it does not exist.
pub(crate) async fn open(
    place: &BucketLocation,
    flag: &LakeFlag,
    threads: NonZeroUsize,
    new_buckets: u16,
) -> Result<Arc<Worker>, Failure> {
    let (session, mut ports) = connect(place, flag).await?;
    ports.ledger = ledger(&session, place, &ports).await?;
    ports.catalog = catalog(&session, place);
    let buckets = match buckets(&session, &ports).await? {
        Some(buckets) => buckets,
        None if place.deployed("lake").is_some() => return Err(unknown_buckets(place)),
        None => lake::make(&*ports.lake, new_buckets).await?,
    };
    // Another machine may have the same user and number of process.
    let process = RandomState::new().hash_one(std::process::id());
    Ok(Arc::new(Worker::new(ports, buckets, threads, format!("command-{process:016x}"))))
}

/// Opens an existing lake to read it.
pub(crate) async fn open_existing(
    place: &BucketLocation,
    flag: &LakeFlag,
    threads: NonZeroUsize,
) -> Result<Arc<Worker>, Failure> {
    let (session, ports) = connect(place, flag).await?;
    let Some(buckets) = buckets(&session, &ports).await? else {
        if !ports.lake.list(keys::BRONZE_COMMITS).await?.is_empty() {
            return Err(unknown_buckets(place));
        }
        return Err(Failure::usage(format!(
            "{place}: there is no lake here; make one with `metriccare run --lake {place}`"
        )));
    };
    Ok(Arc::new(Worker::new(ports, buckets, threads, "reader")))
}

/// Logs in and checks both locations; the ports have a ledger in memory and no catalog yet.
async fn connect(place: &BucketLocation, flag: &LakeFlag) -> Result<(AwsSession, Ports), Failure> {
    let landing = match &flag.landing {
        None => place.landing(),
        Some(DataLocation::Bucket(landing)) => landing.clone(),
        Some(DataLocation::Folder(folder)) => {
            let folder = folder.display();
            return Err(Failure::usage(format!("--landing {folder}: the data of a lake on S3 lands on S3")));
        }
    };
    if landing == *place {
        return Err(Failure::usage(format!("--landing {landing}: the lake itself cannot be its landing location")));
    }
    let session = AwsSession::new(&flag.cloud, &[place, &landing]).await?;
    let ports = Ports {
        landing: session.store(&landing),
        lake: session.plain(place),
        ledger: Arc::new(MemoryLedger::default()),
        catalog: Arc::new(NoCatalog),
        clock: Arc::new(SystemClock),
    };
    Ok((session, ports))
}

async fn ledger(session: &AwsSession, place: &BucketLocation, ports: &Ports) -> Result<Arc<dyn Ledger>, Failure> {
    let deployed = place.deployed("lake").map(|stack| stack.ledger());
    let Some(table) = session.variable("LEDGER_TABLE").or(deployed) else {
        return Ok(Arc::new(ObjectLedger::new(Arc::clone(&ports.lake), Arc::clone(&ports.clock))));
    };
    let clock: Arc<dyn Clock> = Arc::clone(&ports.clock);
    let ledger = DynamoLedger::new(&session.account.clients, &table, LEDGER_DAYS, clock);
    let nothing = WorkId::new("nothing", "nothing", "nothing", "nothing", 0);
    let unusable = |error| Failure::usage(format!("AWS cannot be used:\n  the ledger's table {table}: {error}"));
    ledger.look(&nothing).await.map_err(unusable)?;
    Ok(Arc::new(ledger))
}

/// The stack's catalog, so that Athena sees new bronze partitions; silver and gold need none.
fn catalog(session: &AwsSession, place: &BucketLocation) -> Arc<dyn Catalog> {
    let deployed = place.deployed("lake").map(|_| "metriccare".to_owned());
    match session.variable("DATABASE").or(deployed) {
        Some(database) if place.prefix.is_empty() => {
            Arc::new(GlueCatalog::new(&session.account.clients, database, &place.bucket))
        }
        _ => Arc::new(NoCatalog),
    }
}

/// The lake's number of buckets: as its settings or its silver say, or, where nothing is there yet, `BUCKETS`.
async fn buckets(session: &AwsSession, ports: &Ports) -> Result<Option<u16>, Failure> {
    if let Some(buckets) = lake::buckets(&*ports.lake).await? {
        return Ok(Some(buckets));
    }
    for listed in ports.lake.list(keys::SILVER_COMMITS).await? {
        let bytes = ports.lake.get(&listed.key).await?.body.bytes().await?;
        if let Ok(SilverCommit { buckets: Some(buckets), .. }) = serde_json::from_slice(&bytes) {
            return Ok(Some(buckets));
        }
    }
    let Some(text) = session.variable("BUCKETS") else { return Ok(None) };
    match text.parse() {
        Ok(buckets) if (1..=MOST_BUCKETS).contains(&buckets) => Ok(Some(buckets)),
        _ => Err(Failure::usage(format!("BUCKETS is {text}: it must be a whole number from 1 to 1024"))),
    }
}

fn unknown_buckets(place: &BucketLocation) -> Failure {
    Failure::usage(format!(
        "{place}: the number of silver buckets is not known yet; wait for the first silver commit, or set BUCKETS to the \
         stack's parameter Buckets"
    ))
}
