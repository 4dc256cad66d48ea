//! The two views show the same people and contacts, and the tables keep their own rules.

use std::collections::BTreeMap;

use metriccare_fhir::write::FhirVersion;
use serde_json::Value;

use super::*;
use crate::measures::Measures;
use crate::spec::Spec;
use crate::view::fhir::{FhirWriter, Known, Resources};
use crate::world::World;

type Record = BTreeMap<&'static str, String>;

fn tables(world: &World, cuts: &[u64]) -> (Rows, Measures) {
    let (mut rows, mut measures) = (Rows::default(), Measures::new(world));
    for pair in cuts.windows(2) {
        let mut part = Measures::new(world);
        TablesWriter::new(world).write(pair[0]..pair[1], &mut rows, &mut part);
        measures.merge(&part).unwrap();
    }
    (rows, measures)
}

fn records(table: usize, bytes: &[u8]) -> Vec<Record> {
    let columns: Vec<&'static str> = BY_PATIENT[table].columns.iter().map(|(name, _)| *name).collect();
    let lines = std::str::from_utf8(bytes).unwrap().lines();
    let records = lines.map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), columns.len(), "{line}");
        columns.iter().copied().zip(cells.into_iter().map(str::to_owned)).collect()
    });
    records.collect()
}

#[test]
fn both_views_have_the_same_people_and_contacts() {
    let world = World::new(Spec { patients: 400, ..Spec::default() }).unwrap();
    let (rows, _) = tables(&world, &[0, 400]);
    let mut fhir = Resources::default();
    FhirWriter::new(&world, FhirVersion::R5, Known::YearEnd).write(0..400, &mut fhir, None);
    let lines = |bytes: &[u8]| -> Vec<Value> {
        std::str::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (people, contacts) = (records(0, &rows.patients), records(1, &rows.encounters));
    assert_eq!((rows.counts[0], rows.counts[1]), (fhir.counts[0], fhir.counts[1]));
    for (row, resource) in people.iter().zip(lines(&fhir.patient)) {
        assert_eq!(row["patient_id"], resource["id"].as_str().unwrap());
        assert_eq!(row["date_of_birth"], resource["birthDate"].as_str().unwrap());
        assert_eq!(row["active"] == "true", resource["deceasedDateTime"].is_null());
    }
    for (row, resource) in contacts.iter().zip(lines(&fhir.encounter)) {
        assert_eq!(row["encounter_id"], resource["id"].as_str().unwrap());
        assert_eq!(format!("Patient/{}", row["patient_id"]), resource["subject"]["reference"].as_str().unwrap());
        assert_eq!(
            format!("Organization/{}", row["facility_id"]),
            resource["serviceProvider"]["reference"].as_str().unwrap()
        );
        let end = resource["actualPeriod"]["end"].as_str().unwrap_or_default().replace('T', " ");
        assert_eq!(row["discharge_date"], end.trim_end_matches('Z'));
    }
}

#[test]
fn shards_make_the_same_tables_and_amounts_agree() {
    let world = World::new(Spec { patients: 900, ..Spec::default() }).unwrap();
    let (whole, measures) = tables(&world, &[0, 900]);
    let (parts, summed) = tables(&world, &[0, 100, 101, 640, 900]);
    assert!(whole.claims == parts.claims && whole.registry == parts.registry && whole.encounters == parts.encounters);
    assert_eq!(measures.cms_measures_csv(&world), summed.cms_measures_csv(&world));
    assert_eq!(measures.hai_data_csv(&world), summed.hai_data_csv(&world));
    assert_eq!(Measures::from_json(&summed.to_json()).unwrap(), summed);
    for claim in records(2, &whole.claims) {
        let amount = |name: &str| claim[name].parse::<f64>().unwrap();
        let (claimed, allowed, paid) = (amount("claim_amount"), amount("allowed_amount"), amount("paid_amount"));
        if claim["adjudication_status"] == "Reversed" {
            assert!(claimed < 0.0 && paid >= allowed && allowed >= claimed);
        } else {
            assert!(0.0 <= paid && paid <= allowed && allowed <= claimed, "{claim:?}");
        }
        assert_eq!(claim["adjudication_status"] == "Denied", !claim["denial_reason"].is_empty());
    }
}

#[test]
fn an_exact_number_of_claims_is_exact() {
    for claims in [0, 17, 9_999] {
        let world = World::new(Spec { patients: 300, claims: Some(claims), ..Spec::default() }).unwrap();
        assert_eq!(tables(&world, &[0, 120, 300]).0.counts[2], claims);
    }
}

#[test]
fn some_measures_of_ten_thousand_patients_are_better_and_some_worse_than_the_nation() {
    let world = World::new(Spec { patients: 10_000, ..Spec::default() }).unwrap();
    let mut measures = Measures::new(&world);
    TablesWriter::new(&world).write(0..10_000, &mut Rows::default(), &mut measures);
    let csv = String::from_utf8(measures.cms_measures_csv(&world)).unwrap();
    assert!(csv.contains("Better Than the National Rate") && csv.contains("Worse Than the National Rate"));
    let facilities = String::from_utf8(facilities_csv(&world)).unwrap();
    for kind in ["Acute Care", "Critical Access", "Children's", "Psychiatric", "Rehabilitation"] {
        assert!(facilities.contains(&format!("{kind} Hospital")), "{kind}");
    }
}
