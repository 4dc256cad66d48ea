//! A lake's settings: read, made with a new lake, and checked before anything is written.

use metriccare_lake::{
    keys,
    settings::{LakeSettings, Layer, Rules, SettingsError},
    silver::SilverCommit,
};
use metriccare_ports::{Error, ErrorKind, ObjectStore, PutMode};

use crate::{error::FlowError, worker::Worker};

/// The settings of a lake; none where it has none.
///
/// # Errors
/// What the store does, and settings that cannot be read.
pub async fn read_settings(lake: &dyn ObjectStore) -> Result<Option<LakeSettings>, FlowError> {
    match lake.read_opt(keys::LAKE_SETTINGS).await? {
        Some((_, bytes)) => Ok(Some(LakeSettings::from_json(&bytes)?)),
        None => Ok(None),
    }
}

/// Refuses to write to a layer of a lake that was made by other rules, or that has another number of buckets than the worker is
/// set to: patients would exist twice.
///
/// A request that fails is tried again by itself, so that a whole batch does not come back for it.
pub(crate) async fn check_settings(worker: &Worker, layer: Layer) -> Result<(), FlowError> {
    worker.until_settled(keys::LAKE_SETTINGS, || check_once(worker, layer)).await
}

async fn check_once(worker: &Worker, layer: Layer) -> Result<(), FlowError> {
    let settings = match (read_settings(&*worker.ports.lake).await?, layer) {
        (Some(settings), _) => settings,
        (None, Layer::Silver) => make(worker).await?,
        // Silver makes the settings, or refuses the lake: nothing is published before that.
        (None, Layer::Bronze | Layer::Gold) => return Ok(()),
    };
    if settings.buckets != worker.buckets {
        let reason = format!(
            "the lake has {} buckets and is asked for {}: the number is fixed for the life of a lake; set it back, or \
             start another lake",
            settings.buckets, worker.buckets
        );
        return Err(Error::new(ErrorKind::Invalid, "merge", keys::LAKE_SETTINGS, reason).into());
    }
    settings.check_rules(layer)?;
    Ok(())
}

/// Writes the settings of a new lake. One that holds something without them was made before there were rules.
async fn make(worker: &Worker) -> Result<LakeSettings, FlowError> {
    let lake = &worker.ports.lake;
    if let Some(any) = lake.list(keys::SILVER_COMMITS).await?.into_iter().next() {
        let bytes = lake.get(&any.key).await?.body.bytes().await?;
        let buckets = SilverCommit::from_json(&bytes).ok().and_then(|commit| commit.buckets);
        return Ok(LakeSettings { buckets: buckets.unwrap_or(worker.buckets), rules: Rules::UNNAMED });
    }
    let settings = LakeSettings::new(worker.buckets);
    match lake.put(keys::LAKE_SETTINGS, settings.to_json().into(), PutMode::IfAbsent).await {
        Ok(_) => Ok(settings),
        Err(error) if matches!(error.kind(), ErrorKind::Precondition | ErrorKind::Conflict) => {
            let settings = read_settings(&**lake).await?;
            settings.ok_or_else(|| SettingsError::Unreadable("it was removed while it was made".to_owned()).into())
        }
        Err(error) => Err(error.into()),
    }
}
