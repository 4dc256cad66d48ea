//! Making FHIR: a world's patients, object by object, on all threads.
//!
//! An object holds a range of patients that depends on nothing but the population and the shard, so neither threads
//! nor machines change a byte. Each thread has its own buffers; memory does not grow with the population.

use std::ops::Range;

use metriccare_lake::keys;
use metriccare_ports::{ErrorKind, ObjectStore, PutMode};
use metriccare_world::{Answers, World, fhir_directory};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::{Failure, Request, Shard, parallel::in_parallel, part::Part, place::Place};

/// Patients in an object of the whole year.
pub(crate) const PATIENTS_PER_OBJECT: u64 = 5_000;
/// Patients in an object of one day of the feed, on which little happens.
const PATIENTS_PER_DAY_OBJECT: u64 = 50_000;

/// What was written, counted as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Generated {
    /// Landed objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Patient resources.
    pub patients: u64,
    /// Encounter resources.
    pub encounters: u64,
    /// Condition resources.
    pub conditions: u64,
    /// Faults that were put in on purpose.
    pub faults: u64,
}

/// Hears how far the work has come, and may end it.
pub trait Progress: Sync {
    /// It will be so many steps.
    fn begin(&self, steps: usize);
    /// One step more is done.
    fn step(&self);
    /// Whether to end before the next step. What has landed stays; the same request lands it again, under the same keys.
    fn ends(&self) -> bool {
        false
    }
}

/// Shows no progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&self, _steps: usize) {}
    fn step(&self) {}
}

/// Writes a world's FHIR below `landing`, and what others need to know of it below `reference` in `lake`.
///
/// It blocks, and must not be called from an async task without saying so.
///
/// # Errors
/// What the stores do, a day of another year than the world's, and an end before all was done.
pub fn generate(
    world: &World,
    request: Request,
    landing: &dyn ObjectStore,
    lake: &dyn ObjectStore,
    progress: &dyn Progress,
) -> Result<Generated, Failure> {
    let runtime = Handle::current();
    if let Some(day) = request.day
        && day.ymd().0 != world.spec().year
    {
        return Err(Failure::Day { day: day.to_string(), year: world.spec().year });
    }
    let place = Place::new(world, request);
    let ranges = ranges(world, request);
    let write = |part: &mut Part<'_>, range| part.write(range, &place, landing, &runtime);
    let parts = in_parallel(&ranges, request.threads, progress, || Part::new(world, request), write)?;
    let (mut made, mut answers) = (Generated::default(), Answers::new(world));
    for part in &parts {
        made.add(&part.made);
        answers.merge(&part.answers)?;
    }
    made.faults = answers.faults().values().map(|fault| fault.count).sum();
    runtime.block_on(async {
        if request.shard.part == 1 && request.day.is_none_or(|day| day.ymd().1 == 1 && day.ymd().2 == 1) {
            write_directory(world, request, &place, landing, &mut made).await?;
        }
        write_reference(world, request, &answers, lake).await
    })?;
    Ok(made)
}

impl Generated {
    fn add(&mut self, other: &Generated) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.patients += other.patients;
        self.encounters += other.encounters;
        self.conditions += other.conditions;
        self.faults += other.faults;
    }
}

/// The ranges of patients that the shard's objects hold.
fn ranges(world: &World, request: Request) -> Vec<Range<u64>> {
    let step = if request.day.is_some() { PATIENTS_PER_DAY_OBJECT } else { PATIENTS_PER_OBJECT };
    cut(world.shard(request.shard.part, request.shard.of), step)
}

/// Cuts a range at the multiples of a step.
pub fn cut(all: Range<u64>, step: u64) -> Vec<Range<u64>> {
    let cuts = (all.start / step + 1..).map(|cut| cut * step).take_while(|cut| *cut < all.end);
    let starts = std::iter::once(all.start).chain(cuts.clone());
    let ends = cuts.chain(std::iter::once(all.end));
    starts.zip(ends).map(|(start, end)| start..end).filter(|range| !range.is_empty()).collect()
}

/// Writes the hospitals, departments and clinicians, which patients' resources refer to.
async fn write_directory(
    world: &World,
    request: Request,
    place: &Place,
    landing: &dyn ObjectStore,
    made: &mut Generated,
) -> Result<(), Failure> {
    let directory = fhir_directory(world, request.version);
    for (kind, lines) in [
        ("organization", directory.organization),
        ("location", directory.location),
        ("practitioner", directory.practitioner),
    ] {
        let key = place.key(kind, kind, ".ndjson");
        made.objects += 1;
        made.bytes += lines.len() as u64;
        landing.put_stamped(&key, lines.into(), PutMode::Overwrite, place.stamp).await?;
    }
    Ok(())
}

/// Writes the hospitals' beds where nobody has yet, and the shard's answer key.
async fn write_reference(
    world: &World,
    request: Request,
    answers: &Answers,
    lake: &dyn ObjectStore,
) -> Result<(), Failure> {
    let beds = world.directory().hospitals_csv();
    match lake.put(keys::HOSPITALS, beds.into_bytes().into(), PutMode::IfAbsent).await {
        Err(error) if error.kind() != ErrorKind::Precondition => return Err(error.into()),
        _ => {}
    }
    let Shard { part, of } = request.shard;
    let key = request.day.map_or_else(|| answers.key(part, of), |day| answers.day_key(day, part, of));
    lake.put(&key, answers.to_json().into_bytes().into(), PutMode::Overwrite).await?;
    Ok(())
}
