//! Landed tables through bronze into silver, from bytes to bytes.

use std::{
    io::{self, Read, Write},
    num::NonZeroUsize,
};

use arrow_array::RecordBatch;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;

use super::{CLAIMS, PATIENTS, RelationalTable, merge, read_bronze, split};
use crate::{
    bronze::{Flattened, Limits, Sinks, Source, flatten},
    cells::{Cell, read_rows},
    schema::BRONZE_QUARANTINE,
};

struct Memory;

impl Sinks for Memory {
    type File = Vec<u8>;

    fn create(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

const HEADER: &str = "claim_id,patient_id,provider_id,claim_date,service_date,procedure_code,claim_amount,allowed_amount,\
                      paid_amount,adjudication_status,is_fraudulent,denial_reason,claim_line_number";

fn landed(key: &str, landed_micros: i64, bytes: &[u8]) -> Flattened<Vec<u8>> {
    let source = Source { key: key.to_owned(), object_id: "o".to_owned(), etag: String::new(), landed_micros };
    let bytes = bytes.to_vec();
    let open = || Ok(Box::new(io::Cursor::new(bytes.clone())) as Box<dyn Read + Send>);
    flatten(&source, open, &mut Memory, NonZeroUsize::MIN, Limits::default()).expect("memory does not fail")
}

fn rows_of(flattened: &Flattened<Vec<u8>>, table: &'static RelationalTable) -> Vec<Vec<Cell>> {
    let files = flattened.files.iter().filter(|(file, _)| file.table == table.bronze.path);
    files.flat_map(|(_, bytes)| read_rows(&table.bronze, &Bytes::from(bytes.clone())).expect("our own file")).collect()
}

fn quarantined(flattened: &Flattened<Vec<u8>>) -> Vec<String> {
    let files = flattened.files.iter().filter(|(file, _)| file.table == BRONZE_QUARANTINE.path);
    let rows = files.flat_map(|(_, bytes)| read_rows(&BRONZE_QUARANTINE, &Bytes::from(bytes.clone())).expect("ours"));
    rows.map(|row| row[1..6].iter().map(ToString::to_string).collect::<Vec<_>>().join("|")).collect()
}

fn csv(lines: &[&str]) -> Vec<u8> {
    let mut text = format!("{HEADER}\n");
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text.into_bytes()
}

const GOOD: &str = "C1,p1,d1,2025-02-03,2025-02-01,99213,120.5,100,80.00,paid,False,,1";

#[test]
fn a_row_is_typed_and_a_row_that_cannot_be_is_kept_whole_with_its_place() {
    let flattened = landed(
        "2025/claims.csv",
        1_760_000_000_000_000,
        &csv(&[
            GOOD,
            "C2,p1,d1,2025-02-30,2025-02-01,99213,120.5,100,80.00,paid,False,,1",
            "C3,p1,d1",
            ",p1,d1,2025-02-03,2025-02-01,99213,120.5,100,80.00,paid,False,,1",
            "C5,p1,d1,2025-02-03,2025-02-01,\"a,\"\"b\"\"\",1,1,1,paid,maybe,,1",
        ]),
    );
    assert_eq!((flattened.counts.records, flattened.counts.accepted(), flattened.counts.quarantined()), (5, 1, 4));
    let words: Vec<String> = rows_of(&flattened, &CLAIMS)[0].iter().map(ToString::to_string).collect();
    assert_eq!(
        words[..13],
        ["C1", "p1", "d1", "2025-02-03", "2025-02-01", "99213", "120.50", "100.00", "80.00", "paid", "false", "", "1"]
    );
    assert_eq!(words[13], "2025/claims.csv");
    let kept = quarantined(&flattened);
    assert!(kept[0].starts_with("3|claims|bad-value|claim_date: not a date"), "{kept:?}");
    assert!(kept[0].ends_with("|C2,p1,d1,2025-02-30,2025-02-01,99213,120.5,100,80.00,paid,False,,1"), "{kept:?}");
    assert!(kept[1].starts_with("4|claims|bad-value|the row has 3 cells, the header has 13|C3,p1,d1"), "{kept:?}");
    assert!(kept[2].starts_with("5|claims|no-id|claim_id: missing"), "{kept:?}");
    assert!(kept[3].contains("6|claims|bad-value|is_fraudulent: neither true nor false|C5"), "{kept:?}");
    assert!(kept[3].contains("\"a,\"\"b\"\"\""), "{kept:?}");
}

/// Claims of a landed object as a Parquet file of their own: our bronze file has the table's columns and three more.
fn as_parquet(flattened: &Flattened<Vec<u8>>) -> Vec<u8> {
    let file = flattened.files.iter().find(|(file, _)| file.table == CLAIMS.bronze.path).expect("rows").1.clone();
    let names: Vec<&'static str> = CLAIMS.columns.iter().map(|(name, _)| *name).collect();
    let batch = crate::table_file::read(&CLAIMS.bronze, &Bytes::from(file), &names).expect("our own file");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("memory");
    writer.write(&batch).expect("memory");
    writer.into_inner().expect("memory")
}

#[test]
fn a_parquet_file_with_any_damaged_byte_is_rows_or_quarantine() {
    let parquet = as_parquet(&landed("a.csv", 7, &csv(&[GOOD, "C2,p2,d1,2025-03-03,,,1,1,0,denied,1,not covered,2"])));
    let mut reasons = std::collections::BTreeSet::new();
    for (at, damage) in (4..parquet.len()).flat_map(|at| [0x01, 0x80, 0xff].map(|damage| (at, damage))) {
        let mut damaged = parquet.clone();
        damaged[at] ^= damage;
        let flattened = landed("a.parquet", 7, &damaged);
        let counts = &flattened.counts;
        assert_eq!(counts.records, counts.accepted() + counts.quarantined(), "byte {at}");
        assert!(counts.records > 0, "byte {at}: an object with rows gives none, and nothing says why");
        reasons.extend(quarantined(&flattened));
    }
    assert!(reasons.iter().any(|reason| reason.contains("its decoder gave up")), "{reasons:#?}");
}

#[test]
fn the_same_rows_as_csv_gzip_and_parquet_are_the_same_rows() {
    let text = csv(&[GOOD, "C2,p2,d1,2025-03-03,,,1,1,0,denied,1,not covered,2"]);
    let plain = landed("a.csv", 7, &text);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&text).expect("memory");
    let gzipped = landed("a.csv", 7, &gzip.finish().expect("memory"));
    let parquet = landed("a.csv", 7, &as_parquet(&plain));
    let rows = rows_of(&plain, &CLAIMS);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows_of(&gzipped, &CLAIMS), rows);
    assert_eq!(rows_of(&parquet, &CLAIMS), rows);
}

#[test]
fn other_csv_is_named_and_distinguished_from_json() {
    let other = landed("x/visits.csv", 7, b"visit,day\n1,2025-01-01\n");
    assert_eq!((other.counts.records, other.counts.quarantined["unknown-table"]), (1, 1));
    assert!(quarantined(&other)[0].contains("no table of the relational set"), "{:?}", quarantined(&other));
    let json = landed("x/p.json", 7, b"{\"resourceType\":\"Patient\",\"id\":\"1\"}");
    assert_eq!((json.counts.records, json.counts.patients), (1, 1));
    let broken = landed("x/p.json", 7, b"{\"resourceType\":\"Patient\",\"id\":");
    assert_eq!(broken.counts.quarantined.keys().collect::<Vec<_>>(), ["truncated"]);
}

#[test]
fn a_quote_that_is_never_closed_is_one_record_of_the_quarantine() {
    let limits = Limits { record: 100_000, ..Limits::default() };
    let mut text = csv(&[GOOD]);
    text.extend_from_slice(b"C2,\"p1,d1");
    text.extend(std::iter::repeat_n(b'x', 1 << 20));
    let source = Source { key: "c.csv".to_owned(), object_id: "o".to_owned(), etag: String::new(), landed_micros: 7 };
    let open = || Ok(Box::new(io::Cursor::new(text.clone())) as Box<dyn Read + Send>);
    let flattened = flatten(&source, open, &mut Memory, NonZeroUsize::MIN, limits).expect("memory");
    assert_eq!((flattened.counts.accepted(), flattened.counts.quarantined["too-large"]), (1, 1));
}

#[test]
fn ids_of_a_named_source_carry_its_name() {
    let flattened = landed("source=north/claims.csv", 7, &csv(&[GOOD, &GOOD.replace("p1", "p:1")]));
    let row = &rows_of(&flattened, &CLAIMS)[0];
    assert_eq!([row[0].to_string(), row[1].to_string(), row[2].to_string()], ["north:C1", "north:p1", "north:d1"]);
    assert!(quarantined(&flattened)[0].contains("patient_id: a colon"), "{:?}", quarantined(&flattened));
    let parquet = as_parquet(&landed("claims.csv", 7, &csv(&[GOOD, &GOOD.replace("p1", "p:1")])));
    let kept = quarantined(&landed("source=north/claims.parquet", 7, &parquet));
    assert!(kept[0].contains("patient_id: a colon") && kept[0].contains("|C1,p:1,d1,2025-02-03,"), "{kept:?}");
}

/// A version of a claim: its id, its line, when it landed, and its amount.
type Version = (u8, u8, u8, u8);

fn bronze_of(versions: &[Version]) -> Vec<RecordBatch> {
    versions
        .iter()
        .map(|(id, line, landed_at, amount)| {
            let line = format!("C{id},p,d,2025-01-01,2025-01-01,x,{amount}.00,0,0,paid,0,,{line}");
            let flattened = landed("c.csv", i64::from(*landed_at), &csv(&[&line]));
            read_bronze(&CLAIMS, &Bytes::from(flattened.files[0].1.clone())).expect("our own file")
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn silver_has_the_latest_row_of_each_key_in_any_order_and_split(
        versions in proptest::collection::vec((0u8..4, 1u8..3, 0u8..4, 0u8..3), 1..12),
        shuffled in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let batches = bronze_of(&versions);
        let whole = merge(&CLAIMS, None, &batches).expect("one merge").parquet;
        let mut other = batches.clone();
        let turned = shuffled.index(other.len());
        other.rotate_left(turned);
        other.extend_from_slice(&batches[..turned]);
        let cut = cut.index(other.len());
        let first = merge(&CLAIMS, None, &other[..cut]).expect("a part").parquet;
        let second = merge(&CLAIMS, Some(&first), &other[cut..]).expect("the rest").parquet;
        prop_assert_eq!(&second, &whole);
        let settled = merge(&CLAIMS, Some(&whole), &batches).expect("again");
        prop_assert!(!settled.changed);

        let mut naive: std::collections::BTreeMap<(String, i64), (u8, u8)> = std::collections::BTreeMap::new();
        for (id, line, at, _) in &versions {
            let newest = naive.entry((format!("C{id}"), i64::from(*line))).or_insert((*at, 0));
            newest.0 = newest.0.max(*at);
        }
        let rows = read_rows(&CLAIMS.silver, &whole).expect("our own file");
        prop_assert_eq!(rows.len(), naive.len());
        for (row, (key, (at, _))) in rows.iter().zip(naive) {
            prop_assert_eq!(&row[0], &Cell::Text(key.0));
            prop_assert_eq!(&row[12], &Cell::Int(key.1));
            prop_assert_eq!(&row[13], &Cell::Timestamp(at.into()));
        }
    }
}

#[test]
fn rows_are_bucketed_by_the_first_column_of_their_key() {
    let text = "patient_id,first_name,last_name,date_of_birth,age,gender,race,comorbidities,is_high_cost,enrollment_date,active\n\
                p1,A,B,1950-01-01,75,female,White,,false,2020-01-01,true\n\
                p2,A,B,1950-01-01,75,female,White,,false,2020-01-01,true\n";
    let flattened = landed("patients.csv", 7, text.as_bytes());
    let rows = read_bronze(&PATIENTS, &Bytes::from(flattened.files[0].1.clone())).expect("our own file");
    let parts = split(&PATIENTS, &rows, 16).expect("the key is there");
    let expected: std::collections::BTreeSet<u16> =
        ["p1", "p2"].iter().map(|id| crate::silver::bucket_of(Some(id), "", 16)).collect();
    assert_eq!(parts.iter().map(|(bucket, _)| *bucket).collect::<std::collections::BTreeSet<_>>(), expected);
}
