use std::io::Cursor;

use arrow_array::cast::AsArray;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use super::*;

pub(super) struct Memory;

impl Sinks for Memory {
    type File = Vec<u8>;

    fn create(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

const ONE: NonZeroUsize = NonZeroUsize::MIN;

pub(super) fn source(key: &str) -> Source {
    Source {
        key: key.to_owned(),
        object_id: "o".to_owned(),
        etag: "e".to_owned(),
        landed_micros: 1_700_000_000_000_000,
    }
}

pub(super) fn run(key: &str, bytes: &[u8], threads: NonZeroUsize, limits: Limits) -> Flattened<Vec<u8>> {
    let bytes = bytes.to_vec();
    let open = || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(Cursor::new(bytes.clone()))) };
    let flat = flatten(&source(key), open, &mut Memory, threads, limits).expect("memory does not fail");
    let counts = &flat.counts;
    assert_eq!(counts.records, counts.accepted() + counts.quarantined() + counts.skipped(), "conservation");
    let rows =
        |table: &str| flat.files.iter().filter(|(file, _)| file.table == table).map(|(file, _)| file.rows).sum::<u64>();
    assert_eq!(rows("bronze/encounter"), counts.encounters);
    assert_eq!(rows("bronze/patient"), counts.patients);
    assert_eq!(rows("bronze/condition"), counts.conditions);
    assert_eq!(rows("bronze/deletion"), counts.deletions);
    assert_eq!(rows("bronze/quarantine"), counts.quarantined());
    flat
}

pub(super) fn flat(key: &str, text: &str) -> Flattened<Vec<u8>> {
    run(key, text.as_bytes(), ONE, Limits::default())
}

pub(super) fn column(flat: &Flattened<Vec<u8>>, table: &str, name: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    for (_, bytes) in flat.files.iter().filter(|(file, _)| file.table == table) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes.clone())).expect("Parquet").build();
        for batch in reader.expect("Parquet") {
            let batch = batch.expect("a batch");
            values.extend(
                batch.column_by_name(name).expect("a column").as_string::<i32>().iter().map(|v| v.map(str::to_owned)),
            );
        }
    }
    values
}

pub(super) fn times(flat: &Flattened<Vec<u8>>, table: &str, name: &str) -> Vec<Option<i64>> {
    let mut values = Vec::new();
    for (_, bytes) in flat.files.iter().filter(|(file, _)| file.table == table) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes.clone())).expect("Parquet").build();
        for batch in reader.expect("Parquet") {
            let batch = batch.expect("a batch");
            let column = batch.column_by_name(name).expect("a column");
            values.extend(column.as_primitive::<arrow_array::types::TimestampMicrosecondType>().iter());
        }
    }
    values
}

fn encounter(id: usize) -> String {
    format!(
        r#"{{"resourceType":"Encounter","id":"e{id}","status":"finished","class":{{"code":"IMP"}},"subject":{{"reference":"Patient/p{}"}},"serviceProvider":{{"display":"H{}"}}}}"#,
        id % 3,
        id % 2
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn every_form_of_the_same_resources_gives_the_same_rows() {
    let resources: Vec<_> = (0..7).map(encounter).collect();
    let entries: Vec<_> = resources.iter().map(|r| format!(r#"{{"fullUrl":"urn:uuid:x","resource":{r}}}"#)).collect();
    let forms = [
        ("a.ndjson", resources.join("\n")),
        ("a.json", resources.join("\r\n\n") + "\n"),
        ("a.json", format!("[{}]", resources.join(","))),
        ("a.json", format!("\u{feff} [\n  {}\n]\n", resources.join(" ,\n  "))),
        ("a.json", format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{}]}}"#, entries.join(","))),
        ("a.json", format!("{{\n \"entry\" : [\n{}\n],\n \"resourceType\" : \"Bundle\"\n}}", entries.join(",\n"))),
        ("a.ndjson", format!(r#"{{"resourceType":"Bundle","entry":[{}]}}"#, entries.join(",")) + "\n"),
        ("a.json", format!("{{\"resourceType\":\"Bundle\",\"entry\":[\n{}\n]}}\n", entries.join(",\n"))),
        ("a.json", format!("{{\"resourceType\":\"Bundle\"\n,\"entry\":[{}\n]}}\n", entries.join("\n,"))),
        ("a.json", format!("[{}\n]\n", resources.join("\n,"))),
    ];
    let wanted = column(&flat("a.ndjson", &forms[0].1), "bronze/encounter", "content_id");
    assert_eq!(wanted.len(), 7);
    for (key, text) in &forms {
        for bytes in [text.clone().into_bytes(), gzip(text.as_bytes())] {
            let got = run(key, &bytes, ONE, Limits::default());
            assert_eq!(got.counts.encounters, 7, "{text}");
            assert_eq!(got.counts.records, 7, "{text}");
            assert_eq!(column(&got, "bronze/encounter", "content_id"), wanted, "{text}");
        }
    }
}

#[test]
fn a_single_resource_may_stand_over_many_lines() {
    let got = flat(
        "patient_1.json",
        "{\n  \"resourceType\": \"Patient\",\n  \"id\": \"p\",\n  \"name\": [\n{\n\"text\":\"x\"}]\n}\n",
    );
    assert_eq!((got.counts.records, got.counts.patients), (1, 1));
}

#[test]
fn a_broken_line_is_one_record_and_the_rest_goes_on() {
    let text = format!(
        "{}\nnot json\n{{\"resourceType\":\"Encounter\",\"id\":\n{}\n{{}}\n[]\n{{\"resourceType\":\"Patient\"}}\n",
        encounter(1),
        encounter(2)
    );
    let got = flat("a.ndjson", &text);
    assert_eq!(got.counts.encounters, 2);
    let rules: Vec<_> = got.counts.quarantined.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
    assert_eq!(rules, [("no-id", 1), ("no-resource-type", 2), ("not-json", 1), ("truncated", 1)]);
    assert_eq!(column(&got, "bronze/quarantine", "raw")[0].as_deref(), Some("not json"));
}

#[test]
fn a_broken_first_line_does_not_take_the_others_with_it() {
    let rest: Vec<_> = (1..5).map(encounter).collect();
    for first in [&encounter(0)[..60], "{\"resourceType\":\"Patient\",", "oops", "{"] {
        let got = flat("a.ndjson", &format!("{first}\n{}\n", rest.join("\n")));
        assert_eq!((got.counts.encounters, got.counts.quarantined()), (4, 1), "{first}");
    }
}

#[test]
fn the_tail_of_what_was_cut_is_one_record() {
    let array = format!("[{},{},{}", encounter(1), encounter(2), &encounter(3)[..40]);
    let bundle = format!(
        r#"{{"resourceType":"Bundle","entry":[{{"resource":{}}},{{"resource":{}"#,
        encounter(1),
        &encounter(2)[..30]
    );
    for (text, accepted) in [(array, 2), (bundle, 1), (encounter(1)[..50].to_owned(), 0)] {
        let got = flat("a.json", &text);
        assert_eq!((got.counts.encounters, got.counts.quarantined()), (accepted, 1), "{text}");
        assert_eq!(got.counts.quarantined.keys().next().map(String::as_str), Some("truncated"), "{text}");
    }
    let lines: Vec<_> = (0..200).map(encounter).collect();
    let packed = gzip(lines.join("\n").as_bytes());
    let got = run("a.ndjson.gz", &packed[..packed.len() / 2], ONE, Limits::default());
    assert!(got.counts.encounters > 0 && got.counts.encounters < 200);
    assert_eq!(got.counts.quarantined(), 1);
    assert_eq!(got.measured.bytes, packed.len() as u64 / 2);
}

#[test]
fn an_object_that_is_no_json_is_one_record() {
    for bytes in [&b"a,b,c\n1,2,3\n4,5,6\n"[..], b"\x89PNG\r\n\x1a\n\x00\x00", b"\x1f\x8bnot gzip at all"] {
        let got = run("a.json", bytes, ONE, Limits::default());
        assert_eq!((got.counts.records, got.counts.quarantined()), (1, 1), "{bytes:?}");
    }
    assert_eq!(run("a.json", b"", ONE, Limits::default()).counts.records, 0);
    assert_eq!(run("a.json", b" \n\n", ONE, Limits::default()).counts.records, 0);
}

#[test]
fn names_come_from_the_same_object_even_when_they_come_late() {
    let encounter = r#"{"resourceType":"Encounter","id":"e","serviceProvider":{"reference":"Organization/o"},"location":[{"location":{"reference":"urn:uuid:l"}}]}"#;
    let organization = r#"{"resourceType":"Organization","id":"o","name":" City Hospital "}"#;
    let bundle = format!(
        r#"{{"resourceType":"Bundle","entry":[{{"resource":{encounter}}},{{"resource":{organization}}},{{"fullUrl":"urn:uuid:l","resource":{{"resourceType":"Location","name":"Ward 3"}}}}]}}"#
    );
    let got = flat("a.json", &bundle);
    assert_eq!((got.counts.records, got.counts.encounters, got.counts.skipped()), (3, 1, 2));
    assert_eq!(got.files[0].0.partition.as_deref(), Some("City Hospital"));
    assert_eq!(column(&got, "bronze/encounter", "department"), [Some("Ward 3".to_owned())]);
}

#[test]
fn an_organization_and_a_location_of_one_id_keep_their_own_names() {
    let named = |kind: &str| {
        format!(
            r#"{{"resourceType":"{kind}","id":"1","name":"The {kind}","identifier":[{{"system":"urn:x","value":"i"}}]}}"#
        )
    };
    let (organization, location) = (named("Organization"), named("Location"));
    let references = [("Organization/1", "Location/1"), ("1", "1"), ("urn:uuid:1", "urn:uuid:1")];
    let conditional = ("Organization?identifier=urn:x|i", "Location?identifier=urn:x|i");
    for (hospital, department) in references.into_iter().chain([conditional]) {
        let encounter = format!(
            r#"{{"resourceType":"Encounter","id":"e","serviceProvider":{{"reference":"{hospital}"}},"location":[{{"location":{{"reference":"{department}"}}}}]}}"#
        );
        let patient =
            format!(r#"{{"resourceType":"Patient","id":"p","managingOrganization":{{"reference":"{hospital}"}}}}"#);
        for order in [
            [&organization, &location, &encounter, &patient],
            [&location, &organization, &encounter, &patient],
            [&location, &encounter, &patient, &organization],
            [&encounter, &patient, &location, &organization],
        ] {
            let got = flat("a.ndjson", &order.map(String::as_str).join("\n"));
            let partitions: Vec<_> = got.files.iter().map(|(file, _)| file.partition.as_deref()).collect();
            assert_eq!(partitions, [Some("The Organization"); 2], "{order:?}");
            assert_eq!(column(&got, "bronze/encounter", "department"), [Some("The Location".to_owned())], "{order:?}");
        }
    }
}

#[test]
fn a_name_of_another_type_names_neither_hospital_nor_department() {
    let place = |kind: &str| format!(r#"{{"resourceType":"{kind}","id":"1","name":"The {kind}"}}"#);
    let encounter = r#"{"resourceType":"Encounter","id":"e","serviceProvider":{"reference":"Location/1"},"location":[{"location":{"reference":"Organization/1"}}]}"#;
    let got = flat("a.ndjson", &[&place("Organization"), &place("Location"), encounter].join("\n"));
    assert_eq!(got.files[0].0.partition, None);
    assert_eq!(column(&got, "bronze/encounter", "department"), [None]);
}

#[test]
fn bundle_entries_without_a_resource_are_skipped_and_ids_come_from_their_address() {
    let text = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:abc","resource":{"resourceType":"Patient"}},{"request":{"method":"DELETE"}},{"request":{"method":"POST"}},{"resource":{"resourceType":"Patient"}}]}"#;
    let got = flat("a.json", text);
    assert_eq!((got.counts.patients, got.counts.skipped(), got.counts.quarantined()), (1, 1, 2));
    assert_eq!(column(&got, "bronze/patient", "patient_id"), [Some("abc".to_owned())]);
}

fn in_bundles(resource: &str, depth: usize, before: &str) -> String {
    let open = format!(r#"{{"resourceType":"Bundle","entry":[{{{before}"resource":"#);
    open.repeat(depth) + resource + &"}]}".repeat(depth)
}

#[test]
fn bundles_within_bundles_are_opened_whether_or_not_they_have_an_address() {
    for before in ["", r#""fullUrl":"urn:uuid:b","#] {
        for depth in 1..=8 {
            for key in ["a.ndjson", "a.json"] {
                let got = flat(key, &(in_bundles(&encounter(1), depth, before) + "\n"));
                assert_eq!((got.counts.encounters, got.counts.records), (1, 1), "{key} {before} {depth}");
            }
            let got = flat("a.json", &format!("[{}]", in_bundles(&encounter(1), depth, before)));
            assert_eq!((got.counts.encounters, got.counts.records), (1, 1), "{before} {depth}");
        }
    }
}

#[test]
fn bundles_deeper_than_anybody_nests_them_are_one_record_and_the_rest_goes_on() {
    for depth in [9, 2_000, 50_000] {
        let deep = in_bundles(&encounter(1), depth, "");
        let texts = [
            ("a.ndjson", format!("{deep}\n{}\n", encounter(2))),
            ("a.json", format!("[{deep},{}]", encounter(2))),
            (
                "a.json",
                format!(
                    "{{\n\"resourceType\":\"Bundle\",{}\n{}",
                    &deep[r#"{"resourceType":"Bundle","#.len()..],
                    encounter(2)
                ),
            ),
        ];
        for (key, text) in texts {
            let got = flat(key, &text);
            assert_eq!((got.counts.records, got.counts.encounters), (2, 1), "{key} {depth}");
            assert_eq!(got.counts.quarantined.get("bad-value"), Some(&1));
            assert_eq!(column(&got, "bronze/quarantine", "resource_type"), [Some("Bundle".to_owned())]);
        }
    }
}

#[test]
fn json_of_any_depth_is_read_without_a_call_a_level() {
    let deep = format!("{}1{}", r#"{"a":["#.repeat(200_000), "]}".repeat(200_000));
    let elements = [
        format!(r#"{{"resourceType":"Patient","id":"p","extension":{deep}}}"#),
        format!(r#"{{"resourceType":"Condition","id":"c","recorder":{deep}}}"#),
        format!(r#"{{"resourceType":"Observation","id":"o","component":{deep}}}"#),
        format!(r#"{{"resourceType":"Encounter","id":"e","extension":{deep},"class":[{{"extension":{deep}}}]}}"#),
        format!(r#"{{"resourceType":"Encounter","id":"e","extension":{deep},"status":{deep}}}"#),
        deep,
    ];
    for key in ["a.ndjson", "a.json"] {
        let got = flat(key, &(elements.join("\n") + "\n"));
        assert_eq!((got.counts.records, got.counts.accepted(), got.counts.skipped()), (6, 3, 1));
    }
}

#[test]
fn a_list_resource_has_entries_and_is_no_bundle() {
    let text = r#"{"entry":[{"item":{"reference":"Patient/1"}}],"resourceType":"List","id":"l"}"#;
    let got = flat("a.json", &format!("\n{{\n{}", &text[1..]));
    assert_eq!(got.counts.skipped.get("List"), Some(&1));
    assert_eq!(got.counts.records, 1);
}

#[test]
fn a_record_that_is_too_large_is_set_aside_by_its_place() {
    let limits = Limits { chunk: 256, record: 400, raw: 64, ..Limits::default() };
    let long = format!(r#"{{"resourceType":"Patient","id":"p","photo":"{}"}}"#, "x".repeat(2000));
    for text in
        [format!("{}\n{long}\n{}\n", encounter(1), encounter(2)), format!("[{},{long},{}]", encounter(1), encounter(2))]
    {
        let got = run("a.json", text.as_bytes(), ONE, limits);
        assert_eq!((got.counts.encounters, got.counts.quarantined.get("too-large")), (2, Some(&1)), "{text}");
        let raw = column(&got, "bronze/quarantine", "raw");
        let start = text.find(&long).expect("it is there");
        assert_eq!(raw[0].as_deref(), Some(format!(r#"{{"length":{},"offset":{start}}}"#, long.len()).as_str()));
    }
}

fn any_object() -> impl Strategy<Value = Vec<u8>> {
    let record = prop_oneof![
        2 => (0usize..50, 0..12usize, any::<bool>()).prop_map(|(id, depth, named)| {
            in_bundles(&encounter(id), depth, if named { r#""fullUrl":"urn:uuid:x","# } else { "" }).into_bytes()
        }),
        8 => (0usize..50).prop_map(|id| encounter(id).into_bytes()),
        2 => (0usize..50).prop_map(|id| format!(r#"{{"resourceType":"Patient","id":"p{id}","birthDate":"19{id:02}-01-01"}}"#).into_bytes()),
        1 => Just(br#"{"resourceType":"Observation","id":"o"}"#.to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => "[ \\{\\}\\[\\]\",:a-z\\\\\n]{0,30}".prop_map(String::into_bytes),
    ];
    (proptest::collection::vec(record, 0..12), 0..4u8, any::<u8>(), any::<bool>()).prop_map(
        |(records, form, cut, pack)| {
            let (open, between, close): (&[u8], &[u8], &[u8]) = match form {
                0 => (b"", b"\n", b"\n"),
                1 => (b"[", b",", b"]"),
                2 => (b"{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":", b"},{\"resource\":", b"}]}"),
                _ => (b" \n", b"\n\n", b""),
            };
            let mut bytes = [open, &records.join(between), close].concat();
            if pack {
                bytes = gzip(&bytes);
            }
            if cut < 60 {
                bytes.truncate(bytes.len() * usize::from(cut) / 60);
            }
            bytes
        },
    )
}

proptest! {
    #[test]
    fn no_input_panics_and_every_record_is_counted_once(bytes in any_object(), named in any::<bool>()) {
        run(if named { "a.ndjson" } else { "a.json" }, &bytes, ONE, Limits::default());
    }

    #[test]
    fn the_rows_depend_neither_on_threads_nor_on_chunks(
        bytes in any_object(), chunk in 16usize..300, wave in prop_oneof![Just(0), Just(200_000), Just(usize::MAX)],
        waiting in prop_oneof![Just(0), Just(2_000), Just(usize::MAX)],
        record in prop_oneof![2 => Just(64 << 20), 1 => 40usize..400], named in any::<bool>(),
    ) {
        let key = if named { "a.ndjson" } else { "a.json" };
        let large = Limits { record, raw: 40, ..Limits::default() };
        let small = Limits { chunk, wave, waiting, ..large };
        let one = run(key, &bytes, ONE, small);
        let two = run(key, &bytes, NonZeroUsize::new(2).expect("2"), small);
        prop_assert_eq!(&one.files, &two.files);
        let whole = run(key, &bytes, ONE, large);
        prop_assert_eq!(&one.counts, &whole.counts);
        prop_assert_eq!(&one.measured, &whole.measured);
        prop_assert_eq!(column(&one, "bronze/encounter", "content_id"), column(&whole, "bronze/encounter", "content_id"));
        prop_assert_eq!(column(&one, "bronze/quarantine", "raw"), column(&whole, "bronze/quarantine", "raw"));
    }
}
