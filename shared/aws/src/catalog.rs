//! The catalog on Glue: a partition is created as it first appears, and one that is there already is a success.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_sdk_glue::{
    Client,
    types::{Column, PartitionInput, SerDeInfo, StorageDescriptor},
};
use metriccare_lake::{
    glue::{INPUT_FORMAT, OUTPUT_FORMAT, SERDE},
    schema::TABLES,
};
use metriccare_ports::{Catalog, Error, ErrorKind, Result};

use crate::{clients::Clients, failure::failed};

/// A database of the Glue catalog.
#[derive(Debug)]
pub struct GlueCatalog {
    client: Client,
    database: String,
    bucket: String,
    /// The partitions that this process has added or found: every object brings the same hospitals.
    known: Mutex<HashSet<(String, Vec<String>)>>,
}

impl GlueCatalog {
    /// The database whose tables lie in this bucket.
    pub fn new(clients: &Clients, database: impl Into<String>, bucket: impl Into<String>) -> Self {
        let (client, known) = (clients.glue(), Mutex::default());
        Self { client, database: database.into(), bucket: bucket.into(), known }
    }

    fn partition(&self, table: &str, values: &[String], location: &str) -> Result<PartitionInput> {
        let storage = self.storage(table, location)?;
        Ok(PartitionInput::builder().set_values(Some(values.to_vec())).storage_descriptor(storage).build())
    }

    fn storage(&self, table: &str, location: &str) -> Result<StorageDescriptor> {
        let invalid = |reason: String| Error::new(ErrorKind::Invalid, "create partition", table, reason);
        let schema = TABLES.iter().find(|known| known.glue_name() == table);
        let schema = schema.ok_or_else(|| invalid("the lake has no such table".to_owned()))?;
        let columns =
            schema.file_columns().map(|(name, kind)| Column::builder().name(name).r#type(kind.athena()).build());
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|error| invalid(error.to_string()))?;
        Ok(StorageDescriptor::builder()
            .set_columns(Some(columns))
            .location(format!("s3://{}/{location}", self.bucket))
            .input_format(INPUT_FORMAT)
            .output_format(OUTPUT_FORMAT)
            .serde_info(SerDeInfo::builder().serialization_library(SERDE).build())
            .build())
    }
}

#[async_trait]
impl Catalog for GlueCatalog {
    async fn ensure_partition(&self, table: &str, values: &[&str], location: &str) -> Result<()> {
        let name = (table.to_owned(), values.iter().map(ToString::to_string).collect::<Vec<_>>());
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&name) {
            return Ok(());
        }
        let partition = self.partition(table, &name.1, location)?;
        let create = self.client.create_partition().database_name(&self.database).table_name(table);
        if let Err(error) = create.partition_input(partition).send().await {
            let there = error.as_service_error().is_some_and(|error| error.is_already_exists_exception());
            if !there {
                return Err(failed("create partition", &format!("{}.{table}", self.database), error));
            }
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        Ok(())
    }

    async fn move_partition(&self, table: &str, values: &[&str], location: &str) -> Result<()> {
        self.ensure_partition(table, values, location).await?;
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let partition = self.partition(table, &values, location)?;
        let update = self.client.update_partition().database_name(&self.database).table_name(table);
        let update = update.set_partition_value_list(Some(values)).partition_input(partition);
        let named = format!("{}.{table}", self.database);
        update.send().await.map(|_| ()).map_err(|error| failed("update partition", &named, error))
    }
}
