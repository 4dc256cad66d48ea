//! How fast each stage is on one core, on the generator's own world: `cargo bench -p metriccare-tests`.
//!
//! Throughput is in bytes of FHIR a second, from bronze to gold. Beside bronze stand the two things in it that cannot be
//! left out: its records only parsed, and its bytes only hashed, once as records and once as an object.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read},
    num::NonZeroUsize,
};

use arrow_array::RecordBatch;
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use metriccare_fhir::{
    read::{Encounter, resource},
    write::FhirVersion,
};
use metriccare_lake::{
    bronze::{Flattened, Limits, Sinks, Source, flatten},
    gold::{Fold, Hospitals, Partial, SilverBucket, measure},
    keys,
    silver::{DEFAULT_BUCKETS, Resource, merge, read_bronze, split},
};
use metriccare_world::{FhirWriter, Known, Resources, Spec, World};

const PATIENTS: u64 = 5_000;

struct Memory;

impl Sinks for Memory {
    type File = Vec<u8>;

    fn create(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

fn world() -> World {
    World::new(Spec { patients: PATIENTS, ..Spec::default() }).expect("a possible world")
}

fn fhir(world: &World) -> Resources {
    let mut out = Resources::default();
    FhirWriter::new(world, FhirVersion::R5, Known::YearEnd).write(0..PATIENTS, &mut out, None);
    out
}

/// Reads every line as bronze does, and makes nothing of it.
fn parsed(lines: &[u8]) -> usize {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = |line| resource::read::<Encounter<'_>>(std::str::from_utf8(line).expect("FHIR is UTF-8"));
    lines.map(read).filter(|read| read.as_ref().is_ok_and(|encounter| encounter.id.is_some())).count()
}

/// Hashes every line and the whole.
fn hashed(lines: &[u8]) -> Vec<String> {
    let records = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    records.chain([lines]).map(keys::content_id).collect()
}

fn flattened(lines: &[u8], threads: NonZeroUsize) -> Flattened<Vec<u8>> {
    let source = Source {
        key: "encounter/2025/12/31/encounter.ndjson".to_owned(),
        object_id: "object".to_owned(),
        etag: "etag".to_owned(),
        landed_micros: 1_767_225_600_000_000,
    };
    let open = || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(Cursor::new(lines.to_vec()))) };
    flatten(&source, open, &mut Memory, threads, Limits::default()).expect("memory does not fail")
}

type RowsByObject = BTreeMap<(u16, Resource), Vec<RecordBatch>>;

fn rows_by_object(files: &[(String, Bytes)]) -> RowsByObject {
    let mut all = RowsByObject::new();
    for (key, bytes) in files {
        let resource = Resource::of_bronze_key(key).expect("no quarantine here");
        let rows = read_bronze(resource, key, bytes).expect("it was just written");
        for (bucket, rows) in split(resource, &rows, DEFAULT_BUCKETS).expect("it was just read") {
            all.entry((bucket, resource)).or_default().push(rows);
        }
    }
    all
}

fn merged(all: &RowsByObject) -> BTreeMap<u16, SilverBucket> {
    let mut buckets: BTreeMap<u16, SilverBucket> = BTreeMap::new();
    for ((bucket, resource), rows) in all {
        let bytes = merge(*resource, None, rows).expect("rows of bronze").parquet;
        let silver = buckets.entry(*bucket).or_default();
        match resource {
            Resource::Patient => silver.patient = Some(bytes),
            Resource::Encounter => silver.encounter = Some(bytes),
            Resource::Condition => silver.condition = Some(bytes),
        }
    }
    buckets
}

fn stages(criterion: &mut Criterion) {
    let resources = fhir(&world());
    let all = [&resources.patient, &resources.encounter, &resources.condition];
    let mut group = criterion.benchmark_group("stages");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(resources.encounter.len() as u64));
    let (one, two) = (NonZeroUsize::MIN, NonZeroUsize::MIN.saturating_add(1));
    group.bench_function("bronze: encounters", |bencher| bencher.iter(|| flattened(&resources.encounter, one)));
    group.bench_function("bronze: two threads", |bencher| bencher.iter(|| flattened(&resources.encounter, two)));
    group.bench_function("bronze: only parsed", |bencher| bencher.iter(|| parsed(&resources.encounter)));
    group.bench_function("bronze: only hashed", |bencher| bencher.iter(|| hashed(&resources.encounter)));

    group.throughput(Throughput::Bytes(all.iter().map(|lines| lines.len() as u64).sum()));
    let files: Vec<(String, Bytes)> = all
        .iter()
        .flat_map(|lines| flattened(lines, one).files)
        .map(|(file, bytes)| (file.key, Bytes::from(bytes)))
        .collect();
    group.bench_function("silver: read and partition", |bencher| bencher.iter(|| rows_by_object(&files)));
    let rows = rows_by_object(&files);
    group.bench_function("silver: merge", |bencher| bencher.iter(|| merged(&rows)));
    let buckets = merged(&rows);
    let measured = || -> Vec<Partial> {
        let one = |(bucket, silver): (&u16, &SilverBucket)| measure(*bucket, silver, "").expect("silver").partial;
        buckets.iter().map(one).collect()
    };
    group.bench_function("gold: measure", |bencher| bencher.iter(measured));
    let partials = measured();
    group.bench_function("gold: fold", |bencher| bencher.iter(|| fold(&partials)));
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);

fn fold(partials: &[Partial]) -> usize {
    let mut sums = Fold::default();
    partials.iter().for_each(|partial| sums.add(partial));
    sums.finish(&Hospitals::default(), "").expect("memory").len()
}
