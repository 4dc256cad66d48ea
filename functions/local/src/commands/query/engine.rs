//! A statement on a lake: the session that knows the tables, and the rows on their way to the reader.

use std::path::Path;

use datafusion::{
    arrow::datatypes::SchemaRef,
    error::DataFusionError,
    execution::SendableRecordBatchStream,
    execution::context::SQLOptions,
    prelude::{SessionConfig, SessionContext},
};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::{answer::Answer, dialect, errors, functions, reference, tables};
use crate::{
    arguments::Query,
    cloud::{self, Tables},
    lake::{self, location::DataLocation},
    output::{Output, failure::Failure},
};

/// Name of the catalog, as a console of Athena shows it.
pub(super) const CATALOG: &str = "awsdatacatalog";

pub(crate) async fn query(arguments: &Query, output: &mut Output) -> Result<(), Failure> {
    let sql = match (&arguments.sql, &arguments.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("{}: the statement cannot be read: {error}", file.display())))?,
        (None, None) => return Err(Failure::usage("there is no statement")),
    };
    let statement = dialect::read(&sql)?;
    let copy = match &arguments.lake.lake {
        DataLocation::Folder(folder) => {
            lake::require_lake(folder)?;
            Tables::there(folder)
        }
        DataLocation::Bucket(place) => cloud::copy(place, &arguments.lake, &sql).await?,
    };
    let context = session(copy.folder()).map_err(|error| errors::describe(&error))?;
    let mut answer = Answer::new(arguments.format);
    // Reading happens in a task of its own: the Parquet reader panics on some damaged files, and a task is where that ends.
    let (sender, mut batches) = mpsc::channel(2);
    let reading = tokio::spawn(async move {
        let plan = context.state().statement_to_plan(statement).await?;
        let reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        reads.verify_plan(&plan)?;
        let stream = context.execute_logical_plan(plan).await?.execute_stream().await?;
        let schema = stream.schema();
        send(stream, sender).await?;
        Ok::<SchemaRef, DataFusionError>(schema)
    });
    while let Some(batch) = batches.recv().await {
        answer.rows(batch, output)?;
    }
    match reading.await {
        Ok(Ok(schema)) => answer.end(&schema, output),
        Ok(Err(error)) => Err(errors::describe(&error)),
        Err(_) => Err(Failure::failed("a file of the lake is damaged; `metriccare verify` says which")),
    }
}

async fn send(
    mut stream: SendableRecordBatchStream,
    sender: mpsc::Sender<datafusion::arrow::array::RecordBatch>,
) -> Result<(), DataFusionError> {
    while let Some(batch) = stream.next().await {
        // A reader that has ended has reported why.
        if sender.send(batch?).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// A session with every table of the lake and every function of Athena's that DataFusion has under another name or not.
fn session(lake: &Path) -> Result<SessionContext, DataFusionError> {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, dialect::DATABASE)
        .with_create_default_catalog_and_schema(true)
        .with_information_schema(true);
    let options = config.options_mut();
    // Athena puts missing values last, whichever way it sorts.
    "nulls_last".clone_into(&mut options.sql_parser.default_null_ordering);
    options.sql_parser.map_string_types_to_utf8view = false;
    let context = SessionContext::new_with_config(config);
    tables::register(&context, lake)?;
    reference::register(&context, lake)?;
    functions::register(&context);
    Ok(context)
}
