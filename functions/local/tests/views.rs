//! The two views of one world, joined row by row: the FHIR that went through the pipeline beside the tables.

mod folder;

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};

use crate::folder::Folder;

/// A row by its columns, every value as text, what is missing as empty text.
type Row = BTreeMap<String, String>;

/// Silver's code of a disposition, and the tables' words for it.
const DISPOSITIONS: [(&str, &str); 12] = [
    ("", ""),
    ("home", "Home"),
    ("alt-home", "Alternative home"),
    ("other-hcf", "Other healthcare facility"),
    ("hosp", "Hospice"),
    ("long", "Long-term care"),
    ("aadvice", "Left against advice"),
    ("exp", "Expired"),
    ("psy", "Psychiatric hospital"),
    ("rehab", "Rehabilitation"),
    ("snf", "Skilled nursing facility"),
    ("oth", "Other"),
];

#[test]
fn both_views_hold_the_same_patients_and_encounters() {
    let folder = Folder::new("views");
    let world = ["--patients", "700", "--seed", "11", "--year", "2024", "--readmission-rate", "0.3"];
    folder.well(&[&["run", "--lake", "lake"], &world[..]].concat());
    folder.well(&[&["generate", "tables", "--out", "tables"], &world[..]].concat());
    let lake = folder.0.join("lake/silver");

    let (silver, table) = (silver(&lake.join("patient"), "patient_id"), csv(&folder, "patients", "patient_id"));
    same_ids(&silver, &table);
    for (id, row) in &table {
        let other = &silver[id];
        assert_eq!(row["date_of_birth"], other["birth_date"], "{id}");
        assert_eq!(row["gender"].to_lowercase(), other["gender"][..1], "{id}");
        assert_eq!(row["active"] == "true", other["deceased_time"].is_empty(), "{id}");
    }
    assert_eq!(table.len(), 700);

    let facilities = csv(&folder, "facilities", "facility_id");
    let (silver, table) =
        (self::silver(&lake.join("encounter"), "encounter_id"), csv(&folder, "encounters", "encounter_id"));
    same_ids(&silver, &table);
    for (id, row) in &table {
        let other = &silver[id];
        let mut pairs = vec![
            (row["patient_id"].as_str(), other["patient_id"].as_str()),
            (&row["encounter_date"], &other["admission_time"]),
            (&row["discharge_date"], &other["discharge_time"]),
            (&row["primary_diagnosis"], &other["reason_code"]),
            (&row["provider_id"], &other["practitioner_id"]),
            (&facilities[&row["facility_id"]]["facility_name"], &other["hospital_name"]),
            (&row["is_readmission"], &other["readmit_flag"]),
        ];
        if row["is_readmission"] == "true" {
            pairs.push((&row["readmission_days"], &other["days_since_prior"]));
        }
        if row["encounter_type"] == "Inpatient" {
            pairs.push((&row["length_of_stay"], &other["length_days"]));
        }
        pairs.push((&row["discharge_disposition"], disposition(&other["discharge_disposition"])));
        for (at, (one, two)) in pairs.into_iter().enumerate() {
            assert_eq!(one, two, "{id}, pair {at}: {row:?} beside {other:?}");
        }
        let class = match row["encounter_type"].as_str() {
            "Inpatient" | "Inpatient (in progress)" => "inpatient",
            "Emergency" => "emergency",
            "Outpatient" => "outpatient",
            "Virtual" => "virtual",
            "Home Health" => "home",
            other => panic!("{other}"),
        };
        assert_eq!(class, other["encounter_class"]);
    }
    assert!(table.values().any(|row| row["is_readmission"] == "true"), "the rule is put to the test");
}

fn same_ids(one: &BTreeMap<String, Row>, two: &BTreeMap<String, Row>) {
    assert!(one.keys().eq(two.keys()), "{} and {} rows", one.len(), two.len());
}

fn disposition(code: &str) -> &str {
    DISPOSITIONS.iter().find(|(known, _)| *known == code).map(|(_, words)| *words).expect("a code of HL7's")
}

/// The rows of a silver table, over all its buckets.
fn silver(folder: &Path, id: &str) -> BTreeMap<String, Row> {
    let buckets = std::fs::read_dir(folder).expect("silver is there");
    let files: Vec<PathBuf> = buckets.map(|bucket| bucket.expect("an entry").path().join("part.parquet")).collect();
    let mut rows = BTreeMap::new();
    for file in files {
        let reader = SerializedFileReader::new(File::open(file).expect("a bucket's file")).expect("Parquet");
        for row in reader.get_row_iter(None).expect("rows") {
            let row = row.expect("a row");
            let row: Row = row.get_column_iter().map(|(name, field)| (name.clone(), cell(field))).collect();
            assert!(rows.insert(row[id].clone(), row).is_none(), "an id is in one bucket");
        }
    }
    rows
}

fn cell(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::TimestampMicros(_) => field.to_string().trim_end_matches(" +00:00").trim_end_matches(".000000").into(),
        other => other.to_string(),
    }
}

/// The rows of a table's CSV file; none of these tables' values has a comma.
fn csv(folder: &Folder, table: &str, id: &str) -> BTreeMap<String, Row> {
    let text = std::fs::read_to_string(folder.0.join(format!("tables/{table}.csv"))).expect("it was written");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells.len(), header.len(), "{line}");
            header.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect()
        })
        .map(|row: Row| (row[id].clone(), row))
        .collect()
}
