//! Tables of silver and gold that another engine wrote to a folder, shown as the lake has its own: one file for each partition,
//! with the lake's columns in their order and types.

use std::{path::Path, sync::Arc};

use arrow_array::{
    Array, ArrayRef, RecordBatch, TimestampMicrosecondArray,
    cast::AsArray,
    types::{TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType},
};
use arrow_schema::{DataType, TimeUnit};
use async_trait::async_trait;
use bytes::Bytes;
use metriccare_lake::{
    keys,
    schema::{GOLD_SUMMARY, TABLES, Table},
    table_file::TableWriter,
};
use metriccare_ports::{
    Body, DiskStore, ETag, Error, ErrorKind, Listed, Object, ObjectMeta, ObjectStore, Payload, PutOptions, Result,
};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use tokio::task::spawn_blocking;

use crate::output::failure::Failure;

/// The folders that an engine writes; everything else is the lake's.
pub(crate) const FOLDERS: &[&str] = &[keys::SILVER, keys::GOLD];

/// The name of a partition's only file in the lake.
const FILE: &str = "part.parquet";

/// A folder with `silver/<table>/bucket=NN/*.parquet` and `gold/<table>/*.parquet`, read as a lake's.
#[derive(Debug)]
pub(crate) struct EngineTables {
    folder: DiskStore,
}

impl EngineTables {
    /// Opens a folder that an engine has written.
    ///
    /// # Errors
    /// A folder that cannot be read, and one without tables of gold.
    pub(crate) fn open(folder: &Path) -> std::result::Result<Self, Failure> {
        if !folder.join(GOLD_SUMMARY.path).is_dir() {
            let words = "there are no tables here: an engine writes silver/… and gold/… below it (docs/scale.md)";
            return Err(Failure::usage(format!("{}: {words}", folder.display())));
        }
        let unusable = |error| Failure::usage(format!("the tables cannot be read: {error}"));
        Ok(EngineTables { folder: DiskStore::open_existing("tables", folder).map_err(unusable)? })
    }

    /// The files of a partition's folder.
    async fn files(&self, partition: &str) -> Result<Vec<Listed>> {
        let listed = self.folder.list(&format!("{partition}/")).await?;
        Ok(listed.into_iter().filter(|file| folder_of(&file.key) == Some(partition)).collect())
    }

    /// A partition as the lake's file. One without files has no rows: an engine writes none for it.
    async fn read(&self, key: &str) -> Result<Object> {
        let missing = || Error::new(ErrorKind::NotFound, "get", key, "there is no such object");
        let partition = key.strip_suffix(FILE).and_then(|folder| folder.strip_suffix('/')).ok_or_else(missing)?;
        let in_table = |table: &&&'static Table| key.starts_with(&format!("{}/", table.path));
        let table = TABLES.iter().find(in_table).copied().ok_or_else(missing)?;
        if self.folder.list(&format!("{}/", table.path)).await?.is_empty() {
            return Err(missing());
        }
        let (mut files, mut written) = (Vec::new(), 0);
        for listed in self.files(partition).await? {
            files.push((listed.key.clone(), self.folder.get(&listed.key).await?.body.bytes().await?));
            written = written.max(listed.last_modified_micros);
        }
        // The Parquet reader panics on some damaged files.
        let file = spawn_blocking(move || as_lake(table, &files)).await;
        let file = file.unwrap_or_else(|_| Err("a file is damaged".to_owned()));
        let bytes = file.map_err(|reason| Error::new(ErrorKind::Invalid, "read", key, reason))?;
        let meta = ObjectMeta {
            key: key.to_owned(),
            size: bytes.len() as u64,
            etag: ETag::of_bytes(&bytes),
            version: None,
            last_modified_micros: written,
        };
        Ok(Object { meta, body: Body::Bytes(bytes) })
    }
}

/// The folder of a table's file; none for what engines put beside them, such as `_SUCCESS`.
fn folder_of(key: &str) -> Option<&str> {
    let (folder, name) = key.rsplit_once('/')?;
    (name.ends_with(".parquet") && !name.starts_with(['.', '_'])).then_some(folder)
}

fn as_lake(table: &'static Table, files: &[(String, Bytes)]) -> std::result::Result<Bytes, String> {
    let mut writer = TableWriter::new(table, None);
    for (name, bytes) in files {
        let broken = |error: &dyn std::fmt::Display| format!("{name}: {error}");
        // What an engine notes of its own types says nothing here: the Parquet types do.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.clone(), options)
            .and_then(|builder| builder.with_batch_size(1 << 16).build())
            .map_err(|error| broken(&error))?;
        for batch in reader {
            let rows = in_lake_order(table, &batch.map_err(|error| broken(&error))?);
            writer.write(&rows.map_err(|error| broken(&error))?).map_err(|error| broken(&error))?;
        }
    }
    writer.finish().map_err(|error| error.to_string())
}

fn in_lake_order(table: &'static Table, batch: &RecordBatch) -> std::result::Result<RecordBatch, String> {
    let column = |(name, kind): (&str, metriccare_lake::schema::Kind)| {
        let array = batch.column_by_name(name).ok_or_else(|| format!("there is no column {name}"))?;
        let array = in_microseconds(array);
        let (is, should) = (array.data_type().clone(), kind.data_type());
        if is == should { Ok(array) } else { Err(format!("the column {name} is of type {is}, and has to be {should}")) }
    };
    let columns = table.file_columns().map(column).collect::<std::result::Result<Vec<_>, _>>()?;
    RecordBatch::try_new(table.file_schema(), columns).map_err(|error| error.to_string())
}

/// Times as the lake has them: engines write them with other units, and without the zone, which is UTC.
fn in_microseconds(array: &ArrayRef) -> ArrayRef {
    let times: TimestampMicrosecondArray = match array.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().unary(|millis| millis * 1_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => array.as_primitive::<TimestampMicrosecondType>().clone(),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().unary(|nanos| nanos.div_euclid(1_000))
        }
        _ => return Arc::clone(array),
    };
    Arc::new(times.with_timezone("UTC"))
}

#[async_trait]
impl ObjectStore for EngineTables {
    fn bucket(&self) -> &str {
        "lake"
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        let object = self.read(key).await?;
        match etag {
            Some(etag) if *etag != object.meta.etag => {
                Err(Error::new(ErrorKind::Precondition, "get", key, "the tables were written again meanwhile"))
            }
            _ => Ok(object),
        }
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        Ok(self.read(key).await?.meta)
    }

    async fn put_with(&self, key: &str, _payload: Payload, _options: PutOptions) -> Result<ETag> {
        Err(Error::new(ErrorKind::Invalid, "put", key, "another engine's tables are only read"))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        let mut partitions: Vec<Listed> = Vec::new();
        for file in self.folder.list(prefix).await? {
            let Some(folder) = folder_of(&file.key) else { continue };
            let key = format!("{folder}/{FILE}");
            match partitions.last_mut().filter(|last| last.key == key) {
                Some(last) => last.size += file.size,
                None => partitions.push(Listed { key, etag: None, ..file }),
            }
        }
        Ok(partitions)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow_array::{Float64Array, Int64Array, StringArray, TimestampNanosecondArray};
    use metriccare_lake::{cells, schema::SILVER_PATIENT};

    use super::*;

    fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
        let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a schema");
        writer.write(&batch).expect("memory");
        writer.into_inner().expect("memory")
    }

    fn summary(metrics: &[&str]) -> Vec<u8> {
        let count = metrics.len();
        let texts = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; count])) };
        let numbers = || -> ArrayRef { Arc::new(Int64Array::from(vec![7; count])) };
        parquet(vec![
            ("provisional", Arc::new(arrow_array::BooleanArray::from(vec![true; count]))),
            ("value", Arc::new(Float64Array::from(vec![0.5; count]))),
            ("metric", Arc::new(StringArray::from(metrics.to_vec()))),
            ("definition", texts("all")),
            ("numerator", numbers()),
            ("denominator", numbers()),
        ])
    }

    #[tokio::test]
    async fn the_files_of_a_partition_are_one_and_a_partition_without_files_is_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(EngineTables::open(folder.path()).is_err(), "no tables are there");
        let gold = folder.path().join("gold/summary");
        fs::create_dir_all(&gold).expect("it can be made");
        fs::write(gold.join("part-00000-a.parquet"), summary(&["stays"])).expect("it can be written");
        fs::write(gold.join("part-00001-b.parquet"), summary(&["patients", "deaths"])).expect("it can be written");
        fs::write(gold.join("_SUCCESS"), "").expect("it can be written");
        let tables = EngineTables::open(folder.path()).expect("tables are there");
        let listed = tables.list("gold/").await.expect("a folder");
        assert_eq!(listed.iter().map(|file| file.key.as_str()).collect::<Vec<_>>(), ["gold/summary/part.parquet"]);
        let rows = tables.get("gold/summary/part.parquet").await.expect("there").body.bytes().await.expect("there");
        let rows = cells::read_rows(&GOLD_SUMMARY, &rows).expect("the lake's columns");
        assert_eq!(rows.iter().map(|row| row[0].to_string()).collect::<Vec<_>>(), ["stays", "patients", "deaths"]);
        let missing = tables.get("silver/patient/bucket=00/part.parquet").await.expect_err("the table is not there");
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        fs::create_dir_all(folder.path().join("silver/patient/bucket=01")).expect("it can be made");
        fs::write(folder.path().join("silver/patient/bucket=01/x.parquet"), summary(&["stays"])).expect("written");
        let empty = tables.get("silver/patient/bucket=00/part.parquet").await.expect("no rows").body.bytes().await;
        assert!(cells::read_rows(&SILVER_PATIENT, &empty.expect("there")).expect("the lake's columns").is_empty());
        let wrong = tables.get("silver/patient/bucket=01/part.parquet").await.expect_err("another table's file");
        assert!(wrong.to_string().contains("there is no column patient_id"), "{wrong}");
        assert!(tables.put("gold/a", "b".into(), metriccare_ports::PutMode::Overwrite).await.is_err());
    }

    #[test]
    fn times_of_other_units_are_microseconds_of_utc() {
        let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![Some(1_500), None, Some(-1)]));
        let micros = in_microseconds(&nanos);
        let expected = TimestampMicrosecondArray::from(vec![Some(1), None, Some(-1)]).with_timezone("UTC");
        assert_eq!(micros.as_primitive::<TimestampMicrosecondType>(), &expected);
    }
}
