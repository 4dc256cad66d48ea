//! Law 2 on real files that are broken in every way we know: ten thousand mangled objects, none of which may panic, lose a
//! record, count one twice, keep less than the whole of what is refused, or depend on the number of threads.
//!
//! `MANGLED=100000 MANGLED_SEED=7 cargo test -p metriccare-tests --test mangling` makes more, and others.

use std::{
    io::{self, Cursor, Read as _},
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use metriccare_lake::{
    bronze::{Counts, Flattened, Limits, Sinks, Source, flatten},
    cells::{Cell, read_rows},
    schema::{BRONZE_QUARANTINE, TABLES, Table},
};
use metriccare_tests::{
    column,
    mangle::{Mangled, mangled, samples},
};
use serde_json::Value;

/// How many objects are mangled.
const OBJECTS: u64 = 10_000;
const SEED: u64 = 2025;

struct Memory;

impl Sinks for Memory {
    type File = Vec<u8>;

    fn create(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

fn flattened(object: &Mangled, threads: usize, limits: Limits) -> Flattened<Vec<u8>> {
    let source = Source {
        key: object.key.clone(),
        object_id: "o".to_owned(),
        etag: "e".to_owned(),
        landed_micros: 1_767_225_600_000_000,
    };
    let open = || -> io::Result<Box<dyn io::Read + Send>> { Ok(Box::new(Cursor::new(object.bytes.clone()))) };
    let threads = NonZeroUsize::new(threads).expect("not zero");
    flatten(&source, open, &mut Memory, threads, limits).expect("memory does not fail")
}

/// What a reader of the object's text sees, as far as it can be decompressed, and whether that is all of it.
fn plain(bytes: &[u8]) -> (Vec<u8>, bool) {
    let (mut text, mut whole) = (Vec::new(), true);
    if bytes.starts_with(&[0x1f, 0x8b]) {
        // What comes before the damage is read.
        whole = MultiGzDecoder::new(bytes).read_to_end(&mut text).is_ok();
    } else {
        text.extend_from_slice(bytes);
    }
    if text.starts_with(b"\xef\xbb\xbf") {
        text.drain(..3);
    }
    (text, whole)
}

/// How many records a plain reading finds, where the text is good JSON whose members are named once.
fn records_of(object: &Mangled, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    if object.steps.iter().any(|step| step == "a key twice") || object.bytes.len() < 3 {
        return None;
    }
    let lines = text.lines().filter(|line| !line.trim_ascii().is_empty());
    let values: Vec<Value> = match lines.map(serde_json::from_str).collect() {
        Ok(lines) => lines,
        Err(_) if object.key.to_ascii_lowercase().contains("ndjson") => return None,
        Err(_) => vec![serde_json::from_str(text).ok()?],
    };
    if let [Value::Array(list)] = values.as_slice() {
        return list.iter().map(|value| resources(value, 0)).sum();
    }
    values.iter().all(Value::is_object).then(|| values.iter().map(|value| resources(value, 0)).sum())?
}

/// How many records a resource is: itself, or a Bundle's entries.
fn resources(value: &Value, depth: usize) -> Option<u64> {
    // Where a deletion or a reply is, whether it is opened at all depends on it.
    let entry = |entry: &Value| match entry.get("resource") {
        Some(resource) if entry.get("request").is_none() && entry.get("response").is_none() => {
            resources(resource, depth + 1)
        }
        Some(resource) if resource.get("resourceType") == Some(&"Bundle".into()) => None,
        _ => Some(1),
    };
    match (value.get("resourceType").and_then(Value::as_str), value.get("entry")) {
        (Some("Bundle"), _) if depth == 8 => Some(1),
        (Some("Bundle"), Some(Value::Array(entries))) => entries.iter().map(entry).sum(),
        (Some("Bundle"), None | Some(Value::Null)) => Some(0),
        // A document with entries and without a type is opened as a Bundle, a line is refused.
        (None, Some(Value::Array(_))) => None,
        _ => Some(1),
    }
}

fn rows(flat: &Flattened<Vec<u8>>, table: &'static Table) -> Vec<Vec<Cell>> {
    let files = flat.files.iter().filter(|(file, _)| file.table == table.path);
    files.flat_map(|(_, bytes)| read_rows(table, &Bytes::from(bytes.clone())).expect("our own file")).collect()
}

/// What is refused is there whole: as it stood from its line on, as the row of a table, or by its place.
fn kept_whole(row: &[Cell], object: &Mangled, text: &[u8]) {
    let cell = |name: &str| row[column(&BRONZE_QUARANTINE, name)].to_string();
    let (rule, raw) = (cell("rule"), cell("raw"));
    assert!(!rule.is_empty() && !cell("reason").is_empty(), "a rule and a reason: {row:?}");
    assert_eq!(cell("sourcename"), object.key);
    let line: usize = cell("line").parse().expect("a line");
    if let Ok(place) = serde_json::from_str::<Value>(&raw)
        && let (Some(offset), Some(length)) = (place["offset"].as_u64(), place["length"].as_u64())
    {
        // Offsets count a byte order mark too.
        assert!(offset + length <= text.len() as u64 + 3, "{raw}");
    } else if object.bytes.starts_with(b"PAR1") {
        assert!(!raw.is_empty());
    } else {
        let start: usize = text.split_inclusive(|byte| *byte == b'\n').take(line - 1).map(<[u8]>::len).sum();
        let there = text[start..].windows(raw.len().max(1)).any(|window| window == raw.as_bytes());
        assert!(there || raw.is_empty() || is_a_row(&raw, text), "{rule} at {line} keeps {raw:?}");
    }
}

/// Whether a line of CSV has the cells of one of the object's rows.
fn is_a_row(line: &str, text: &[u8]) -> bool {
    let reader = |bytes| csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let wanted = reader(line.as_bytes()).byte_records().next();
    let wanted = wanted.expect("a row").expect("memory");
    reader(text).byte_records().any(|row| row.expect("memory") == wanted)
}

/// Holds an object to the laws; gives how it was handled.
fn lawful(object: &Mangled, number: u64) -> Counts {
    let limits = match number % 2 {
        0 => Limits::default(),
        _ => Limits { chunk: 700, wave: 2_000, waiting: 4_000, ..Limits::default() },
    };
    let [one, two] = [1, 2].map(|threads| flattened(object, threads, limits));
    assert_eq!(one.counts, two.counts, "one thread and two count alike");
    assert!(one.files == two.files, "one thread and two write the same bytes");
    let counts = &one.counts;
    assert_eq!(counts.records, counts.accepted() + counts.quarantined() + counts.skipped(), "{counts:?}");
    let written: u64 = TABLES.iter().map(|table| rows(&one, table).len() as u64).sum();
    assert_eq!(written, counts.accepted() + counts.quarantined(), "each accepted or refused record is a row once");
    assert_eq!(written, one.files.iter().map(|(file, _)| file.rows).sum::<u64>());
    let (text, whole) = plain(&object.bytes);
    let refused = rows(&one, &BRONZE_QUARANTINE);
    assert_eq!(refused.len() as u64, counts.quarantined());
    refused.iter().for_each(|row| kept_whole(row, object, &text));
    if let Some(records) = records_of(object, &text).filter(|_| whole) {
        assert_eq!(counts.records, records, "a plain reading counts otherwise");
    }
    one.counts
}

#[expect(clippy::disallowed_methods, reason = "how many objects are mangled is asked for by whoever runs it")]
fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn mangled_files_keep_every_record_and_never_panic() {
    let (objects, seed) = (asked("MANGLED", OBJECTS), asked("MANGLED_SEED", SEED));
    let samples = samples();
    let (next, broken, total) = (AtomicU64::new(0), Mutex::new(Vec::new()), Mutex::new(Counts::default()));
    let one_after_another = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= objects || broken.lock().expect("no panic").len() >= 10 {
            return;
        }
        let object = mangled(&samples, seed, number);
        match catch_unwind(AssertUnwindSafe(|| lawful(&object, number))) {
            Ok(counts) => total.lock().expect("no panic").add(&counts),
            Err(panic) => {
                let what = panic.downcast_ref::<String>().cloned();
                let what = what.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
                let what = what.unwrap_or_default().chars().take(600).collect::<String>();
                let line = format!("{number} ({}, {}): {what}", object.key, object.steps.join(", "));
                broken.lock().expect("no panic").push(line);
            }
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(one_after_another))));
    let broken = broken.into_inner().expect("no panic");
    assert!(broken.is_empty(), "of seed {seed}:\n{}", broken.join("\n"));
    let total = total.into_inner().expect("no panic");
    // Mangling that everything survived, or nothing, would show little.
    for count in [total.accepted(), total.quarantined(), 4 * total.skipped()] {
        assert!(count > objects, "{total:?}");
    }
    assert!(total.quarantined.len() > 8, "{:?}", total.quarantined);
    // What a record calls its type is not repeated: it may be anything.
    assert!(total.skipped.contains_key("no FHIR type") && total.skipped.len() < 60, "{:?}", total.skipped);
}
