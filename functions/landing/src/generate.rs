//! Making FHIR: a world's patients, object by object, on all threads.
//!
//! An object holds a range of patients that depends on nothing but the population and the shard, so neither threads
//! nor machines change a byte. Each thread has its own buffers; memory does not grow with the population.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use metriccare_fhir::write::Date;
use metriccare_lake::keys;
use metriccare_ports::{ErrorKind, ObjectStore, PutMode};
use metriccare_world::{Answers, FhirWriter, Known, Resources, World, fhir_directory};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::{
    Failure, Request,
    format::{Written, pack},
};

/// Patients in an object of the whole year.
const PATIENTS_PER_OBJECT: u64 = 5_000;
/// Patients in an object of one day of the feed, on which little happens.
const PATIENTS_PER_DAY_OBJECT: u64 = 50_000;

/// What was written, counted as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
}

/// Hears how far the work has come.
pub trait Progress: Sync {
    /// It will be so many steps.
    fn begin(&self, steps: usize);
    /// One step more is done.
    fn step(&self);
}

/// Nobody is watching.
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
/// What the stores do, and a day of another year than the world's.
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
    progress.begin(ranges.len());
    let next = AtomicUsize::new(0);
    let result = Mutex::new((Generated::default(), Answers::new(world), None::<Failure>));
    std::thread::scope(|scope| {
        for _ in 0..request.threads.get().min(ranges.len()) {
            scope.spawn(|| {
                let mut part = Part::new(world, request);
                while let Some(range) = ranges.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(failure) = part.write(range.clone(), &place, landing, &runtime) {
                        result.lock().unwrap_or_else(PoisonError::into_inner).2.get_or_insert(failure);
                        next.store(ranges.len(), Ordering::Relaxed);
                    }
                    progress.step();
                }
                let mut result = result.lock().unwrap_or_else(PoisonError::into_inner);
                let (made, answers, failed) = &mut *result;
                made.add(&part.made);
                if let Err(error) = answers.merge(&part.answers) {
                    failed.get_or_insert(error.into());
                }
            });
        }
    });
    let (mut made, answers, failed) = result.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(failure) = failed {
        return Err(failure);
    }
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

/// Where and when objects land.
struct Place {
    /// `YYYY/MM/DD`.
    date: String,
    /// The world's own time of landing, in UTC microseconds: the end of the day, or of the year.
    stamp: i64,
}

impl Place {
    fn new(world: &World, request: Request) -> Self {
        let date = request.day.unwrap_or_else(|| Date::from_ymd(world.spec().year, 12, 31));
        let stamp = (Date(date.0 + 1).midnight().0 - 1) * 1_000_000;
        Place { date: date.to_string().replace('-', "/"), stamp }
    }

    fn key(&self, kind: &str, name: &str, ending: &str) -> String {
        format!("{kind}/{}/{name}{ending}", self.date)
    }
}

/// One thread's share of the work.
struct Part<'w> {
    request: Request,
    writer: FhirWriter<'w>,
    resources: Resources,
    answers: Answers,
    made: Generated,
}

impl<'w> Part<'w> {
    fn new(world: &'w World, request: Request) -> Self {
        let known = request.day.map_or(Known::YearEnd, Known::Day);
        Part {
            request,
            writer: FhirWriter::new(world, request.version, known),
            resources: Resources::default(),
            answers: Answers::new(world),
            made: Generated::default(),
        }
    }

    fn write(
        &mut self,
        range: Range<u64>,
        place: &Place,
        landing: &dyn ObjectStore,
        runtime: &Handle,
    ) -> Result<(), Failure> {
        self.resources.clear();
        let name = format!("{:08}-{:08}", range.start + 1, range.end);
        // A day is not the whole answer: only the year's key is written.
        let answers = if self.request.day.is_none() { Some(&mut self.answers) } else { None };
        self.writer.write(range, &mut self.resources, answers);
        let [patients, encounters, conditions] = self.resources.counts;
        self.made.patients += patients;
        self.made.encounters += encounters;
        self.made.conditions += conditions;
        for written in pack(&self.resources, self.request.format, self.request.gzip)? {
            let Written { kind, ending, bytes } = written;
            let key = place.key(kind, &format!("{kind}-{name}"), &ending);
            self.made.objects += 1;
            self.made.bytes += bytes.len() as u64;
            self.answers.cover(&key, keys::hex(&Sha256::digest(&bytes)));
            runtime.block_on(landing.put_stamped(&key, bytes.into(), PutMode::Overwrite, place.stamp))?;
        }
        Ok(())
    }
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
    if request.day.is_none() {
        let key = answers.key(request.shard.part, request.shard.of);
        lake.put(&key, answers.to_json().into_bytes().into(), PutMode::Overwrite).await?;
    }
    Ok(())
}
