//! What explain says is what gold holds: every count of the attrition, every verdict of a stay.

mod folder;

use std::{collections::BTreeSet, fs};

use metriccare_lake::{
    cells::{self, Cell},
    schema::{GOLD_READMISSION, GOLD_STAY, Table},
};
use serde_json::Value;

use crate::folder::Folder;

/// All rows of a gold table, each column by its name.
struct Gold {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Gold {
    fn read(folder: &Folder, table: &'static Table) -> Self {
        let files = folder.files(&format!("lake/{}", table.path));
        let rows =
            files.into_values().flat_map(|bytes| cells::read_rows(table, &bytes.into()).expect("it can be read"));
        Gold { columns: table.file_columns().map(|(name, _)| name).collect(), rows: rows.collect() }
    }

    fn cell<'a>(&self, row: &'a [Cell], column: &str) -> &'a Cell {
        &row[self.columns.iter().position(|name| *name == column).expect("a column")]
    }

    fn sum(&self, column: &str, keep: impl Fn(&[Cell]) -> bool) -> i64 {
        let number = |row: &Vec<Cell>| match self.cell(row, column) {
            Cell::Int(number) => *number,
            _ => 0,
        };
        self.rows.iter().filter(|row| keep(row)).map(number).sum()
    }
}

fn explained(folder: &Folder, arguments: &[&str]) -> Value {
    let all = [&["explain"], arguments, &["--json"]].concat();
    serde_json::from_str(&folder.well(&all)).expect("JSON")
}

/// What is left when every step has taken what it takes; each total that is said on the way is what was left.
fn remaining(steps: &Value) -> i64 {
    let mut left = None;
    for step in steps.as_array().expect("steps") {
        let count = step["count"].as_i64().expect("a count");
        left = match (left, step["leaves"].as_bool().expect("a flag")) {
            (None, false) => Some(count),
            (Some(left), false) => {
                assert_eq!(left, count, "{steps}");
                Some(left)
            }
            (Some(left), true) => Some(left - count),
            (None, true) => panic!("the first step takes something from nothing"),
        };
    }
    left.expect("at least one step")
}

#[test]
fn the_attrition_ends_in_golds_numbers_for_the_lake_a_hospital_and_a_month() {
    let folder = Folder::new("attrition");
    folder.well(&["run", "--patients", "1500", "--facilities", "3", "--dirty", "entered-in-error=3%,overlaps=5%"]);
    let gold = Gold::read(&folder, &GOLD_READMISSION);
    let text = |row: &[Cell], column| gold.cell(row, column).to_string();
    let hospital = text(&gold.rows[0], "hospital_name");
    let mut planned = false;
    for (hospital, month) in [
        (None, None),
        (Some(hospital.as_str()), None),
        (None, Some("2025-03")),
        (Some(hospital.as_str()), Some("2025-03")),
    ] {
        let mut arguments = vec!["readmission"];
        arguments.extend(hospital.into_iter().flat_map(|name| ["--hospital", name]));
        arguments.extend(month.into_iter().flat_map(|month| ["--month", month]));
        let said = explained(&folder, &arguments);
        let stays = remaining(&said["encounters"]);
        let definitions = said["definitions"].as_array().expect("definitions");
        assert_eq!(definitions.len(), 3);
        assert_eq!(definitions[0]["steps"][0]["count"], stays);
        for definition in definitions {
            let keep = |row: &[Cell]| {
                text(row, "definition") == definition["definition"]
                    && hospital.is_none_or(|name| text(row, "hospital_name") == name)
                    && month.is_none_or(|month| text(row, "month") == month)
            };
            let readmissions = gold.sum("readmissions", keep);
            assert_eq!(definition["index_stays"], gold.sum("index_stays", keep), "{definition}");
            assert_eq!(definition["readmissions"], readmissions, "{definition}");
            assert_eq!(remaining(&definition["steps"]), readmissions);
            planned |= definition["steps"].to_string().contains("first return planned");
            if hospital.is_some() && month.is_some() {
                let row = gold.rows.iter().find(|row| keep(row)).expect("a row of gold");
                let Cell::Float(rate) = gold.cell(row, "rate") else { panic!("no rate") };
                assert_eq!(definition["rate"].as_f64(), Some(*rate), "one row of gold has the same rate");
                assert_eq!(definition["ci_high"].to_string(), gold.cell(row, "ci_high").to_string());
            }
        }
    }
    assert!(planned, "a year has planned returns");
    let words = folder.well(&["explain", "readmission"]);
    for said in
        ["not inpatient: emergency", "status entered-in-error", "died in hospital", "under 65 years", "95 % interval"]
    {
        assert!(words.contains(said), "{said}: {words}");
    }
}

#[test]
fn a_stay_is_explained_by_its_ledger_row_and_its_landed_lines() {
    let folder = Folder::new("story");
    folder.well(&["run", "--patients", "1500", "--facilities", "3"]);
    let gold = Gold::read(&folder, &GOLD_STAY);
    // One stay of each kind of verdict, with and without infections and returns.
    let mut kinds = BTreeSet::new();
    let mut explained_stays = 0;
    for row in &gold.rows {
        let kind: Vec<_> = ["hwr_status", "readmitted", "naive_readmitted", "planned_rule", "infections", "died_30d"]
            .map(|column| gold.cell(row, column).to_string())
            .into();
        if explained_stays == 24 || !kinds.insert(kind) {
            continue;
        }
        explained_stays += 1;
        let id = gold.cell(row, "stay_id").to_string();
        let said = explained(&folder, &["stay", &id]);
        let [report] = said["stays"].as_array().expect("stays").as_slice() else { panic!("{said}") };
        for (column, cell) in gold.columns.iter().zip(row) {
            let value = &report["stay"][column];
            let value = value
                .as_str()
                .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned);
            assert!(
                value == cell.to_string() || matches!(cell, Cell::Float(_)),
                "{id}: {column} is {value}, not {cell}"
            );
        }
        assert_eq!(report["next"]["stay_id"].as_str().unwrap_or_default(), gold.cell(row, "next_stay_id").to_string());
        let infections = report["infections"].as_array().expect("infections");
        let counted = infections.iter().filter(|infection| infection["hospital_onset"] == true).count();
        assert_eq!(counted.to_string(), gold.cell(row, "infections").to_string(), "{id}");
        let versions = report["versions"].as_array().expect("versions");
        assert_eq!(versions.iter().filter(|version| version["counts"] == true).count(), 1, "{id}");
        for version in versions {
            let path = folder.0.join("lake/landing").join(version["sourcename"].as_str().expect("a key"));
            let landed = fs::read_to_string(path).expect("the landed object");
            let line = version["line"].as_u64().expect("a line") as usize;
            assert!(
                landed.lines().nth(line - 1).expect("it is there").contains(&format!("\"id\":\"{id}\"")),
                "{id}: line {line}"
            );
        }
        let words = folder.well(&["explain", "stay", &id]);
        assert_eq!(words.contains("yes, by "), report["stay"]["readmitted"] == true, "{words}");
    }
    assert!(explained_stays >= 10, "{explained_stays} kinds of stays");
}

#[test]
fn lines_are_found_in_bundles_and_versions_are_distinguished() {
    let folder = Folder::new("bundle");
    let encounter = |status: &str, version: u32, updated: &str| {
        format!(
            "{{\"resourceType\":\"Encounter\",\"id\":\"e1\",\"meta\":{{\"versionId\":\"{version}\",\"lastUpdated\":\"{updated}\"}},\
             \"status\":\"{status}\",\"class\":{{\"code\":\"IMP\"}},\"subject\":{{\"reference\":\"Patient/p\"}},\
             \"period\":{{\"start\":\"2024-01-01T08:00:00Z\",\"end\":\"2024-01-04T08:00:00Z\"}}}}"
        )
    };
    let infection = r#"{"resourceType":"Condition","id":"c1","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"A04.72"}]},
        "subject":{"reference":"Patient/p"},"encounter":{"reference":"Encounter/e1"},"onsetDateTime":"2024-01-04"}"#;
    let old = encounter("in-progress", 1, "2024-01-01T09:00:00Z");
    let new = encounter("finished", 2, "2024-01-04T09:00:00Z");
    let bundle = format!(
        "{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[\n{{\"resource\":\n{new}}},\n{{\"resource\":{infection}}}\n]}}"
    );
    fs::write(folder.0.join("bundle.json"), bundle).expect("it can be written");
    fs::write(folder.0.join("old.ndjson"), format!("\n{old}\n")).expect("it can be written");
    folder.well(&["ingest", "bundle.json", "old.ndjson"]);
    let said = explained(&folder, &["stay", "e1"]);
    let versions = said["stays"][0]["versions"].as_array().expect("versions");
    let seen: Vec<_> = versions
        .iter()
        .map(|version| (version["version_id"].as_str(), version["line"].as_u64(), version["counts"].as_bool()))
        .collect();
    assert_eq!(seen, [(Some("1"), Some(2), Some(false)), (Some("2"), Some(2), Some(true))]);
    let words = folder.well(&["explain", "stay", "e1"]);
    for said in [
        "cdi, onset 2024-01-04, day 4 of the stay: began in hospital",
        "(the one that counts)",
        "none in this lake",
        "hospital  ",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    let landed = versions[1]["sourcename"].as_str().expect("a key");
    fs::remove_file(folder.0.join("lake/landing").join(landed)).expect("it is there");
    assert!(
        explained(&folder, &["stay", "e1"])["stays"][0]["versions"][1]["line"].is_null(),
        "a landed object may be gone"
    );
}

#[test]
fn unknown_names_get_suggestions() {
    let folder = Folder::new("unknown");
    folder.well(&["run", "--patients", "300", "--facilities", "2"]);
    let hospital = {
        let gold = Gold::read(&folder, &GOLD_READMISSION);
        gold.cell(&gold.rows[0], "hospital_name").to_string()
    };
    let slip = hospital.to_lowercase();
    let emergency = {
        use metriccare_lake::schema::SILVER_ENCOUNTER;
        let silver = Gold::read(&folder, &SILVER_ENCOUNTER);
        let row =
            silver.rows.iter().find(|row| silver.cell(row, "encounter_class").to_string() == "emergency").expect("one");
        silver.cell(row, "encounter_id").to_string()
    };
    for (arguments, words) in [
        (vec!["readmission", "--hospital", slip.as_str()], format!("did you mean \"{hospital}\"")),
        (vec!["readmission", "--hospital", "nowhere at all"], "its 2 hospitals are: ".to_owned()),
        (vec!["readmission", "--month", "2025-13"], "YYYY-MM".to_owned()),
        (vec!["readmission", "--month", "1999-01"], "its months are from 2025-01 to".to_owned()),
        (vec!["readmission", "--lake", "nowhere"], "there is no lake here".to_owned()),
        (vec!["stay", "no-such-stay"], "there is no stay \"no-such-stay\"".to_owned()),
        (vec!["stay", emergency.as_str()], "its class is emergency".to_owned()),
        (vec!["stay"], "<ID>".to_owned()),
    ] {
        let (status, said) = folder.badly(&[&["explain"], arguments.as_slice()].concat());
        assert!(status == 2 && said.contains(&words), "{arguments:?}: {status} {said}");
    }
}
