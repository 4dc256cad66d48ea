//! A spec file as a person uses it: it has the fields of the flags and of the generator's payload, flags win over it, and
//! fields that a command does not support are refused.

mod folder;

use std::fs;

use crate::folder::Folder;

fn written(folder: &Folder, name: &str, text: &str) {
    fs::write(folder.0.join(name), text).expect("it can be written");
}

#[test]
fn file_and_flags_make_the_same_bytes_and_flags_win() {
    let folder = Folder::new("spec-bytes");
    let world = "patients = 90\nyear = 2024\nseed = 7\nlate_rate = 0.1\ndirty = { late = \"2%\", broken = \"1%\" }\n";
    let form = "fhir_version = \"r4\"\nformat = \"json\"\ngzip = true\nshard = \"2/3\"\nday = 2024-03-01\n";
    written(&folder, "all.toml", &format!("{world}{form}"));
    folder.well(&["generate", "fhir", "--spec", "all.toml", "--out", "file"]);
    let flags = "--patients 90 --year 2024 --seed 7 --late-rate 0.1 --dirty late=2%,broken=1% --fhir-version r4 \
                 --format json --gzip --shard 2/3 --day 2024-03-01";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    folder.well(&[&["generate", "fhir", "--out", "flags"], flags.as_slice()].concat());
    assert!(folder.files("file") == folder.files("flags"));
    assert!(
        folder.files("file").keys().any(|name| name.starts_with("encounter/2024/03/01/") && name.ends_with(".json.gz"))
    );

    written(&folder, "other.toml", "patients = 40\nyear = 2023\nseed = 8\nformat = \"bundle\"\ngzip = true\n");
    let over = ["--patients", "90", "--year", "2024", "--seed", "7", "--format", "ndjson", "--gzip=false"];
    folder.well(&[&["generate", "fhir", "--spec", "other.toml", "--out", "over"], over.as_slice()].concat());
    folder.well(&["generate", "fhir", "--patients", "90", "--year", "2024", "--seed", "7", "--out", "plain"]);
    assert!(folder.files("over") == folder.files("plain"));
}

#[test]
fn the_file_of_the_documentation_is_one() {
    let folder = Folder::new("spec-documented");
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec-file.md")).expect("it is there");
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    written(&folder, "documented.toml", block);
    folder.well(&["generate", "fhir", "--spec", "documented.toml", "--out", "out"]);
    assert!(folder.files("out").keys().any(|name| name.starts_with("encounter/2025/03/01/")));
}

#[test]
fn tables_and_the_simulator_take_a_file_too() {
    let folder = Folder::new("spec-views");
    written(&folder, "tables.toml", "seed = 7\nclaims = 300\nformat = \"csv\"\ngzip = true\nshard = \"1/1\"\n");
    folder.well(&["generate", "tables", "--spec", "tables.toml", "--patients", "50", "--out", "tables"]);
    assert!(folder.files("tables").contains_key("claims.csv.gz"));
    written(&folder, "cohort.toml", "patients = 40\nyear = 2022\nmortality_pct = 5\nfhir_version = \"r4\"\n");
    let words = folder.well(&["simulate", "--spec", "cohort.toml", "--year", "2021", "--out", "cohort"]);
    assert!(words.contains("Year simulated:           2021") && words.contains("Mortality   : 2\n"), "{words}");
}

#[test]
fn unsupported_fields_are_refused_with_their_name_and_value() {
    let folder = Folder::new("spec-refused");
    let run = "`metriccare run` lands the whole population as plain NDJSON";
    let tables = "the tables are of the whole year and clean";
    let simulate = "`metriccare simulate` writes the whole year, clean";
    for (command, text, expected) in [
        ("run", "gzip = true", format!("gzip is true: {run}")),
        ("run", "format = \"bundle\"", format!("format is \"bundle\": {run}")),
        ("run", "shard = \"1/2\"", format!("shard is \"1/2\": {run}")),
        ("generate tables", "day = 2025-03-01", format!("day is \"2025-03-01\": {tables}")),
        ("generate tables", "fhir_version = \"r4\"", format!("fhir_version is \"r4\": {tables}")),
        ("generate tables", "dirty = \"late=1%\"", format!("dirty is \"late=1%\": {tables}")),
        ("generate tables", "format = \"ndjson\"", "format is ndjson: it must be csv or parquet for tables".to_owned()),
        ("generate fhir", "format = \"csv\"", "format is csv: it must be ndjson, bundle or json for FHIR".to_owned()),
        ("simulate", "dirty = { late = 0.1 }", format!("dirty is {{\"late\":0.1}}: {simulate}")),
        ("simulate", "shard = \"1/2\"", format!("shard is \"1/2\": {simulate}")),
        (
            "run",
            "year = 2025\nday = 2024-03-01",
            "day is 2024-03-01: it must be a day of the world's year, which is 2025".to_owned(),
        ),
        (
            "run",
            "patients = \"many\"",
            "patients is \"many\": it must be a whole number from 1 to 100000000".to_owned(),
        ),
        ("run", "patients = 0", "patients is 0: it must be from 1 to 100000000".to_owned()),
        ("generate fhir", "year = 2025\nout = \"x\"", "unknown field `out`: a job has patients, ".to_owned()),
        ("generate fhir", "year = 2025\nseed == 7", "line 2: ".to_owned()),
    ] {
        written(&folder, "wrong.toml", text);
        let arguments: Vec<&str> = command.split(' ').chain(["--spec", "wrong.toml"]).collect();
        let (status, words) = folder.badly(&arguments);
        assert!(status == 2 && words.contains(&expected), "{command}, {text}: {status} {words}");
    }
    for (arguments, expected) in [
        (vec!["generate", "tables", "--dirty", "late=1%"], format!("dirty is {{\"late\":0.01}}: {tables}")),
        (vec!["generate", "fhir", "--late-rate", "nan"], "it must be a number".to_owned()),
        (vec!["generate", "fhir", "--late-rate", "2"], "late_rate is 2: it must be from 0 to 1".to_owned()),
        (vec!["run", "--spec", "nowhere.toml"], "--spec nowhere.toml: ".to_owned()),
    ] {
        let (status, words) = folder.badly(&arguments);
        assert!(status == 2 && words.contains(&expected), "{arguments:?}: {status} {words}");
    }
}

#[test]
fn own_tables_replace_the_shipped_ones() {
    let folder = Folder::new("own-world");
    fs::create_dir(folder.0.join("own")).expect("a fresh folder");
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/world/data/hospitals.tsv");
    let shipped = fs::read_to_string(shipped).expect("it is there");
    let generate = |out: &str| {
        let arguments = ["generate", "fhir", "--patients", "40", "--facilities", "3", "--world", "own", "--out", out];
        folder.well(&arguments);
        folder.files(out)
    };
    written(&folder, "own/hospitals.tsv", &shipped);
    folder.well(&["generate", "fhir", "--patients", "40", "--facilities", "3", "--out", "plain"]);
    assert!(generate("same") == folder.files("plain"), "the shipped tables give the shipped world");

    written(&folder, "own/hospitals.tsv", &shipped.replace("MetricCare Hospital - Charlotte", "St. Mary's"));
    let own = generate("own-out");
    let text: String = own.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    assert!(text.contains("St. Mary's") && !text.contains("MetricCare Hospital - Charlotte"));
    folder.well(&["run", "--patients", "40", "--facilities", "3", "--world", "own"]);
    assert!(folder.well(&["show", "gold_department_load", "--format", "csv"]).contains("St. Mary's"));

    // A copy of the whole folder is the shipped world, with the one table that cannot be replaced.
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/world/data");
    for (name, bytes) in Folder::files_below(std::path::Path::new(data)) {
        written(&folder, &format!("own/{name}"), &String::from_utf8(bytes).expect("UTF-8"));
    }
    assert!(generate("whole") == folder.files("plain"), "a copy of the shipped tables gives the shipped world");
    written(&folder, "own/benchmarks.tsv", "measure\tname\n");
    let (status, said) = folder.badly(&["run", "--world", "own"]);
    assert!(status == 2 && said.contains("benchmarks.tsv cannot be replaced"), "{said}");
    fs::remove_file(folder.0.join("own/benchmarks.tsv")).expect("it is there");

    let broken = shipped.replace("\tacute\t40\t", "\tacute\tmany\t");
    written(&folder, "own/hospitals.tsv", &broken);
    let line = 1 + broken.lines().position(|line| line.contains("\tmany\t")).expect("a line");
    let (status, said) = folder.badly(&["run", "--world", "own"]);
    assert!(status == 2 && said.contains("hospitals.tsv") && said.contains(&line.to_string()), "{said}");
    written(&folder, "own/hospital.tsv", "");
    let (status, said) = folder.badly(&["run", "--world", "own"]);
    assert!(status == 2 && said.contains("hospital.tsv is no table of the world"), "{said}");
    let (status, said) = folder.badly(&["run", "--world", "nowhere"]);
    assert!(status == 2 && said.contains("--world nowhere: "), "{said}");
}
