//! The relational set through the pipeline: the generator's own tables, landed beside its FHIR, become the star.

use std::collections::BTreeSet;

use metriccare_fhir::write::FhirVersion;
use metriccare_lake::{
    cells::Cell,
    relational::{self, RELATIONAL, RelationalTable},
    schema::{BRONZE_QUARANTINE, SILVER_ENCOUNTER, Table},
};
use metriccare_tests::{Cloud, LakeContents, Landed, column, simulated};
use metriccare_world::view::tables as view;

/// The tables as the generator declares them.
const GENERATED: [view::Table; 8] = [
    view::PATIENTS,
    view::PROVIDERS,
    view::FACILITIES,
    view::ENCOUNTERS,
    view::CLAIMS,
    view::REGISTRY,
    view::CMS_MEASURES,
    view::HAI_DATA,
];

#[test]
fn the_lake_reads_the_columns_that_the_generator_writes() {
    for (generated, read) in GENERATED.iter().zip(RELATIONAL) {
        let generated_columns: Vec<&str> = generated.columns.iter().map(|(name, _)| *name).collect();
        let read_columns: Vec<&str> = read.columns.iter().map(|(name, _)| *name).collect();
        assert_eq!((generated.name, generated_columns), (read.name, read_columns));
    }
}

fn column_of(lake: &LakeContents, table: &'static Table, name: &str) -> BTreeSet<String> {
    let at = column(table, name);
    lake.rows(table).iter().map(|row| row[at].to_string()).filter(|text| !text.is_empty()).collect()
}

fn rows_of(lake: &LakeContents, table: &'static RelationalTable) -> Vec<Vec<Cell>> {
    lake.rows(&table.silver)
}

#[tokio::test]
async fn the_star_has_every_row_and_its_keys_meet_each_other_and_the_fhir_view() {
    let world = simulated::world(60, 11);
    let tables = simulated::tables(&world, 100);
    let lines: Vec<usize> =
        tables.iter().map(|object| object.bytes.iter().filter(|byte| **byte == b'\n').count() - 1).collect();
    let mut objects = simulated::year(&world, FhirVersion::R5, 1);
    objects.extend(tables);
    let lake = Cloud::driven(&objects, "").await;
    assert!(lake.rows(&BRONZE_QUARANTINE).is_empty(), "every generated cell has its column's type");

    let in_order =
        ["patients", "encounters", "claims", "registry", "providers", "facilities", "cms_measures", "hai_data"];
    for (name, lines) in in_order.iter().zip(lines) {
        let table = RELATIONAL.into_iter().find(|table| table.name == *name).expect("one of the eight");
        assert_eq!(rows_of(&lake, table).len(), lines, "{name}");
    }
    let patients = column_of(&lake, &relational::PATIENTS.silver, "patient_id");
    let facilities = column_of(&lake, &relational::FACILITIES.silver, "facility_id");
    let providers = column_of(&lake, &relational::PROVIDERS.silver, "provider_id");
    for (table, name, parents) in [
        (&relational::ENCOUNTERS, "patient_id", &patients),
        (&relational::ENCOUNTERS, "facility_id", &facilities),
        (&relational::ENCOUNTERS, "provider_id", &providers),
        (&relational::CLAIMS, "patient_id", &patients),
        (&relational::REGISTRY, "patient_id", &patients),
        (&relational::CMS_MEASURES, "facility_id", &facilities),
        (&relational::HAI_DATA, "facility_id", &facilities),
    ] {
        let children = column_of(&lake, &table.silver, name);
        assert!(!children.is_empty() && children.is_subset(parents), "{}.{name}", table.name);
    }
    let both = |table: &'static Table| column_of(&lake, table, "encounter_id");
    assert_eq!(both(&relational::ENCOUNTERS.silver), both(&SILVER_ENCOUNTER), "both views have the same encounters");
}

#[tokio::test]
async fn a_later_delivery_replaces_rows_by_their_key_whatever_comes_first() {
    let world = simulated::world(20, 12);
    let first = simulated::tables(&world, 100);
    let mut second = simulated::tables(&world, 200);
    for object in &mut second {
        object.key = format!("next/{}", object.key);
        // Every claim is paid in full now: the text is changed, not the keys.
        object.bytes = String::from_utf8(object.bytes.to_vec()).expect("text").replace(",Denied,", ",Paid,").into();
    }
    let forward: Vec<Landed> = first.iter().chain(&second).cloned().collect();
    let backward: Vec<Landed> = second.iter().chain(&first).cloned().collect();
    let (forward, backward) = (Cloud::driven(&forward, "").await, Cloud::driven(&backward, "").await);
    forward.assert_same(&backward, "the order of landing");
    let statuses = column_of(&forward, &relational::CLAIMS.silver, "adjudication_status");
    assert!(statuses.contains("Paid") && !statuses.contains("Denied"), "{statuses:?}");
    let claims = rows_of(&forward, &relational::CLAIMS).len();
    let once = Cloud::driven(&first, "").await;
    assert_eq!(claims, rows_of(&once, &relational::CLAIMS).len());
    assert!(column_of(&once, &relational::CLAIMS.silver, "adjudication_status").contains("Denied"));
}
