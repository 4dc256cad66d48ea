//! Every limit at its border: what is just allowed is read, and the reason of what is just not names the limit.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use metriccare_fhir::read::MOST_ENTRIES;

use super::{
    Limits,
    tests::{column, run},
};
use std::num::NonZeroUsize;

/// The rules that an object breaks, with their reasons, and how many records of it are accepted or skipped.
fn read(key: &str, bytes: &[u8], limits: Limits) -> (u64, Vec<String>) {
    let flat = run(key, bytes, NonZeroUsize::MIN, limits);
    let [rules, reasons] = ["rule", "reason"].map(|name| column(&flat, "bronze/quarantine", name));
    let text = |(rule, reason): (Option<String>, Option<String>)| {
        format!("{}: {}", rule.unwrap_or_default(), reason.unwrap_or_default())
    };
    (flat.counts.accepted() + flat.counts.skipped(), rules.into_iter().zip(reasons).map(text).collect())
}

/// A patient of so many bytes.
fn patient(bytes: usize) -> String {
    let head = r#"{"resourceType":"Patient","id":"p","x":""#;
    format!("{head}{}\"}}", "x".repeat(bytes - head.len() - 2))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn a_line_a_document_and_an_entry_may_have_so_many_bytes() {
    let limits = Limits { chunk: 500, record: 2_000, raw: 100, ..Limits::default() };
    for (key, head, tail) in [
        ("a.ndjson", "", "\n{}\n"),
        ("a.json", "", "\n{}\n"),
        ("a.json", "[", "]"),
        ("a.json", "[", ",{}]"),
        ("a.json", r#"{"resourceType":"Bundle","entry":["#, "]}"),
    ] {
        let object = |bytes: usize| format!("{head}{}{tail}", patient(bytes)).into_bytes();
        let (_, reasons) = read(key, &object(2_000), limits);
        assert!(!reasons.iter().any(|reason| reason.starts_with("too-large")), "{head}: {reasons:?}");
        let (_, reasons) = read(key, &object(2_001), limits);
        let wanted =
            "too-large: the record has 2001 bytes, and a line, a document or an entry of a Bundle may have 2000";
        assert!(reasons.iter().any(|reason| reason == wanted), "{head}: {reasons:?}");
    }
}

#[test]
fn a_bundle_in_a_line_may_have_so_many_entries() {
    let bundle = |entries: usize| {
        let basic = r#"{"resource":{"resourceType":"Basic"}}"#;
        format!(r#"{{"resourceType":"Bundle","entry":[{}]}}"#, vec![basic; entries].join(","))
    };
    let line = |entries: usize| format!("{}\n{{\"resourceType\":\"Basic\"}}\n", bundle(entries));
    assert_eq!(read("a.ndjson", line(MOST_ENTRIES).as_bytes(), Limits::default()), (MOST_ENTRIES as u64 + 1, vec![]));
    let (others, reasons) = read("a.ndjson", line(MOST_ENTRIES + 1).as_bytes(), Limits::default());
    assert_eq!(others, 1);
    assert!(reasons[0].starts_with("too-large: entry: more than the 100000 entries"), "{reasons:?}");
    // A document of its own is read entry by entry.
    let document = bundle(MOST_ENTRIES + 1);
    assert_eq!(read("a.json", document.as_bytes(), Limits::default()), (MOST_ENTRIES as u64 + 1, vec![]));
}

#[test]
fn a_resource_may_have_so_many_elements() {
    let limits = Limits { elements: 1_000, ..Limits::default() };
    for (kind, element) in [("Patient", "name"), ("Encounter", "x"), ("Practitioner", "identifier"), ("Location", "y")]
    {
        // Two commas stand outside the list, and one fewer than elements in it.
        let resource = |elements: usize| {
            format!(r#"{{"resourceType":"{kind}","id":"p","{element}":[{}]}}"#, vec!["{}"; elements].join(","))
        };
        assert_eq!(read("a.json", resource(999).as_bytes(), limits), (1, vec![]));
        let (_, reasons) = read("a.json", resource(1_000).as_bytes(), limits);
        assert!(reasons[0].starts_with("too-large: the resource has more than the 1000 elements"), "{reasons:?}");
    }
}

#[test]
fn a_gzipped_object_may_decompress_to_so_many_bytes() {
    let lines = (patient(100) + "\n").repeat(30);
    let list = format!("[{}]", vec![patient(100); 30].join(","));
    let header = include_str!("../../../../../samples/tables/facilities.csv").lines().next().expect("a header");
    let row = vec!["1"; header.split(',').count()].join(",");
    let table = format!("{header}\n{}", format!("{row}\n").repeat(30));
    for (key, text) in [("a.ndjson.gz", lines), ("a.json.gz", list), ("a.csv.gz", table)] {
        let limits = |unpacked: usize| Limits { unpacked: unpacked as u64, ..Limits::default() };
        let (accepted, at) = read(key, &gzip(text.as_bytes()), limits(text.len()));
        assert!(!at.iter().any(|reason| reason.starts_with("too-large")), "{key}: {at:?}");
        let most = text.len() - 1;
        let (fewer, beyond) = read(key, &gzip(text.as_bytes()), limits(most));
        assert!(fewer <= accepted && fewer + 1 >= accepted, "{key}: {fewer} of {accepted}");
        let last = beyond.last().expect("what follows is lost");
        assert!(last.starts_with("too-large: the object decompresses to more than"), "{key}: {beyond:?}");
        assert!(last.contains(&format!("{most} bytes")), "{key}: {beyond:?}");
        // Plain text is read whatever its size.
        assert_eq!(read(&key.replace(".gz", ""), text.as_bytes(), limits(10)).0, accepted);
    }
}

#[test]
fn a_row_of_csv_may_have_so_many_bytes_and_so_many_columns() {
    let header = include_str!("../../../../../samples/tables/facilities.csv").lines().next().expect("a header");
    let width = header.split(',').count();
    let table = |cells: usize| format!("{header}\n{}\n", ",".repeat(cells - 1)).into_bytes();
    let (_, reasons) = read("a.csv", &table(3_000), Limits::default());
    assert_eq!(reasons, [format!("bad-value: the row has 3000 cells, the header has {width}")]);
    let (_, reasons) = read("a.csv", &table(3 << 20), Limits::default());
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].starts_with("too-large: the row is longer than 1048576 bytes"), "{reasons:?}");
}
