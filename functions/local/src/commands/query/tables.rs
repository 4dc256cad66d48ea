//! The lake's tables as DataFusion sees them: Glue's names, Glue's types, the partition column read from the path.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
    catalog::{Session, TableProvider},
    common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, project_schema},
    datasource::{
        TableType,
        listing::PartitionedFile,
        physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource},
        source::DataSourceExec,
        table_schema::TableSchema,
    },
    execution::object_store::ObjectStoreUrl,
    logical_expr::{Expr, TableProviderFilterPushDown},
    object_store::{ObjectMeta, path::Path as StorePath},
    physical_plan::{ExecutionPlan, empty::EmptyExec},
    prelude::SessionContext,
};
use metriccare_fhir::read::time::{self, Moment};
use metriccare_flow::Compactions;
use metriccare_lake::{
    keys,
    schema::{Kind, TABLES, Table},
};
use walkdir::{DirEntry, WalkDir};

/// Makes every table of the lake known under its Glue name.
pub(super) fn register(context: &SessionContext, lake: &Path) -> Result<()> {
    let lake = std::fs::canonicalize(lake)?;
    for table in TABLES {
        context.register_table(table.glue_name(), Arc::new(LakeTable::new(&lake, table)))?;
    }
    Ok(())
}

/// A table of the lake in its folder.
#[derive(Debug)]
struct LakeTable {
    table: &'static Table,
    lake: PathBuf,
    schema: TableSchema,
}

/// A column as Athena has it: a timestamp is in UTC and carries no zone.
fn field((name, kind): (&str, Kind)) -> Field {
    let kind = match kind {
        Kind::Text => DataType::Utf8,
        Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::Date => DataType::Date32,
        Kind::BigInt => DataType::Int64,
        Kind::Double => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        Kind::Money => DataType::Decimal128(14, 2),
    };
    Field::new(name, kind, true)
}

impl LakeTable {
    fn new(lake: &Path, table: &'static Table) -> Self {
        let file = Arc::new(Schema::new(table.file_columns().map(field).collect::<Vec<_>>()));
        let partition = table.columns.iter().filter(|(name, _)| Some(*name) == table.partition);
        let partition = partition.map(|column| Arc::new(field(*column))).collect::<Vec<_>>();
        LakeTable {
            table,
            lake: lake.to_owned(),
            schema: TableSchema::builder(file).with_table_partition_cols(partition).build(),
        }
    }

    /// Every file of the table; none if the lake does not have the table yet.
    fn files(&self) -> Result<Vec<PartitionedFile>> {
        let compactions = self.compactions()?;
        let mut files = self.files_in(&self.lake, |folder| !compactions.reads_copy(folder))?;
        let copies = self.lake.join(keys::COMPACTION_COPIES);
        if !compactions.folders.is_empty() && copies.is_dir() {
            files.extend(self.files_in(&copies, |folder| compactions.reads_copy(folder))?);
        }
        files.sort_unstable_by(|one, other| one.path().cmp(other.path()));
        Ok(files)
    }

    /// Which partitions of bronze are read from copies, while their small files are compacted.
    fn compactions(&self) -> Result<Compactions> {
        match std::fs::read(self.lake.join(keys::COMPACTIONS)) {
            Ok(bytes) => Compactions::from_json(&bytes).map_err(|error| exec_datafusion_err!("{error}")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Compactions::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// The table's files below a folder whose own folders are read.
    fn files_in(&self, place: &Path, is_read: impl Fn(&str) -> bool) -> Result<Vec<PartitionedFile>> {
        let visible =
            |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with(['.', '_']);
        let mut files = Vec::new();
        for entry in WalkDir::new(place.join(self.table.path)).into_iter().filter_entry(visible) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.path().extension().is_some_and(|ending| ending == "parquet") => {
                    let key = entry.path().strip_prefix(place).unwrap_or(entry.path()).to_string_lossy();
                    let folder = key.rfind('/').map_or("", |slash| &key[..=slash]);
                    if is_read(folder) {
                        files.push(self.file(entry.path())?);
                    }
                }
                Ok(_) => {}
                // Another command may remove a file meanwhile.
                Err(error) if error.io_error().is_some_and(|error| error.kind() == ErrorKind::NotFound) => {}
                Err(error) => return Err(exec_datafusion_err!("{error}")),
            }
        }
        Ok(files)
    }

    fn file(&self, path: &Path) -> Result<PartitionedFile> {
        let metadata = std::fs::metadata(path)?;
        let location = StorePath::from_absolute_path(path).map_err(|error| DataFusionError::External(error.into()))?;
        let object = ObjectMeta {
            location,
            last_modified: metadata.modified()?.into(),
            size: metadata.len(),
            e_tag: None,
            version: None,
        };
        let file = PartitionedFile::from(object);
        let Some(column) = self.table.partition else { return Ok(file) };
        let below = path.strip_prefix(&self.lake).unwrap_or(path).to_string_lossy();
        let value = keys::partition_value(&below, column)
            .ok_or_else(|| exec_datafusion_err!("{below}: the path has no {column}=…"))?;
        Ok(file.with_partition_values(vec![self.partition_value(column, value.as_deref(), &below)?]))
    }

    fn partition_value(&self, column: &str, value: Option<&str>, below: &str) -> Result<ScalarValue> {
        let kind = self.table.columns.iter().find(|(name, _)| *name == column).map(|(_, kind)| *kind);
        let strange = || exec_datafusion_err!("{below}: the value of {column} in this path is not of its type");
        match (kind, value) {
            (Some(Kind::BigInt), value) => {
                Ok(ScalarValue::Int64(value.map(|value| value.parse().map_err(|_| strange())).transpose()?))
            }
            (Some(Kind::Date), None) => Ok(ScalarValue::Date32(None)),
            (Some(Kind::Date), Some(value)) => match time::parse(value) {
                Some(Moment::Day(days)) => Ok(ScalarValue::Date32(Some(days))),
                _ => Err(strange()),
            },
            (_, value) => Ok(ScalarValue::Utf8(value.map(str::to_owned))),
        }
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.files()?;
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema(), projection)?)));
        }
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let source = Arc::new(ParquetSource::new(self.schema.clone()));
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // A filter prunes files by their partition and row groups by their statistics, and still has to look at every row.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
