//! Simulated input: a year at once in several objects, or as the feed of its days, a month in each object.

use metriccare_fhir::write::{Date, FhirVersion};
use metriccare_world::{
    FhirWriter, Known, Measures, Resources, Spec, World,
    view::tables::{self, Rows, TablesWriter, facilities_csv, providers_csv},
};

use crate::{Landed, landed::object};

/// A small world of the source documents' three hospitals.
///
/// # Panics
/// Never: its spec is possible.
pub fn world(patients: u64, seed: u64) -> World {
    let spec = Spec { patients, seed, facilities: 3, providers: 20, ..Spec::default() };
    World::new(spec).expect("a possible spec")
}

/// The year as known at its end, in so many shards.
pub fn year(world: &World, version: FhirVersion, shards: u64) -> Vec<Landed> {
    let mut objects = Vec::new();
    for shard in 1..=shards {
        let mut out = Resources::default();
        FhirWriter::new(world, version, Known::YearEnd).write(world.shard(shard, shards), &mut out, None);
        push(&mut objects, &format!("2025/12/31/{shard:02}"), &out);
    }
    objects
}

/// The feed of the year: the versions of each day, gathered by month; the months alternate between R5 and R4.
pub fn feed(world: &World) -> Vec<Landed> {
    let mut objects = Vec::new();
    for month in 1..=12 {
        let version = if month % 2 == 0 { FhirVersion::R4 } else { FhirVersion::R5 };
        let first = Date::from_ymd(2025, month, 1).0;
        let end = if month == 12 { Date::from_ymd(2026, 1, 1).0 } else { Date::from_ymd(2025, month + 1, 1).0 };
        let mut out = Resources::default();
        for day in first..end {
            let known = Known::Day(Date(day));
            FhirWriter::new(world, version, known).write(0..world.spec().patients, &mut out, None);
        }
        push(&mut objects, &format!("2025/{month:02}/28/feed"), &out);
    }
    objects
}

fn push(objects: &mut Vec<Landed>, name: &str, out: &Resources) {
    for (kind, lines) in [("patient", &out.patient), ("encounter", &out.encounter), ("condition", &out.condition)] {
        let second = i64::try_from(objects.len()).unwrap_or_default();
        objects.push(object(&format!("{kind}/{name}.ndjson"), second, lines.clone()));
    }
}

/// The eight tables of a world's relational set as landed CSV.
pub fn tables(world: &World, second: i64) -> Vec<Landed> {
    let (mut rows, mut measures) = (Rows::default(), Measures::new(world));
    TablesWriter::new(world).write(0..world.spec().patients, &mut rows, &mut measures);
    let mut objects = Vec::new();
    for (table, lines) in tables::BY_PATIENT.iter().zip(rows.tables()) {
        let csv = [table.header().as_bytes(), lines].concat();
        objects.push(object(&format!("landing_zone/{}.csv", table.name), second, csv));
    }
    for (name, csv) in [
        ("providers", providers_csv(world)),
        ("facilities", facilities_csv(world)),
        ("cms_measures", measures.cms_measures_csv(world)),
        ("hai_data", measures.hai_data_csv(world)),
    ] {
        objects.push(object(&format!("landing_zone/{name}.csv"), second, csv));
    }
    objects
}
