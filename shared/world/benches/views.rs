//! Both views in memory, patients per second on one thread: `cargo bench -p metriccare-world`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use metriccare_fhir::write::FhirVersion;
use metriccare_world::{Calibration, FhirWriter, Known, Life, Measures, Resources, Rows, Spec, TablesWriter, World};

/// Patients of a round: as many as a part of the command has.
const PATIENTS: u64 = 500;

fn views(criterion: &mut Criterion) {
    let world = World::new(Spec { patients: 1_000_000, ..Spec::default() }).expect("the default is possible");
    let mut group = criterion.benchmark_group("views");
    group.throughput(Throughput::Elements(PATIENTS)).sample_size(30);
    group.bench_function("lives", |bencher| {
        let mut life = Life::new();
        bencher.iter(|| (0..PATIENTS).for_each(|index| life.simulate(&world, black_box(index))));
    });
    group.bench_function("tables", |bencher| {
        let (mut writer, mut rows, mut sums) = (TablesWriter::new(&world), Rows::default(), Measures::new(&world));
        bencher.iter(|| {
            rows.clear();
            writer.write(black_box(0..PATIENTS), &mut rows, &mut sums);
        });
    });
    group.bench_function("fhir", |bencher| {
        let (mut writer, mut resources) =
            (FhirWriter::new(&world, FhirVersion::R5, Known::YearEnd), Resources::default());
        bencher.iter(|| {
            resources.clear();
            writer.write(black_box(0..PATIENTS), &mut resources, None);
        });
    });
    group.bench_function("calibration", |bencher| {
        let mut life = Life::new();
        bencher.iter(|| {
            let mut sums = Calibration::new(&world);
            (0..PATIENTS).for_each(|index| {
                life.simulate(&world, index);
                sums.add(&world, &life);
            });
            sums.figures().len()
        });
    });
    group.finish();
}

criterion_group!(benches, views);
criterion_main!(benches);
