//! SQL on a lake as an analyst uses it: the named queries as they are shipped, Athena's functions, and clear refusals.

mod folder;
#[path = "../../../tests/src/python.rs"]
#[expect(unreachable_pub, reason = "it is public where the other tests use it")]
mod python;

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use metriccare_flow::{CompactOptions, CompactReport, Worker, compact};
use metriccare_lake::{
    cells::{self, Cell},
    schema::{GOLD_SUMMARY, TABLES},
};
use metriccare_ports::{Clock, ManualClock, Ports, SystemClock};
use serde_json::{Value, json};

use crate::folder::Folder;

fn athena() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/athena")
}

/// The rows of a query, each an object.
fn rows(folder: &Folder, sql: &str) -> Vec<Value> {
    let text = folder.well(&["query", sql, "--format", "json"]);
    serde_json::from_str::<Vec<Value>>(&text).unwrap_or_else(|error| panic!("{sql}: {error}\n{text}"))
}

fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(other.abs()),
        _ => one == other,
    }
}

#[test]
fn every_named_query_runs_as_shipped_and_answers_as_another_engine_does() {
    let folder = Folder::new("named-queries");
    folder.well(&[
        "run",
        "--patients",
        "700",
        "--facilities",
        "5",
        "--dirty",
        "broken=3%,late=5%,overlaps=5%,entered-in-error=2%",
    ]);
    // The relational view of the same world.
    folder.well(&["generate", "tables", "--patients", "700", "--facilities", "5", "--out", "tables"]);
    folder.well(&["ingest", "tables"]);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python = python::environment(target, "two-engines", &athena().join("rebuild/requirements.txt"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/named_queries.py");
    let output = Command::new(python).arg(script).arg(folder.0.join("lake")).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut compared = 0;
    for file in fs::read_dir(athena().join("queries")).expect("the queries") {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = folder.well(&["query", "--file", &path.display().to_string(), "--format", "json"]);
        let found: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = expected[&name].as_array().unwrap_or_else(|| panic!("DuckDB did not answer {name}"));
        assert!(!found.is_empty(), "{name} has no answer");
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(expected) {
            let (found, expected) = (found.as_object().expect("a row"), expected.as_object().expect("a row"));
            assert!(found.keys().eq(expected.keys()), "{name}: {found:?} {expected:?}");
            for (column, value) in found {
                assert!(
                    same(value, &expected[column]),
                    "{name}: {column} is {value}: {found:?}, should be {expected:?}"
                );
            }
        }
        compared += 1;
    }
    assert!(compared >= 25, "{compared} queries");

    let summary = fs::read(folder.0.join("lake/gold/summary/part.parquet")).expect("gold is there");
    let gold = cells::read_rows(&GOLD_SUMMARY, &summary.into()).expect("it can be read");
    let answered = rows(&folder, "SELECT metric, definition, numerator FROM metriccare.gold_summary ORDER BY 1, 2");
    assert_eq!(answered.len(), gold.len());
    for row in gold {
        let [Cell::Text(metric), definition, Cell::Int(numerator), ..] = row.as_slice() else { panic!("{row:?}") };
        let wanted = json!({"metric": metric, "definition": definition.to_string(), "numerator": numerator});
        assert!(answered.contains(&wanted), "{wanted}");
    }
}

#[test]
fn tables_have_glues_columns_and_are_empty_where_nothing_came() {
    let folder = Folder::new("no-rows");
    fs::write(folder.0.join("note.ndjson"), "{\"resourceType\":\"Device\",\"id\":\"d\"}\n").expect("it can be written");
    folder.well(&["ingest", "note.ndjson"]);
    let _ = fs::remove_dir_all(folder.0.join("lake/silver"));
    for table in TABLES {
        let name = table.glue_name();
        let header = folder.well(&["query", &format!("SELECT * FROM {name}"), "--format", "csv"]);
        let partition = table.partition.into_iter();
        let columns: Vec<_> = table.file_columns().map(|(name, _)| name).chain(partition).collect();
        assert_eq!(
            header.lines().next(),
            Some(columns.join(",").as_str()),
            "{name}: partition columns stand last, as in Athena"
        );
        let described = rows(&folder, &format!("DESCRIBE {name}"));
        for (row, column) in described.iter().zip(columns) {
            let kind = table.columns.iter().find(|(name, _)| *name == column).map(|(_, kind)| kind.athena());
            assert_eq!((&row["col_name"], &row["data_type"]), (&json!(column), &json!(kind)), "{name}");
        }
    }
    assert_eq!(rows(&folder, "SELECT * FROM silver_patient"), Vec::<Value>::new());
    assert_eq!(rows(&folder, "SELECT count(*) AS n FROM gold_stay"), [json!({"n": 0})]);
    assert_eq!(rows(&folder, "SHOW TABLES").len(), TABLES.len() + 1);
}

#[test]
fn a_partition_column_is_what_its_folder_says() {
    let folder = Folder::new("partitions");
    let name = "St. Mary's / 50% #1: Ångström?";
    let encounter = |id: &str, hospital: Value| {
        json!({"resourceType": "Encounter", "id": id, "status": "finished", "class": {"code": "IMP"},
            "subject": {"reference": "Patient/p"}, "serviceProvider": hospital,
            "period": {"start": "2024-02-01T08:00:00Z", "end": "2024-02-03T09:30:15.250Z"}})
        .to_string()
    };
    let condition = json!({"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"},
        "recordedDate": "2023-05-06"});
    let lines =
        [encounter("a", json!({"display": name})), encounter("b", json!({})), condition.to_string(), "{".to_owned()];
    fs::write(folder.0.join("records.ndjson"), lines.join("\n")).expect("it can be written");
    folder.well(&["ingest", "records.ndjson"]);
    let by_hospital = "SELECT hospital_name, encounter_id FROM bronze_encounter ORDER BY hospital_name";
    assert_eq!(
        rows(&folder, by_hospital),
        [json!({"hospital_name": name, "encounter_id": "a"}), json!({"hospital_name": null, "encounter_id": "b"})]
    );
    assert_eq!(rows(&folder, "SELECT encounter_id FROM bronze_encounter WHERE hospital_name IS NULL").len(), 1);
    assert_eq!(rows(&folder, "SELECT recorded_year + 1 AS y FROM bronze_condition"), [json!({"y": 2024})]);
    assert_eq!(
        rows(&folder, "SELECT count(*) AS n FROM bronze_quarantine WHERE ingest_date > DATE '2000-01-01'"),
        [json!({"n": 1})]
    );
    let bucket = rows(&folder, "SELECT bucket, discharge_time FROM silver_encounter WHERE encounter_id = 'a'");
    assert_eq!(bucket[0]["discharge_time"], "2024-02-03 09:30:15.250", "as Athena shows it");
    let number = bucket[0]["bucket"].as_str().expect("text");
    assert!(folder.0.join(format!("lake/silver/encounter/bucket={number}/part.parquet")).is_file());
}

#[test]
fn athenas_functions_mean_what_they_mean_there() {
    let folder = Folder::new("functions");
    folder.well(&["run", "--patients", "60"]);
    let january = "TIMESTAMP '2025-01-31 13:45:10'";
    for (expression, expected) in [
        ("date_diff('day', DATE '2025-01-31', DATE '2025-03-01')", json!(29)),
        ("date_diff('day', TIMESTAMP '2025-01-01 23:00:00', TIMESTAMP '2025-01-02 01:00:00')", json!(0)),
        ("date_diff('month', DATE '2025-01-31', DATE '2025-02-28')", json!(1)),
        ("date_diff('hour', DATE '2025-01-01', TIMESTAMP '2025-01-02 01:59:00')", json!(25)),
        ("date_add('month', 1, DATE '2025-01-31')", json!("2025-02-28")),
        (&format!("date_add('day', -31, {january})"), json!("2024-12-31 13:45:10.000")),
        (&format!("date_trunc('month', {january})"), json!("2025-01-01 00:00:00.000")),
        ("date_trunc('week', DATE '2025-03-02')", json!("2025-02-24")),
        (&format!("year({january}) * 10000 + month({january}) * 100 + day({january})"), json!(20_250_131)),
        (&format!("hour({january}) * 100 + minute({january})"), json!(1345)),
        ("day_of_week(DATE '2025-03-02')", json!(7)),
        ("extract(DOW FROM DATE '2025-03-03')", json!(1)),
        ("day_of_year(DATE '2025-02-01') + quarter(DATE '2025-02-01')", json!(33)),
        ("week(DATE '2024-12-30') + year_of_week(DATE '2024-12-30')", json!(2026)),
        ("date_format(TIMESTAMP '2025-03-02 04:05:06', '%Y-%m %e %i:%s')", json!("2025-03 2 05:06")),
        ("date_format(DATE '2025-03-02', '%W, %M')", json!("Sunday, March")),
        ("date_parse('02.03.2025 04:05', '%d.%m.%Y %H:%i')", json!("2025-03-02 04:05:00.000")),
        ("from_iso8601_timestamp('2025-03-02T04:05:06Z')", json!("2025-03-02 04:05:06.000")),
        ("from_iso8601_date('2025-03-02')", json!("2025-03-02")),
        ("date('2025-03-02')", json!("2025-03-02")),
        ("last_day_of_month(DATE '2024-02-03')", json!("2024-02-29")),
        ("DATE '2025-03-02' + INTERVAL '3' DAY", json!("2025-03-05")),
        ("format('%s: %,d of %.1f %%', 'x', 12345, 6.25)", json!("x: 12,345 of 6.2 %")),
        ("if(1 > 2, 'a')", json!(null)),
        ("if(1 < 2, 'a', 'b')", json!("a")),
        ("try(CAST('x' AS integer))", json!(null)),
        ("try(1 / 0)", json!(null)),
        ("try_cast('12' AS bigint)", json!(12)),
        ("greatest(1, NULL, 3)", json!(null)),
        ("greatest(1, 3, 2) + least(4, 5)", json!(7)),
        ("concat('a', 'b', NULL)", json!(null)),
        ("concat('a', 'b', 'c')", json!("abc")),
        ("regexp_extract('Z51.11', '^([A-Z])([0-9]+)')", json!("Z51")),
        ("regexp_extract('Z51.11', '^([A-Z])([0-9]+)', 2)", json!("51")),
        ("regexp_like('Z51.11', '^Z51')", json!(true)),
        ("regexp_replace('a-b-c', '-')", json!("abc")),
        ("split('a,b', ',')[2]", json!("b")),
        ("bitwise_and(13, 6) + mod(7, 4)", json!(7)),
        ("7 / 2", json!(3)),
        ("lpad(CAST(7 AS varchar), 2, '0')", json!("07")),
    ] {
        let answer = rows(&folder, &format!("SELECT {expression} AS x"));
        assert!(same(&answer[0]["x"], &expected), "{expression} is {}, should be {expected}", answer[0]["x"]);
    }

    let values = "(VALUES ('a', 1, true), ('b', 5, false), ('c', 3, NULL), ('d', NULL, true)) AS v (name, n, flag)";
    for (expression, expected) in [
        ("count_if(flag)", json!(2)),
        ("count_if(flag) FILTER (WHERE n = 1)", json!(1)),
        ("max_by(name, n)", json!("b")),
        ("min_by(name, n)", json!("a")),
        ("arbitrary(n) IS NOT NULL", json!(true)),
        ("approx_percentile(n, 0.5)", json!(3)),
        ("bool_or(flag)", json!(true)),
        ("every(n < 6)", json!(true)),
        ("approx_distinct(name)", json!(4)),
        ("geometric_mean(n)", json!(libm::cbrt(15.0))),
        ("listagg(name, '-') WITHIN GROUP (ORDER BY n DESC)", json!("b-c-a-d")),
        ("array_join(array_agg(name ORDER BY name), '')", json!("abcd")),
    ] {
        let answer = rows(&folder, &format!("SELECT {expression} AS x FROM {values}"));
        assert!(same(&answer[0]["x"], &expected), "{expression} is {}, should be {expected}", answer[0]["x"]);
    }
    let counted =
        rows(&folder, &format!("SELECT name, count_if(flag) OVER (ORDER BY name) AS x FROM {values} ORDER BY n DESC"));
    let names: Vec<_> = counted.iter().map(|row| row["name"].as_str().expect("text")).collect();
    assert_eq!(names, ["b", "c", "a", "d"], "missing values stand last, whichever way");
    assert_eq!(counted[0]["x"], 1);
}

/// Takes the compaction of a lake in a folder one step further, at a time of its own.
fn compact_once(folder: &Folder, clock: &Arc<ManualClock>) -> CompactReport {
    let ports = Ports::disk(&folder.0.join("lake"), clock.clone()).expect("the lake is free");
    let worker = Arc::new(Worker::new(ports, 4, NonZeroUsize::MIN, "compactor"));
    let options = CompactOptions { min_files: 2, ..CompactOptions::default() };
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(compact(&worker, &options)).expect("a lake that holds")
}

#[test]
fn between_the_steps_of_a_compaction_every_row_is_read_once() {
    let folder = Folder::new("query-compaction");
    for day in ["2025-03-01", "2025-03-02", "2025-03-03"] {
        folder.well(&["run", "--patients", "3000", "--buckets", "4", "--day", day]);
    }
    let mut landed = 0;
    let mut land = |folder: &Folder| {
        landed += 1;
        let encounter = json!({"resourceType": "Encounter", "id": format!("meanwhile-{landed}"), "status": "finished",
            "class": {"code": "IMP"}, "subject": {"reference": "Patient/p"},
            "serviceProvider": {"display": "MetricCare Hospital - Charlotte"}, "period": {"start": "2024-02-01"}});
        let name = format!("{landed}.ndjson");
        fs::write(folder.0.join(&name), encounter.to_string() + "\n").expect("it can be written");
        folder.well(&["ingest", &name]);
    };
    land(&folder);
    let read = |folder: &Folder| {
        let keys = "encounter_id, version_id, sourcename, precombine_ts";
        let found = rows(
            folder,
            &format!(
                "SELECT count(*) AS n, (SELECT count(*) FROM (SELECT DISTINCT {keys} FROM bronze_encounter)) AS once, \
                 count_if(encounter_id LIKE 'meanwhile-%') AS landed FROM bronze_encounter"
            ),
        );
        let count = |name: &str| found[0][name].as_u64().expect("a count");
        (count("n"), count("once"), count("landed"))
    };
    let (all, once, _) = read(&folder);
    assert!(all > 20, "{all} rows of three days");
    let clock = Arc::new(ManualClock::at_micros(SystemClock.now_micros()));
    let mut reports = Vec::new();
    // It begins, moves to the copies, moves back, and removes the copies.
    for waits in [0, 21 * 60, 25 * 3600, 25 * 3600] {
        clock.advance(Duration::from_secs(waits));
        reports.push(compact_once(&folder, &clock));
        let before = read(&folder);
        land(&folder);
        let after = read(&folder);
        for (count, distinct, landed) in [before, after] {
            assert_eq!((count - landed, distinct - landed), (all - 1, once - 1), "{reports:?}");
        }
        assert_eq!(after.2, before.2 + 1, "what landed meanwhile is read once: {reports:?}");
    }
    assert!(reports[0].begun > 0 && reports[1].served > 0 && reports[2].replaced > 0, "{reports:?}");
    assert_eq!(reports[3].done, reports[2].replaced, "{reports:?}");
    folder.well(&["verify"]);
}

#[test]
fn a_hospital_named_like_a_statement_or_a_path_is_only_a_name() {
    let folder = Folder::new("injected");
    let names = [
        "'; DROP TABLE gold_stay; --",
        "\"; DROP TABLE gold_stay; --",
        "../../../outside",
        "=HYPERLINK(\"http://x\")",
        "a%2Fb%00",
        "x' OR '1'='1",
    ];
    let encounter = |(at, name): (usize, &&str)| {
        let record = json!({"resourceType": "Encounter", "id": format!("e{at}"), "status": "finished",
            "class": {"code": "IMP"}, "subject": {"reference": "Patient/p"}, "serviceProvider": {"display": name},
            "period": {"start": "2024-02-01T08:00:00Z", "end": "2024-02-03T09:30:15Z"}});
        format!("{record}\n")
    };
    let encounters: String = names.iter().enumerate().map(encounter).collect();
    fs::write(folder.0.join("e.ndjson"), encounters).expect("it can be written");
    folder.well(&["ingest", "e.ndjson"]);
    folder.well(&["verify"]);
    for table in ["gold_stay", "silver_encounter", "bronze_encounter"] {
        let found = rows(&folder, &format!("SELECT hospital_name FROM {table} ORDER BY 1"));
        let found: Vec<_> = found.iter().map(|row| row["hospital_name"].as_str().expect("a name")).collect();
        let mut sorted = names;
        sorted.sort_unstable();
        assert_eq!(found, sorted, "{table}");
    }
    for name in names {
        let quoted = name.replace('\'', "''");
        let sql = format!("SELECT count(*) AS n FROM bronze_encounter WHERE hospital_name = '{quoted}'");
        assert_eq!(rows(&folder, &sql)[0]["n"], 1, "{name}");
    }
    // CSV is data: what a cell holds stands in it as it came.
    let csv = folder.well(&["query", "SELECT hospital_name FROM gold_stay", "--format", "csv"]);
    assert!(
        csv.contains("\"=HYPERLINK(\"\"http://x\"\")\"\n") && csv.contains("'; DROP TABLE gold_stay; --\n"),
        "{csv}"
    );
    assert!(!folder.0.join("outside").exists() && !folder.0.join("lake/outside").exists());
    for wrong in ["gold_stay; DROP TABLE gold_stay", "../gold/stay", "gold/stay' OR '1'='1", "*"] {
        let (status, refused) = folder.badly(&["show", wrong]);
        assert!(status == 2 && !refused.contains("panicked"), "{wrong}: {refused}");
    }
    for statement in ["DROP TABLE gold_stay", "SELECT 1; DROP TABLE gold_stay", "COPY gold_stay TO 'out.csv'"] {
        assert_eq!(folder.badly(&["query", statement]).0, 2, "{statement}");
    }
    assert!(!folder.0.join("out.csv").exists());
}

#[test]
fn wrong_statements_get_a_hint() {
    let folder = Folder::new("refusals");
    folder.well(&["run", "--patients", "60"]);
    for (sql, words) in [
        ("SELECT * FROM gold_readmissions", "did you mean \"gold_readmission\""),
        ("SELECT * FROM nowhere", "the tables are: bronze_encounter"),
        ("SELECT hospital FROM gold_stay", "did you mean \"hospital_name\""),
        ("SELECT stay_id FROM gold_stay WHERE mnth = '2025-01'", "the columns here are: stay_id, patient_id"),
        ("SELECT 1 +", "cannot be read"),
        ("", "no statement"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("DROP TABLE gold_stay", "the lake is only read"),
        ("CREATE TABLE x AS SELECT 1", "the lake is only read"),
        ("COPY gold_stay TO 'x.csv'", "the lake is only read"),
        ("SELECT frobnicate(1)", "frobnicate"),
        ("SELECT date_diff('fortnight', DATE '2025-01-01', DATE '2025-01-02')", "is no unit"),
        ("SELECT date_format(DATE '2025-01-01', '%D')", "%D"),
        ("SELECT max_by(stay_id, length_days) OVER (ORDER BY month) FROM gold_stay", "max_by"),
        ("DESCRIBE gold_stays", "did you mean \"gold_stay\""),
    ] {
        let (status, said) = folder.badly(&["query", sql]);
        assert!(status == 2 && said.contains(words), "{sql}: {status} {said}");
    }
    let (status, said) = folder.badly(&["query", "SELECT 1", "--lake", "nowhere"]);
    assert!(status == 2 && said.contains("there is no lake here"), "{said}");
    let (status, said) = folder.badly(&["query", "--file", "nowhere.sql"]);
    assert!(status == 2 && said.contains("nowhere.sql"), "{said}");
    assert_eq!(folder.badly(&["query"]).0, 2);
    assert!(!folder.0.join("nowhere").exists() && !folder.0.join("x.csv").exists());

    let damaged = folder.0.join("lake/gold/census/part.parquet");
    let good = fs::read(&damaged).expect("it was made");
    fs::write(&damaged, &good[..good.len() / 2]).expect("it can be written");
    let (status, said) = folder.badly(&["query", "SELECT sum(patients) FROM gold_census"]);
    assert!(status == 1 && said.contains("metriccare verify"), "{status} {said}");
}

#[test]
fn rows_come_as_a_table_as_csv_or_as_json() {
    let folder = Folder::new("shapes");
    folder.well(&["run", "--patients", "60"]);
    let sql = "SELECT * FROM (VALUES (1, 'a,\"b\"', 0.5), (2, NULL, NULL)) AS v (n, text, share) ORDER BY n";
    let table = folder.well(&["query", sql]);
    assert!(table.contains("| n | text  | share |") && table.ends_with("2 rows\n"), "{table}");
    assert_eq!(folder.well(&["query", sql, "--format", "csv"]), "n,text,share\n1,\"a,\"\"b\"\"\",0.5\n2,,\n");
    assert_eq!(
        rows(&folder, sql),
        [json!({"n": 1, "text": "a,\"b\"", "share": 0.5}), json!({"n": 2, "text": null, "share": null})]
    );
    assert!(!rows(&folder, "EXPLAIN SELECT count(*) FROM gold_stay WHERE bucket = '00'").is_empty());
    let many = folder.well(&["query", "SELECT patient_id FROM silver_patient", "--format", "csv"]);
    assert_eq!(many.lines().count(), 61);
}
