//! Times silver and gold on made-up bronze rows: `cargo run --release -p metriccare-lake --example silver_gold [encounters]`.
//!
//! Two threads, sixteen buckets, three hospitals, five encounters per patient; one in five encounters is a stay and one
//! in ten stays has an infection. The rows are drawn from a small generator of their own, the same each time.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arrow_array::{ArrayRef, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use bytes::Bytes;
use metriccare_lake::calendar::DAY;
use metriccare_lake::gold::{Hospitals, Measured, Partial, SilverBucket, fold, measure};
use metriccare_lake::keys::bronze_file;
use metriccare_lake::schema::Table;
use metriccare_lake::silver::{DEFAULT_BUCKETS, Merged, Resource, merge, read_bronze, split};
use metriccare_lake::table_file;

type Failed = Box<dyn Error + Send + Sync>;

const HOSPITALS: [&str; 3] =
    ["MetricCare Hospital - Charlotte", "MetricCare Hospital - Raleigh", "MetricCare Hospital - Durham"];
const THREADS: usize = 2;

/// A small value-stable generator (splitmix64).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

fn uuid(kind: u64, number: u64) -> String {
    let mut draws = Draws(number.wrapping_mul(3).wrapping_add(kind << 48));
    let (a, b) = (draws.next(), draws.next());
    format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a >> 32, a & 0xffff, (a >> 16) & 0xfff, b & 0xfff, b >> 16)
}

fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// A bronze file of the given columns; the others are null.
fn bronze(table: &'static Table, rows: usize, mut given: Vec<(&str, ArrayRef)>) -> Result<Bytes, Failed> {
    let landed = 1_767_225_600_000_000;
    given.push(("version_id", texts((0..rows).map(|_| Some("1".to_owned())))));
    given.push(("precombine_ts", times((0..rows).map(|_| Some(landed)))));
    given.push(("fhir_version", texts((0..rows).map(|_| Some("R5".to_owned())))));
    given.push((
        "content_id",
        texts((0..rows).map(|row| Some(format!("{}{}", uuid(7, row as u64), uuid(8, row as u64)).replace('-', "")))),
    ));
    let array = |(name, kind): (&'static str, metriccare_lake::schema::Kind)| {
        let found = given.iter().find(|(column, _)| *column == name).map(|(_, array)| Arc::clone(array));
        found.unwrap_or_else(|| new_null_array(&kind.data_type(), rows))
    };
    let batch = RecordBatch::try_new(table.file_schema(), table.file_columns().map(array).collect())?;
    Ok(table_file::write(table, &batch, None)?)
}

/// Bronze files with their keys.
fn landed(encounters: u64) -> Result<Vec<(Resource, String, Bytes)>, Failed> {
    let start = 20_089 * DAY;
    let patients = encounters / 5;
    let mut files = Vec::new();
    let mut conditions: Vec<(u64, u64, i64)> = Vec::new();
    for (place, hospital) in (0u64..).zip(HOSPITALS) {
        let mut draws = Draws(place);
        let numbers: Vec<u64> = (0..encounters).filter(|number| number % 3 == place).collect();
        let mut columns: [Vec<Option<String>>; 8] = Default::default();
        let (mut admissions, mut discharges) = (Vec::new(), Vec::new());
        for number in &numbers {
            let class = draws.pick(&["IMP", "AMB", "AMB", "EMER", "VR"]);
            let from = start + draws.below(365 * 86_400) as i64 * 1_000_000;
            let to =
                from + if class == "IMP" { draws.below(9 * 86_400) } else { draws.below(7_200) } as i64 * 1_000_000;
            admissions.push(Some(from));
            discharges.push(Some(to));
            if class == "IMP" && draws.below(10) == 0 {
                conditions.push((*number, number % patients, from + 3 * DAY));
            }
            let words = [
                uuid(2, *number),
                "completed".to_owned(),
                uuid(1, number % patients),
                class.to_owned(),
                draws.pick(&["ICU", "ER", "Cardiology", "Oncology", "General Ward", "Surgery"]).to_owned(),
                draws.pick(&["home", "home", "snf", "hosp", "exp"]).to_owned(),
                draws.pick(&["I50.9", "J18.9", "A41.9", "N17.9", "I21.4", "Z51.11", "K92.2"]).to_owned(),
                format!("Practitioner/{}", uuid(3, draws.below(500))),
            ];
            columns.iter_mut().zip(words).for_each(|(column, word)| column.push(Some(word)));
        }
        let mut columns = columns.into_iter().map(|column| texts(column.into_iter()));
        let names = [
            "encounter_id",
            "status",
            "patient_id",
            "encounter_class",
            "department",
            "discharge_disposition",
            "reason_code",
            "practitioner_ref",
        ];
        let mut given: Vec<_> = names.into_iter().zip(&mut columns).collect();
        given.push(("admission_time", times(admissions.into_iter())));
        given.push(("last_updated", times(discharges.iter().copied())));
        given.push(("discharge_time", times(discharges.into_iter())));
        let resource = Resource::Encounter;
        let key = bronze_file(resource.bronze().path, "hospital_name", Some(hospital), "o");
        files.push((resource, key, bronze(resource.bronze(), numbers.len(), given)?));
    }
    let ids = || 0..patients;
    let mut draws = Draws(9);
    let mut word = |words: &[&str]| texts(ids().map(|_| Some(draws.pick(words).to_owned())));
    let given = vec![
        ("gender", word(&["male", "female"])),
        ("state", word(&["NC", "SC", "VA"])),
        ("language", word(&["en", "es"])),
        ("patient_id", texts(ids().map(|number| Some(uuid(1, number))))),
        ("mrn", texts(ids().map(|number| Some(format!("MRN{number:08}"))))),
        ("birth_date", Arc::new(ids().map(|number| Some((number % 30_000) as i32 - 10_000)).collect::<Date32Array>())),
        ("last_updated", times(ids().map(|_| Some(start)))),
    ];
    let resource = Resource::Patient;
    let key = bronze_file(resource.bronze().path, "hospital_name", None, "o");
    files.push((resource, key, bronze(resource.bronze(), patients as usize, given)?));
    let given = vec![
        ("condition_id", texts(conditions.iter().map(|(number, ..)| Some(uuid(4, *number))))),
        ("encounter_id", texts(conditions.iter().map(|(number, ..)| Some(uuid(2, *number))))),
        ("patient_id", texts(conditions.iter().map(|(_, patient, _)| Some(uuid(1, *patient))))),
        ("code", texts(conditions.iter().map(|_| Some("T80.211A".to_owned())))),
        ("onset_time", times(conditions.iter().map(|(.., onset)| Some(*onset)))),
        ("recorded_time", times(conditions.iter().map(|(.., onset)| Some(*onset)))),
    ];
    let resource = Resource::Condition;
    let key = bronze_file(resource.bronze().path, "recorded_year", Some("2025"), "o");
    files.push((resource, key, bronze(resource.bronze(), conditions.len(), given)?));
    Ok(files)
}

/// Runs `work` on every index below `count`, on two threads, and keeps the order.
fn parallel<T: Send>(count: usize, work: impl Fn(usize) -> Result<T, Failed> + Sync) -> Result<Vec<T>, Failed> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok::<_, Failed>(done);
            }
            done.push((index, work(index)?));
        }
    };
    let mut all = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        for thread in threads {
            all.extend(thread.join().map_err(|_| "a worker panicked")??);
        }
        Ok::<_, Failed>(())
    })?;
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}

#[expect(clippy::disallowed_methods, reason = "this program measures; the library has no clock")]
fn main() -> Result<(), Failed> {
    let encounters = std::env::args().nth(1).map_or(Ok(500_000), |count| count.parse())?;
    let files = landed(encounters)?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{encounters} encounters, {} MB of bronze",
        files.iter().map(|(.., b)| b.len()).sum::<usize>() >> 20
    )?;

    let start = Instant::now();
    let dealt = parallel(files.len(), |index| {
        let (resource, key, bytes) = &files[index];
        Ok(split(*resource, &read_bronze(*resource, key, bytes)?, DEFAULT_BUCKETS)?)
    })?;
    let read = start.elapsed();
    let buckets = usize::from(DEFAULT_BUCKETS);
    let merged: Vec<Merged> = parallel(buckets * Resource::ALL.len(), |index| {
        let (resource, bucket) = (Resource::ALL[index / buckets], (index % buckets) as u16);
        let of_resource = files.iter().zip(&dealt).filter(|((of, ..), _)| *of == resource);
        let mine = of_resource.flat_map(|(_, dealt)| dealt.iter().filter(|(to, _)| *to == bucket));
        let mine: Vec<RecordBatch> = mine.map(|(_, rows)| rows.clone()).collect();
        Ok(merge(resource, None, &mine)?)
    })?;
    let silver = start.elapsed();
    writeln!(out, "silver: read and split {read:?}, merge {:?}, together {silver:?}", silver - read)?;
    let size = |resource: usize| merged[resource * buckets..][..buckets].iter().map(|m| m.parquet.len()).sum::<usize>();
    writeln!(
        out,
        "        {} KB patients, {} KB encounters, {} KB conditions",
        size(0) >> 10,
        size(1) >> 10,
        size(2) >> 10
    )?;

    let start = Instant::now();
    let object = |resource: usize, bucket: usize| Some(merged[resource * buckets + bucket].parquet.clone());
    let measured: Vec<Measured> = parallel(buckets, |bucket| {
        let silver =
            SilverBucket { patient: object(0, bucket), encounter: object(1, bucket), condition: object(2, bucket) };
        Ok(measure(bucket as u16, &silver, "")?)
    })?;
    let measuring = start.elapsed();
    let jsons: Vec<Vec<u8>> = measured.iter().map(|measured| measured.partial.to_json()).collect();
    let partials = jsons.iter().map(|json| Partial::from_json(json)).collect::<Result<Vec<_>, _>>()?;
    let tables = fold(&partials, &Hospitals::default(), "")?;
    let gold = start.elapsed();
    writeln!(out, "gold:   measure {measuring:?}, fold {:?}, together {gold:?}", gold - measuring)?;
    writeln!(
        out,
        "        {} KB of partials, {} KB of tables",
        jsons.iter().map(Vec::len).sum::<usize>() >> 10,
        tables.iter().map(|(_, b)| b.len()).sum::<usize>() >> 10
    )?;

    let start = Instant::now();
    let again = parallel(buckets, |bucket| {
        let of_encounters = files.iter().zip(&dealt).filter(|((of, ..), _)| *of == Resource::Encounter);
        let mine = of_encounters.flat_map(|(_, dealt)| dealt.iter().filter(|(to, _)| usize::from(*to) == bucket));
        let mine: Vec<RecordBatch> = mine.map(|(_, rows)| rows.clone()).collect();
        Ok(merge(Resource::Encounter, object(1, bucket).as_ref(), &mine)?.changed)
    })?;
    writeln!(
        out,
        "replay: {:?}, buckets changed: {}",
        start.elapsed(),
        again.iter().filter(|changed| **changed).count()
    )?;
    Ok(())
}
