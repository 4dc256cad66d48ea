use std::io::{Cursor, Write};

use flate2::{Compression, write::GzEncoder};

use super::*;

/// The lengths of the records, and the rules that the broken ones broke.
fn records(key: &str, bytes: Vec<u8>, limits: Limits) -> (Vec<u64>, Vec<&'static str>) {
    let open = Records::open(key, Box::new(Cursor::new(bytes)), limits, Hints::default());
    let mut records = open.expect("memory does not fail");
    let (mut lengths, mut broken) = (Vec::new(), Vec::new());
    while let Some(chunk) = records.next_chunk().expect("memory does not fail") {
        for span in chunk.spans {
            match span.kind {
                SpanKind::Broken(rule, _) => broken.push(rule.name()),
                _ => lengths.push(span.length),
            }
        }
    }
    (lengths, broken)
}

fn patient(photo: usize) -> String {
    format!(r#"{{"resourceType":"Patient","id":"p","photo":[{{"data":"{}"}}]}}"#, "x".repeat(photo))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn a_long_first_line_leaves_lines_what_they_are() {
    let good: Vec<_> = (0..100).map(patient).collect();
    let cut = |line: &str, end: &str| format!("{}{end}", &line[..line.len() - end.len() - 9]);
    let whole = patient(70_000);
    for (first, second, lost) in [
        (whole.clone(), patient(1), 1),
        (whole.clone(), whole.clone(), 1),
        (cut(&whole, ""), patient(1), 2),
        (cut(&whole, ""), whole.clone(), 2),
        (cut(&whole, "\","), whole.clone(), 2),
        (format!("  {whole} \r"), whole.clone(), 1),
    ] {
        // Line 3 is cut: read as documents, it would take all others with it.
        let text = format!("{first}\n{second}\n{}\n{}\n", cut(&whole, ""), good.join("\n"));
        let lengths = |bytes: Vec<u8>, key: &str, chunk: usize| {
            let (lengths, broken) = records(key, bytes, Limits { chunk, ..Limits::default() });
            assert!(broken.is_empty(), "{key}");
            lengths
        };
        let got = lengths(text.clone().into_bytes(), "a.ndjson", 4 << 20);
        assert_eq!(got.len(), 103);
        let readable = text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count();
        assert_eq!(readable, 103 - lost);
        for key in ["a.NDJSON.gz", "x/a.jsonl", "a.ldjson"] {
            assert_eq!(lengths(gzip(&text), key, 1000), got, "{key}");
        }
    }
}

#[test]
fn a_first_line_that_is_too_long_is_one_record() {
    let limits = Limits { chunk: 4_000, record: 100_000, raw: 100, ..Limits::default() };
    let good: Vec<_> = (0..100).map(patient).collect();
    for first in [patient(200_000), patient(200_000)[..150_000].to_owned()] {
        let (lengths, broken) = records("a.ndjson", format!("{first}\n{}\n", good.join("\n")).into_bytes(), limits);
        assert_eq!((lengths.len(), broken), (100, vec!["too-large"]));
    }
}

#[test]
fn documents_that_are_named_like_lines_stay_documents() {
    let entry = |size| format!(r#"{{"resource":{}}}"#, patient(size));
    let bundle = |between: &str| {
        let entries = [entry(70_000), entry(1), entry(70_000), entry(2)];
        format!(r#"{{"resourceType":"Bundle","entry":[{between}{}"#, entries.join(&format!(",{between}")))
    };
    // A Bundle that was cut in its last entry, on one line and on many.
    for between in ["", "\n", "\n  "] {
        let text = bundle(between);
        let (lengths, broken) = records("a.ndjson", text.as_bytes()[..text.len() - 3].to_vec(), Limits::default());
        assert_eq!((lengths.len(), broken), (3, vec!["truncated"]), "{between:?}");
    }
    let (lengths, broken) = records("a.ndjson", format!("{}\n]}}\n", bundle("\n")).into_bytes(), Limits::default());
    assert_eq!((lengths.len(), broken), (4, vec![]));
    let (lengths, broken) = records("a.ndjson", patient(70_000).into_bytes(), Limits::default());
    assert_eq!((lengths.len(), broken), (1, vec![]));
}

#[test]
fn a_document_that_is_too_large_is_named_by_its_place() {
    let limits = |chunk| Limits { chunk, record: 1_000, raw: 100, ..Limits::default() };
    let filler = |size| "x".repeat(size);
    let large = [
        format!(r#"{{"resourceType":"Binary","data":"{}"}}"#, filler(5_000)),
        format!(r#"{{"resourceType":"Binary","data":"{}","id":"{{[\"","meta":{{"a":[1]}} }}"#, filler(5_000)),
        format!(r#"{{"resourceType":"Parameters","parameter":[{}1]}}"#, "{\"a\":\"]\"},\n".repeat(700)),
        format!(r#"{{"{}":1}}"#, filler(5_000)),
        format!(r#"{{"resourceType":"{}","id":"b"}}"#, filler(5_000)),
        format!(r#"{{"resourceType"{}:"Patient","id":"b"}}"#, " ".repeat(5_000)),
        format!(r#"{{"resourceType":"Patient","id":"b"{}}}"#, " \n".repeat(5_000)),
        format!("{{{}}}", r#""a":"b","#.repeat(700)),
        format!(r#"{{"a":"{}"}}"#, filler(1_001 - 8)),
    ];
    for object in &large {
        for (before, after, others) in [(" ", "\n", 0), ("[\n", "]", 0), ("{\"a\":1} ", " {\"b\":2}", 2)] {
            let text = format!("{before}{object}{after}");
            for chunk in [16, 300, 4 << 20] {
                let mut records =
                    Records::open("a.json", Box::new(Cursor::new(text.clone())), limits(chunk), Hints::default())
                        .expect("memory does not fail");
                let (mut good, mut lost) = (0, Vec::new());
                while let Some(chunk) = records.next_chunk().expect("memory does not fail") {
                    for span in chunk.spans {
                        match span.kind {
                            SpanKind::Broken(rule, _) => lost.push((rule, span.line, span.offset, span.length)),
                            _ => good += 1,
                        }
                    }
                }
                let line = 1 + before.matches('\n').count() as u64;
                let place = (Rule::TooLarge, line, before.len() as u64, object.len() as u64);
                assert_eq!(lost, [place], "{chunk} {}", &text[..40]);
                assert_eq!(good, others);
            }
        }
    }
    let fits = format!(r#"{{"a":"{}"}}"#, filler(1_000 - 8));
    assert_eq!(records("a.json", fits.into_bytes(), limits(16)), (vec![1_000], vec![]));
    let (lengths, broken) = records("a.json", large[0].as_bytes()[..3_000].to_vec(), limits(16));
    assert_eq!((lengths, broken), (vec![], vec!["too-large"]));
}
