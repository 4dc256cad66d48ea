//! The merge as a join of sets: whatever the order, the batching and the repetitions, the same bytes.

use arrow_array::RecordBatch;
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::cells::{Cell, read_rows};
use crate::sample::{ConditionRow, EncounterRow, PatientRow, Version, conditions, encounters, patients};
use crate::schema;
use metriccare_fhir::calendar::DAY;

fn version() -> impl Strategy<Value = Version> {
    let ids = prop::sample::select(vec![None, Some("1"), Some("02"), Some("2"), Some("10"), Some("W/1"), Some("")]);
    (prop::option::of(0..3i64), ids, 0..2i64, 0..3u8).prop_map(|(last_updated, id, precombine_ts, content)| Version {
        last_updated,
        version_id: id.map(str::to_owned),
        precombine_ts,
        content_id: format!("c{content}"),
    })
}

fn maybe(words: &[&str]) -> impl Strategy<Value = Option<String>> + use<> {
    let words: Vec<Option<String>> = words.iter().map(|word| Some((*word).to_owned())).chain([None]).collect();
    prop::sample::select(words)
}

fn encounter() -> impl Strategy<Value = EncounterRow> {
    let who = (0..6u8, maybe(&["p1", "p2", "p3"]), maybe(&["IMP", "IMP", "IMP", "AMB"]));
    let what = (maybe(&["finished", "completed", "in-progress"]), maybe(&["A", "B"]), maybe(&["ER", "ICU"]));
    let when = (prop::option::of(0..40i64), prop::option::of(0..50i64), version());
    (who, what, when).prop_map(|((id, patient, class), (status, hospital, department), (from, to, version))| {
        let day = |day: i64| day * DAY / 2;
        EncounterRow {
            id: format!("e{id}"),
            patient,
            class,
            status,
            hospital,
            department,
            admission: from.map(day),
            discharge: to.map(day),
            version,
            ..EncounterRow::default()
        }
    })
}

fn patient() -> impl Strategy<Value = PatientRow> {
    (0..4u8, maybe(&["male", "female"]), version()).prop_map(|(id, gender, version)| PatientRow {
        id: format!("p{id}"),
        gender,
        version,
        ..PatientRow::default()
    })
}

fn condition() -> impl Strategy<Value = ConditionRow> {
    let codes = maybe(&["T80.211A", "A04.72", "I50.9", "736442006"]);
    (0..5u8, maybe(&["p1", "p2"]), codes, maybe(&["refuted", "confirmed"]), prop::option::of(0..9i64), version())
        .prop_map(|(id, patient, code, verification, recorded, version)| ConditionRow {
            id: format!("c{id}"),
            patient,
            code,
            verification,
            recorded,
            version,
            ..ConditionRow::default()
        })
}

/// Merges the deliveries one after the other.
fn merged(resource: Resource, deliveries: &[Vec<RecordBatch>]) -> Option<Bytes> {
    deliveries.iter().fold(None, |existing: Option<Bytes>, batches| {
        let merged = merge(resource, existing.as_ref(), batches).unwrap();
        assert_eq!(
            merged.changed,
            existing.as_ref() != Some(&merged.parquet) && (existing.is_some() || merged.rows > 0)
        );
        Some(merged.parquet)
    })
}

/// Whatever way rows are delivered, repeated and put together, the object is the same.
fn converges<T: Clone>(
    resource: Resource,
    rows: &[T],
    order: &[T],
    cuts: &[usize],
    batch: impl Fn(&[T]) -> RecordBatch,
) {
    let once = merged(resource, &[vec![batch(rows)]]);
    let mut pieces: Vec<Vec<RecordBatch>> = Vec::new();
    let mut rest = order;
    for cut in cuts {
        let (piece, tail) = rest.split_at((*cut).min(rest.len()));
        pieces.push(piece.chunks(2).map(&batch).collect());
        rest = tail;
    }
    pieces.push(vec![batch(rest), batch(&order[..order.len() / 2])]);
    assert_eq!(merged(resource, &pieces), once, "any order, batching and repetition");
    let replayed = merge(resource, once.as_ref(), &[batch(rows)]).unwrap();
    assert!(!replayed.changed, "a replay changes nothing");
}

/// Rows and the same rows in another order.
fn shuffled<T: Clone + std::fmt::Debug + 'static>(
    row: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = (Vec<T>, Vec<T>)> {
    prop::collection::vec(row, 0..24).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn encounters_converge((rows, order) in shuffled(encounter()), cuts in prop::collection::vec(0..9usize, 0..4)) {
        converges(Resource::Encounter, &rows, &order, &cuts, encounters);
    }

    #[test]
    fn patients_converge((rows, order) in shuffled(patient()), cuts in prop::collection::vec(0..9usize, 0..4)) {
        converges(Resource::Patient, &rows, &order, &cuts, patients);
    }

    #[test]
    fn conditions_converge((rows, order) in shuffled(condition()), cuts in prop::collection::vec(0..9usize, 0..4)) {
        converges(Resource::Condition, &rows, &order, &cuts, conditions);
    }

    #[test]
    fn split_deals_every_row_once(rows in prop::collection::vec(encounter(), 0..40), buckets in 1..20u16) {
        let dealt = split(Resource::Encounter, &encounters(&rows), buckets).unwrap();
        prop_assert_eq!(dealt.iter().map(|(_, batch)| batch.num_rows()).sum::<usize>(), rows.len());
        for (bucket, batch) in dealt {
            let expected: Vec<_> = rows.iter().filter(|row| bucket_of(row.patient.as_deref(), &row.id, buckets) == bucket).cloned().collect();
            prop_assert_eq!(batch, encounters(&expected));
        }
    }
}

fn cell<'a>(rows: &'a [Vec<Cell>], row: usize, column: &str) -> &'a Cell {
    &rows[row][schema::SILVER_ENCOUNTER.columns.iter().position(|(name, _)| *name == column).unwrap()]
}

fn stay(id: &str, from: i64, to: i64) -> EncounterRow {
    EncounterRow {
        id: id.into(),
        patient: Some("p".into()),
        status: Some("finished".into()),
        class: Some("IMP".into()),
        admission: Some(from * DAY),
        discharge: Some(to * DAY),
        ..EncounterRow::default()
    }
}

#[test]
fn the_naive_readmission_looks_back_thirty_days() {
    let rows = [stay("c", 70, 71), stay("a", 0, 5), stay("b", 35, 39), stay("inside", 36, 37)];
    let object = merge(Resource::Encounter, None, &[encounters(&rows)]).unwrap();
    let rows = read_rows(&schema::SILVER_ENCOUNTER, &object.parquet).unwrap();
    let ids: Vec<_> = (0..4).map(|row| cell(&rows, row, "encounter_id").to_string()).collect();
    assert_eq!(ids, ["a", "b", "inside", "c"]);
    assert_eq!(cell(&rows, 0, "prior_encounter_id"), &Cell::Null);
    assert_eq!(cell(&rows, 0, "readmit_flag"), &Cell::Bool(false));
    assert_eq!(cell(&rows, 1, "prior_encounter_id").to_string(), "a");
    assert_eq!(cell(&rows, 1, "days_since_prior"), &Cell::Int(30));
    assert_eq!(cell(&rows, 1, "readmit_flag"), &Cell::Bool(true));
    assert_eq!(cell(&rows, 2, "prior_encounter_id").to_string(), "a");
    assert_eq!(cell(&rows, 3, "prior_encounter_id").to_string(), "b");
    assert_eq!(cell(&rows, 3, "days_since_prior"), &Cell::Int(31));
    assert_eq!(cell(&rows, 3, "readmit_flag"), &Cell::Bool(false));
}

#[test]
fn rows_without_an_admission_come_last() {
    let mut open = stay("a", 0, 0);
    open.admission = None;
    let object = merge(Resource::Encounter, None, &[encounters(&[open, stay("z", 3, 3)])]).unwrap();
    let rows = read_rows(&schema::SILVER_ENCOUNTER, &object.parquet).unwrap();
    assert_eq!(cell(&rows, 0, "encounter_id").to_string(), "z");
    assert_eq!(cell(&rows, 0, "length_days"), &Cell::Int(1));
    assert_eq!(cell(&rows, 0, "length_hours"), &Cell::Float(0.0));
    assert_eq!(cell(&rows, 1, "length_days"), &Cell::Null);
}

#[test]
fn rows_speak_silvers_words() {
    let row = EncounterRow {
        hospital: Some(" A ".into()),
        department: Some("ER".into()),
        disposition: Some("99".into()),
        ..stay("e", 0, 1)
    };
    let object = merge(Resource::Encounter, None, &[encounters(&[row])]).unwrap();
    let rows = read_rows(&schema::SILVER_ENCOUNTER, &object.parquet).unwrap();
    let words = ["hospital_name", "department", "discharge_disposition", "status", "encounter_class"];
    assert_eq!(words.map(|name| cell(&rows, 0, name).to_string()), ["A", "Emergency", "oth", "completed", "inpatient"]);
}

#[test]
fn bronze_files_come_back_with_their_hospital() {
    let table = Resource::Encounter.bronze();
    let all = encounters(&[stay("e", 0, 1), stay("f", 1, 2)]);
    let without: Vec<_> = (0..all.num_columns()).filter(|i| all.schema().field(*i).name() != "hospital_name").collect();
    let bytes = crate::table_file::write(table, &all.project(&without).unwrap(), None).unwrap();
    let key = crate::keys::bronze_file(table.path, "hospital_name", Some("A/B"), "o");
    let batch = read_bronze(Resource::Encounter, &key, &bytes).unwrap();
    let object = merge(Resource::Encounter, None, &[batch]).unwrap();
    let rows = read_rows(&schema::SILVER_ENCOUNTER, &object.parquet).unwrap();
    assert_eq!(cell(&rows, 1, "hospital_name").to_string(), "A/B");
}

#[test]
fn broken_files_are_refused() {
    let broken = Bytes::from_static(b"PAR1 no parquet PAR1");
    assert!(matches!(merge(Resource::Patient, Some(&broken), &[]), Err(crate::table_file::FileError::Read { .. })));
    let object = merge(Resource::Patient, None, &[]).unwrap();
    assert!(!object.changed);
    let error = merge(Resource::Condition, Some(&object.parquet), &[]).unwrap_err();
    assert_eq!(error.to_string(), "silver/condition has no column condition_id of type Utf8");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_object_is_refused_or_read(flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 1..4)) {
        let rows: Vec<_> = (0..40).map(|i| stay(&format!("e{i}"), i, i + 2)).collect();
        let mut bytes = merge(Resource::Encounter, None, &[encounters(&rows)]).unwrap().parquet.to_vec();
        for (place, flip) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
        }
        let _ = merge(Resource::Encounter, Some(&Bytes::from(bytes)), &[encounters(&rows)]);
    }
}
