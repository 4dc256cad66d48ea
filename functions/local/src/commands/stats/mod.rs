//! `metriccare stats`: the files, bytes and rows of a lake, by table and partition, and what each named query scans at most.

mod scan;
mod statement;

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroUsize,
};

use metriccare_lake::{
    keys,
    schema::{TABLES, Table},
};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde::Serialize;

use crate::{
    arguments::Stats,
    commands::verify,
    lake::{self, rows::read_file},
    output::{Output, count, failure::Failure, size},
};

/// Files with their bytes and rows.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Amount {
    files: u64,
    bytes: u64,
    rows: u64,
}

impl Amount {
    fn add(&mut self, bytes: u64, rows: u64) {
        self.files += 1;
        self.bytes += bytes;
        self.rows += rows;
    }

    fn row(self, name: String) -> Vec<String> {
        vec![name, count(self.files), size(self.bytes), count(self.rows)]
    }
}

/// A table and its partitions.
#[derive(Debug, Serialize)]
struct TableStats {
    table: &'static str,
    #[serde(flatten)]
    total: Amount,
    partitions: BTreeMap<String, Amount>,
}

pub(crate) async fn stats(arguments: &Stats, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_existing(&arguments.lake, NonZeroUsize::MIN).await?;
    let mut landing = Amount::default();
    for listed in worker.ports.landing.list("").await?.iter().filter(|listed| keys::is_data(&listed.key)) {
        landing.add(listed.size, 0);
    }
    let commits = verify::commits(&worker).await?;
    landing.rows = commits.iter().map(|commit| commit.counts.records).sum();
    // Bronze may be many files: its commits know their rows.
    let mut committed: HashMap<&str, u64> = HashMap::new();
    for file in commits.iter().flat_map(|commit| &commit.files) {
        *committed.entry(&file.key).or_default() += file.rows;
    }
    let mut tables = Vec::new();
    for table in TABLES.iter().copied() {
        let mut stats = TableStats { table: table.path, total: Amount::default(), partitions: BTreeMap::new() };
        for listed in worker.ports.lake.list(&format!("{}/", table.path)).await? {
            if !listed.key.ends_with(".parquet") {
                continue;
            }
            let rows = match committed.get(listed.key.as_str()) {
                Some(rows) => *rows,
                None => match read_file(&worker, &listed.key).await? {
                    Some(bytes) => rows(&listed.key, bytes)?,
                    None => continue,
                },
            };
            stats.total.add(listed.size, rows);
            if let Some(name) = partition(table, &listed.key) {
                stats.partitions.entry(name).or_default().add(listed.size, rows);
            }
        }
        tables.push(stats);
    }
    let queries = if arguments.queries { Some(scan::queries(&worker).await?) } else { None };
    if arguments.json {
        let mut all = serde_json::json!({ "landing": landing, "tables": tables });
        if let Some(queries) = &queries {
            all["queries_are"] = scan::MEANING.into();
            all["queries"] = serde_json::json!(queries);
        }
        output.json(&all)?;
        return output.flush();
    }
    let mut lines = vec![["table", "files", "bytes", "rows"].map(str::to_owned).to_vec()];
    lines.push(landing.row("landing (records)".to_owned()));
    for stats in tables.iter().filter(|stats| stats.total.files > 0) {
        lines.push(stats.total.row(stats.table.to_owned()));
        if arguments.partitions {
            lines.extend(stats.partitions.iter().map(|(name, amount)| amount.row(format!("  {name}"))));
        }
    }
    output.table(&lines)?;
    if let Some(queries) = &queries {
        scan::print(queries, output)?;
    }
    output.flush()
}

/// The partition of a file, as `column=value`.
fn partition(table: &Table, key: &str) -> Option<String> {
    let column = table.partition?;
    let value = keys::partition_value(key, column)?;
    Some(format!("{column}={}", value.as_deref().unwrap_or("(none)")))
}

fn rows(key: &str, bytes: bytes::Bytes) -> Result<u64, Failure> {
    let damaged = |error| Failure::failed(format!("{key}: {error}; see `metriccare verify`"));
    let reader = SerializedFileReader::new(bytes).map_err(damaged)?;
    Ok(u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or_default())
}
