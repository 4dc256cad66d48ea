//! `metriccare generate tables` as a person uses it: the same rows whatever the threads, shards and form.

mod folder;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
};

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};

use crate::folder::Folder;

const BY_PATIENT: [&str; 4] = ["patients", "encounters", "claims", "registry"];
const ALL: [&str; 8] =
    ["patients", "encounters", "claims", "registry", "providers", "facilities", "cms_measures", "hai_data"];

#[test]
fn threads_and_shards_change_no_byte() {
    let folder = Folder::new("tables-bytes");
    let tables = |out: &str, more: &[&str]| {
        folder.well(&[&["generate", "tables", "--patients", "1203", "--out", out], more].concat());
        folder.files(out)
    };
    let whole = tables("whole", &["--threads", "1"]);
    let answer_key = |name: &&String| name.starts_with("reference/_answers/");
    assert_eq!(whole.keys().filter(|name| !answer_key(name)).count(), ALL.len());
    assert_eq!(whole.keys().filter(answer_key).count(), 2, "one of the patients, one of the reports");
    assert!(whole == tables("threads", &["--threads", "3"]));
    // The last shard to end writes what needs all of them.
    assert!(!tables("parts", &["--shard", "3/3"]).contains_key("cms_measures.csv"));
    tables("parts", &["--shard", "1/3"]);
    let parts = tables("parts", &["--shard", "2/3"]);
    for table in BY_PATIENT {
        let (header, lines) = split(&whole[&format!("{table}.csv")]);
        let shards = (1..=3).map(|shard| split(&parts[&format!("{table}-{shard}-of-3.csv")]));
        let joined: Vec<u8> = shards
            .flat_map(|(own, lines)| {
                assert_eq!(own, header);
                lines.to_vec()
            })
            .collect();
        assert!(joined == lines, "{table}");
    }
    for table in &ALL[4..] {
        let name = format!("{table}.csv");
        assert!(whole[&name] == parts[&name], "{table}");
    }
}

#[test]
fn parquet_has_the_rows_of_the_csv() {
    let folder = Folder::new("tables-parquet");
    for form in ["csv", "parquet"] {
        folder.well(&["generate", "tables", "--patients", "300", "--output", form, "--format", form]);
    }
    let csv = folder.files("csv");
    for table in ALL {
        let file = File::open(folder.0.join(format!("parquet/{table}.parquet"))).expect("it is there");
        let reader = SerializedFileReader::new(file).expect("Parquet");
        let text = String::from_utf8(csv[&format!("{table}.csv")].clone()).expect("UTF-8");
        let mut lines = text.lines();
        let header = lines.next().expect("a header");
        let mut rows = 0;
        for (row, line) in reader.get_row_iter(None).expect("rows").zip(lines.by_ref()) {
            let row = row.expect("a row");
            let (names, cells): (Vec<&str>, Vec<String>) =
                row.get_column_iter().map(|(name, field)| (name.as_str(), cell(field))).unzip();
            assert_eq!((names.join(","), cells.join(",")), (header.to_owned(), line.to_owned()), "{table}");
            rows += 1;
        }
        assert!(rows > 0 && lines.next().is_none() && rows == reader.metadata().file_metadata().num_rows(), "{table}");
    }
}

#[test]
fn gzip_holds_the_same_lines_whatever_the_threads() {
    let folder = Folder::new("tables-gzip");
    let tables = |out: &str, more: &[&str]| {
        folder.well(&[&["generate", "tables", "--patients", "1203", "--out", out], more].concat());
        folder.files(out)
    };
    let plain = tables("plain", &[]);
    let zipped = tables("zipped", &["--gzip", "--threads", "1"]);
    assert!(zipped == tables("threads", &["--gzip", "--threads", "3"]));
    assert_eq!(zipped.keys().filter(|name| name.ends_with(".csv.gz")).count(), ALL.len());
    for table in ALL {
        let mut lines = Vec::new();
        let packed = zipped[&format!("{table}.csv.gz")].as_slice();
        flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut lines).expect("gzip");
        assert!(lines == plain[&format!("{table}.csv")], "{table}");
    }
    let (status, words) = folder.badly(&["generate", "tables", "--out", "p", "--format", "parquet", "--gzip"]);
    assert!(status == 2 && words.contains("gzip is true: Parquet is compressed already"), "{words}");
}

#[test]
fn a_folder_that_would_count_patients_twice_is_refused() {
    let folder = Folder::new("tables-mixed");
    let small = |more: &[&'static str]| [&["generate", "tables", "--patients", "60", "--out", "x"], more].concat();
    let refused = |more: &[&'static str], expected: &str| {
        let before = folder.files("x");
        let (status, words) = folder.badly(&small(more));
        assert!(status == 2 && words.contains(expected), "{more:?}: {words}");
        assert!(folder.files("x") == before, "{more:?} changed the folder");
    };
    folder.well(&small(&["--shard", "1/2"]));
    refused(&[], "-1-of-2.csv is there: it belongs to one in 2 shards, this run makes a whole population");
    refused(&["--shard", "2/3"], "it belongs to one in 2 shards, this run makes one in 3 shards");
    refused(&["--format", "parquet"], "-1-of-2.csv is there");
    refused(&["--shard", "1/2", "--gzip"], "the same table once more in another form");
    refused(&["--shard", "2/2", "--seed", "7"], "it is of the shards of another world");
    folder.well(&small(&["--shard", "2/2"]));
    folder.well(&small(&["--shard", "2/2"]));
    fs::remove_dir_all(folder.0.join("x")).expect("it is there");
    folder.well(&small(&[]));
    refused(&["--shard", "1/2"], ".csv is there: it belongs to a whole population, this run makes one in 2 shards");
    folder.well(&small(&["--seed", "7"]));
    folder.well(&small(&["--format", "parquet"]));
}

#[test]
fn totals_are_exact_and_what_cannot_be_is_refused() {
    let folder = Folder::new("tables-totals");
    let sizes = ["--patients", "120", "--encounters", "700", "--claims", "1500", "--providers", "9"];
    folder.well(&[&["generate", "tables", "--out", "x", "--facilities", "2"], &sizes[..]].concat());
    let rows: BTreeMap<String, usize> = folder
        .files("x")
        .into_iter()
        .filter(|(name, _)| name.ends_with(".csv"))
        .map(|(name, bytes)| (name, bytes.iter().filter(|byte| **byte == b'\n').count() - 1))
        .collect();
    let of = |table: &str| rows[&format!("{table}.csv")];
    assert_eq!([of("patients"), of("encounters"), of("claims")], [120, 700, 1_500]);
    assert_eq!((of("providers"), of("facilities")), (9, 2));
    let (status, words) = folder.badly(&["generate", "tables", "--fraud-rate", "0.5"]);
    assert_eq!(status, 2);
    assert!(words.contains("fraud_rate is 0.5: it must be from 0 to 0.035"), "{words}");
}

#[test]
fn verify_compares_the_star_with_the_totals_that_the_generator_counted() {
    let folder = Folder::new("tables-verify");
    let generate = |more: &[&'static str]| {
        folder.well(&[&["generate", "tables", "--patients", "600", "--out", "x"], more].concat());
    };
    let star_totals = || {
        folder.well(&["ingest", "x", "--lake", "lake"]);
        let answer =
            String::from_utf8(folder.metriccare(&["verify", "--lake", "lake", "--json"]).stdout).expect("UTF-8");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        let mut checks = answer["checks"].as_array().expect("checks").iter();
        checks.find(|check| check["name"] == "star totals").expect("the check").clone()
    };
    let anew = || ["x", "lake"].map(|path| fs::remove_dir_all(folder.0.join(path)).expect("it is there"));
    for form in [&[][..], &["--gzip"], &["--format", "parquet"]] {
        generate(form);
        let check = star_totals();
        assert_eq!((&check["skipped"], &check["differences"]), (&().into(), &serde_json::json!([])), "{form:?}");
        assert!(!check["compared"].as_str().expect("text").starts_with("0 "), "{check}");
        anew();
    }
    // Shards count as the whole does, once all of them are in the lake.
    generate(&["--shard", "1/2"]);
    generate(&["--shard", "2/2"]);
    let kept = fs::read(folder.0.join("x/claims-2-of-2.csv")).expect("it is there");
    fs::remove_file(folder.0.join("x/claims-2-of-2.csv")).expect("it is there");
    assert!(star_totals()["skipped"].as_str().is_some_and(|why| why.contains("are not in the lake")));
    fs::write(folder.0.join("x/claims-2-of-2.csv"), kept).expect("written");
    assert_eq!(star_totals()["differences"], serde_json::json!([]));
    anew();
    // A total that is not the star's is a difference.
    generate(&[]);
    let key = folder.files("x").into_keys().find(|name| name.ends_with("1-of-1.json")).expect("a key");
    let path = folder.0.join("x").join(key);
    let text = fs::read_to_string(&path).expect("UTF-8");
    let (before, after) =
        text.split_once("\"adjudication_status=Pending\":{\"allowed_amount\":").expect("pending claims");
    let other = format!("{before}\"adjudication_status=Pending\":{{\"allowed_amount\":1{after}");
    fs::write(&path, other).expect("written");
    let differences = star_totals()["differences"].clone();
    let words = differences[0].as_str().expect("a difference");
    assert!(words.starts_with("silver/fact_claim adjudication_status=Pending: allowed_amount is "), "{words}");
    // Bytes of somebody else's are in no key.
    let claims = folder.0.join("x/claims.csv");
    let text = fs::read_to_string(&claims).expect("UTF-8").replace("Paid", "paid");
    fs::write(&claims, text).expect("written");
    let check = star_totals();
    assert!(
        check["skipped"].as_str().is_some_and(|why| why.starts_with("no answer key covers 1 accepted object")),
        "{check}"
    );
}

fn split(csv: &[u8]) -> (&[u8], &[u8]) {
    let end = csv.iter().position(|byte| *byte == b'\n').expect("a header") + 1;
    csv.split_at(end)
}

/// A value as the CSV has it.
fn cell(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) if text.contains(',') => format!("\"{text}\""),
        Field::Str(text) => text.clone(),
        Field::TimestampMicros(_) => {
            field.to_string().trim_end_matches(" +00:00").trim_end_matches(".000000").to_owned()
        }
        Field::Double(value) => value.to_string(),
        other => other.to_string(),
    }
}

#[test]
fn a_report_says_target_got_and_source_and_what_is_off_is_no_failure() {
    let folder = Folder::new("report");
    for view in ["tables", "fhir"] {
        let words = folder.well(&["generate", view, "--patients", "60", "--out", view, "--report"]);
        assert!(words.contains("occupancy of staffed beds, %") && words.contains("65 to 80"), "{words}");
        assert!(words.contains(" off ") && words.contains("NHSN"), "{words}");
        let json = folder.well(&["generate", view, "--patients", "60", "--out", view, "--report", "--json"]);
        let said: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(said["written"]["patients"], 60);
        let figures = said["calibration"].as_array().expect("figures");
        assert!(figures.len() > 20 && figures.iter().all(|figure| figure["source"].is_string()));
        let (status, words) = folder.badly(&["generate", view, "--report", "--shard", "1/2"]);
        assert!(status == 2 && words.contains("--shard"), "{words}");
    }
}
