//! What each named query scans at most: the column chunks that its statement names, as the footers of the files state them.

use std::collections::HashMap;

use metriccare_flow::Worker;
use metriccare_lake::{keys, schema::Table};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde::Serialize;

use super::statement::{QUERIES, Statement};
use crate::{
    lake::rows::read_file,
    output::{Output, count, failure::Failure, size},
};

/// What the figures are, for whoever reads them.
pub(super) const MEANING: &str = "at most: the compressed columns that a statement names, in all files of its tables (of \
    one partition where it names one); filters on other columns, which skip parts of files, and footers are not counted";

/// What a query reads of a table.
#[derive(Debug, Serialize)]
pub(super) struct TableScan {
    table: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<String>,
    columns: Vec<&'static str>,
    files: u64,
    bytes: u64,
}

/// What a query reads.
#[derive(Debug, Serialize)]
pub(super) struct QueryScan {
    query: &'static str,
    files: u64,
    bytes: u64,
    tables: Vec<TableScan>,
}

/// A file: its partition's value and the compressed bytes of each column.
struct FileColumns {
    partition: Option<String>,
    bytes: HashMap<String, u64>,
}

/// Every named query's scan of a lake. Each file of a table that a query names is read once.
pub(super) async fn queries(worker: &Worker) -> Result<Vec<QueryScan>, Failure> {
    let mut read: HashMap<&'static str, Vec<FileColumns>> = HashMap::new();
    let mut queries = Vec::new();
    for (query, sql) in QUERIES.iter().copied() {
        let statement = Statement::read(sql);
        let mut scan = QueryScan { query, files: 0, bytes: 0, tables: Vec::new() };
        for table in statement.tables() {
            if !read.contains_key(table.path) {
                read.insert(table.path, files(worker, table).await?);
            }
            let found = table_scan(&statement, table, read.get(table.path).map_or(&[], Vec::as_slice));
            scan.files += found.files;
            scan.bytes += found.bytes;
            scan.tables.push(found);
        }
        queries.push(scan);
    }
    Ok(queries)
}

fn table_scan(statement: &Statement, table: &'static Table, files: &[FileColumns]) -> TableScan {
    let partition = statement.partition(table).map(str::to_owned);
    let columns = statement.columns(table);
    let read: Vec<_> = files.iter().filter(|file| partition.is_none() || file.partition == partition).collect();
    let bytes = |file: &&FileColumns| columns.iter().filter_map(|column| file.bytes.get(*column)).sum::<u64>();
    let (files, bytes) = (read.len() as u64, read.iter().map(bytes).sum());
    TableScan { table: table.path, partition, columns, files, bytes }
}

async fn files(worker: &Worker, table: &'static Table) -> Result<Vec<FileColumns>, Failure> {
    let mut files = Vec::new();
    for listed in worker.ports.lake.list(&format!("{}/", table.path)).await? {
        if !listed.key.ends_with(".parquet") {
            continue;
        }
        let Some(content) = read_file(worker, &listed.key).await? else { continue };
        let damaged = |error| Failure::failed(format!("{}: {error}; see `metriccare verify`", listed.key));
        let reader = SerializedFileReader::new(content).map_err(damaged)?;
        let mut bytes: HashMap<String, u64> = HashMap::new();
        for column in reader.metadata().row_groups().iter().flat_map(|group| group.columns()) {
            let size = u64::try_from(column.compressed_size()).unwrap_or_default();
            *bytes.entry(column.column_path().string()).or_default() += size;
        }
        let partition = table.partition.and_then(|column| keys::partition_value(&listed.key, column)).flatten();
        files.push(FileColumns { partition, bytes });
    }
    Ok(files)
}

/// Prints the queries with what they read.
pub(super) fn print(queries: &[QueryScan], output: &mut Output) -> Result<(), Failure> {
    output.line("")?;
    let mut lines = vec![["named query", "files", "scanned at most", "tables"].map(str::to_owned).to_vec()];
    for scan in queries {
        let tables: Vec<_> = scan.tables.iter().map(|table| table.table).collect();
        lines.push(vec![scan.query.to_owned(), count(scan.files), size(scan.bytes), tables.join(" ")]);
    }
    output.table(&lines)?;
    output.line("")?;
    output.line(format!("  Scanned {MEANING}."))
}
