//! Making FHIR: a world's patients, object by object, on all threads.
//!
//! An object holds a range of patients that depends on nothing but the population and the shard, so neither threads
//! nor machines change a byte. Each thread has its own buffers; memory does not grow with the population.

pub(crate) mod draft;
mod format;
pub(crate) mod in_order;
mod report;
pub(crate) mod tables;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use format::{Written, pack, pack_pile};
use metriccare_fhir::write::{Date, FhirVersion};
use metriccare_lake::keys;
use metriccare_ports::{DiskStore, ErrorKind, ObjectStore, PutMode};
use metriccare_world::{Answers, Covered, FhirWriter, Known, Resources, Side, World, fhir_directory};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::{
    arguments::{Format, GenerateFhir, Shard},
    failure::Failure,
    output::{Output, count, size},
    progress::Bars,
};

/// Patients in an object of the whole year.
const PATIENTS_PER_OBJECT: u64 = 5_000;
/// Patients in an object of one day of the feed, on which little happens.
const PATIENTS_PER_DAY_OBJECT: u64 = 50_000;

/// What to write of a world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) version: FhirVersion,
    pub(crate) format: Format,
    pub(crate) gzip: bool,
    pub(crate) day: Option<Date>,
    pub(crate) shard: Shard,
    pub(crate) threads: NonZeroUsize,
}

/// What was written, counted as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Generated {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    pub(crate) patients: u64,
    pub(crate) encounters: u64,
    pub(crate) conditions: u64,
    /// Faults that were put in on purpose.
    pub(crate) faults: u64,
}

/// `metriccare generate fhir`.
pub(crate) async fn command(arguments: &GenerateFhir, output: &mut Output) -> Result<(), Failure> {
    report::check(arguments.answer, arguments.shard)?;
    let world = World::new(arguments.world.spec()?)?;
    let store = DiskStore::open("out", &arguments.out)
        .map_err(|error| Failure::usage(format!("--out cannot be used: {error}")))?;
    let request = Request {
        version: arguments.fhir_version.into(),
        format: arguments.format,
        gzip: arguments.gzip,
        day: arguments.day,
        shard: arguments.shard,
        threads: arguments.work.threads(),
    };
    let bars = Bars::new(arguments.answer.json);
    let made = tokio::task::block_in_place(|| generate(&world, request, &store, &store, &bars))?;
    bars.finish();
    let mut words = format!(
        "{} patients, {} encounters and {} conditions in {} files ({}) below {}",
        count(made.patients),
        count(made.encounters),
        count(made.conditions),
        count(made.objects),
        size(made.bytes),
        arguments.out.display()
    );
    if made.faults > 0 {
        let faults = count(made.faults);
        words += &format!("\n{faults} faults were put in; the answer key says what has to become of them");
    }
    let said = || report::say(&world, (&made, &words), arguments.answer, request.threads, &bars, output);
    tokio::task::block_in_place(said)
}

/// Writes a world's FHIR below `landing`, and what others need to know of it below `reference` in `lake`.
///
/// It blocks, and must not be called from an async task without saying so.
pub(crate) fn generate(
    world: &World,
    request: Request,
    landing: &dyn ObjectStore,
    lake: &dyn ObjectStore,
    bars: &Bars,
) -> Result<Generated, Failure> {
    let runtime = Handle::current();
    if let Some(day) = request.day
        && day.ymd().0 != world.spec().year
    {
        return Err(Failure::usage(format!("--day {day}: the world's year is {}", world.spec().year)));
    }
    let place = Place::new(world, request);
    let ranges = ranges(world, request);
    bars.start("generate", ranges.len());
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
                    bars.step(1);
                }
                let mut result = result.lock().unwrap_or_else(PoisonError::into_inner);
                let (made, answers, failed) = &mut *result;
                made.add(&part.made);
                if let Err(error) = answers.merge(&part.answers) {
                    failed.get_or_insert(Failure::failed(error.to_string()));
                }
            });
        }
    });
    let (mut made, answers, failed) = result.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(failure) = failed {
        return Err(failure);
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
pub(crate) fn cut(all: Range<u64>, step: u64) -> Vec<Range<u64>> {
    let cuts = (all.start / step + 1..).map(|cut| cut * step).take_while(|cut| *cut < all.end);
    let starts = std::iter::once(all.start).chain(cuts.clone());
    let ends = cuts.chain(std::iter::once(all.end));
    starts.zip(ends).map(|(start, end)| start..end).filter(|range| !range.is_empty()).collect()
}

/// How many days after the rest dirty data lands that is late.
const LATE_DAYS: i32 = 10;

/// Where and when objects land.
struct Place {
    day: Date,
    /// `YYYY/MM/DD`.
    date: String,
    /// The world's own time of landing, in UTC microseconds: the end of the day, or of the year.
    stamp: i64,
}

impl Place {
    fn new(world: &World, request: Request) -> Self {
        Place::on(request.day.unwrap_or_else(|| Date::from_ymd(world.spec().year, 12, 31)))
    }

    fn on(date: Date) -> Self {
        let stamp = (Date(date.0 + 1).midnight().0 - 1) * 1_000_000;
        Place { day: date, date: date.to_string().replace('-', "/"), stamp }
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
        // The days of a feed add up to one key: its last day counts the patients.
        let counts = self.request.day.is_none_or(|day| day.ymd().1 == 12 && day.ymd().2 == 31);
        let answers = counts.then_some(&mut self.answers);
        self.writer.write(range, &mut self.resources, answers);
        let [patients, encounters, conditions] = self.resources.counts;
        self.made.patients += patients;
        self.made.encounters += encounters;
        self.made.conditions += conditions;
        for (dirt, count) in &self.resources.faults {
            self.answers.inject(*dirt, *count);
        }
        let mut objects = Vec::new();
        for written in pack(&self.resources, self.request.format, self.request.gzip)? {
            objects.push(Object { name: name.clone(), late: false, written, quarantined: BTreeMap::new(), skipped: 0 });
        }
        objects.extend(self.dirty_objects(&name)?);
        let late = Place::on(Date(place.day.0 + LATE_DAYS));
        for object in objects {
            let place = if object.late { &late } else { place };
            let Written { kind, ending, bytes, records } = object.written;
            let key = place.key(kind, &format!("{kind}-{}", object.name), &ending);
            self.made.objects += 1;
            self.made.bytes += bytes.len() as u64;
            self.answers.cover(Covered {
                name: key.clone(),
                sha256: keys::hex(&Sha256::digest(&bytes)),
                accepted: records,
                quarantined: object.quarantined,
                skipped: object.skipped,
            });
            runtime.block_on(landing.put_stamped(&key, bytes.into(), PutMode::Overwrite, place.stamp))?;
        }
        Ok(())
    }

    /// What lands apart from the rest since it is dirty; copies land twice.
    fn dirty_objects(&self, name: &str) -> Result<Vec<Object>, Failure> {
        let mut objects = Vec::new();
        for (side, piles) in Side::ALL.into_iter().zip(&self.resources.sides) {
            let endings: &[&str] = if side == Side::Copies { &["", "-again"] } else { &[""] };
            for (kind, pile) in piles.iter().enumerate().filter(|(_, pile)| !pile.lines.is_empty()) {
                for ending in endings {
                    let quarantined = pile.quarantined.iter().map(|(rule, count)| ((*rule).to_owned(), *count));
                    objects.push(Object {
                        name: format!("{name}-{}{ending}", side.name()),
                        late: side == Side::Late,
                        written: pack_pile(kind, pile, self.request.gzip)?,
                        quarantined: quarantined.collect(),
                        skipped: pile.skipped,
                    });
                }
            }
        }
        Ok(objects)
    }
}

/// An object that is about to land.
struct Object {
    /// The end of its name.
    name: String,
    /// Whether it lands later than the rest.
    late: bool,
    written: Written,
    /// Records in it that cannot be read, by the rule that they break.
    quarantined: BTreeMap<String, u64>,
    /// Records in it of types that the lake does not keep.
    skipped: u64,
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
