//! The rows of a patient taken out of the bronze files of one landed object that is no longer in landing. Its commit and its row
//! of the ingest log then count what is left.

use std::collections::BTreeMap;

use bytes::Bytes;
use metriccare_lake::{
    bronze::{
        BronzeCommit, CommittedFile, Counts, FileWithoutPatient, IngestStatus, Source, ingest_log, records::Measured,
        without_patient_rows,
    },
    cells::{self, Cell},
    keys,
    schema::{BRONZE_CONDITION, BRONZE_DELETION, BRONZE_ENCOUNTER, BRONZE_INGEST_LOG, BRONZE_PATIENT, TABLES, Table},
};
use metriccare_ports::PutMode;

use crate::{committed::FileRows, error::FlowError, worker::Worker};

/// What bronze files hold besides a patient's rows.
pub(super) struct RowsLeft {
    commit: BronzeCommit,
    files: Vec<(CommittedFile, FileWithoutPatient)>,
    /// The records that are taken out.
    pub(super) removed: u64,
}

/// Looks for a patient's rows in the bronze files of a commit; none where they hold none, and as many rows as the commit says.
pub(super) async fn rows_left(
    worker: &Worker,
    commit: &BronzeCommit,
    patient: &str,
) -> Result<Option<RowsLeft>, FlowError> {
    let mut files = Vec::new();
    let mut removed = 0;
    for file in &commit.files {
        let Some(table) = table_of(file) else { continue };
        if table.path == BRONZE_INGEST_LOG.path {
            continue;
        }
        let left = match FileRows::from(file).read_opt(&*worker.ports.lake).await? {
            Some(bytes) => without_patient_rows(table, &bytes, patient, id_in(&commit.sourcename, patient))
                .map_err(|source| FlowError::File { key: file.key.clone(), source })?,
            // It held nothing else, and was deleted by a withdrawal that did not come to write the commit.
            None => FileWithoutPatient { bytes: Some(Vec::new()), left: 0, quarantined: BTreeMap::new() },
        };
        removed += file.rows.saturating_sub(left.left);
        files.push((file.clone(), left));
    }
    Ok((removed > 0).then(|| RowsLeft { commit: commit.clone(), files, removed }))
}

fn table_of(file: &CommittedFile) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.path == file.table)
}

impl RowsLeft {
    /// Writes the files without the patient's rows, then the row of the ingest log, and the commit last; where no record is left,
    /// all of them are deleted.
    pub(super) async fn write(self, worker: &Worker) -> Result<(), FlowError> {
        let lake = &worker.ports.lake;
        let mut commit = self.commit;
        let mut counts = Counts { skipped: commit.counts.skipped.clone(), ..Counts::default() };
        counts.unresolved.clone_from(&commit.counts.unresolved);
        commit.files.retain(|file| file.table == BRONZE_INGEST_LOG.path);
        for (mut file, left) in self.files {
            count(&mut counts, &file.table, &left);
            match left.bytes {
                _ if left.left == 0 => {
                    lake.delete(&file.key).await?;
                    continue;
                }
                Some(bytes) => {
                    (file.rows, file.bytes) = (left.left, bytes.len() as u64);
                    lake.put(&file.key, bytes.into(), PutMode::Overwrite).await?;
                }
                None => file.rows = left.left,
            }
            commit.files.push(file);
        }
        counts.records = counts.accepted() + counts.quarantined() + counts.skipped();
        commit.counts = counts;
        let commit_key = keys::bronze_commit(&commit.object_id);
        if commit.counts.records == 0 {
            lake.delete(&commit_key).await?;
            for file in &commit.files {
                lake.delete(&file.key).await?;
            }
            return Ok(());
        }
        for file in &mut commit.files {
            if file.table == BRONZE_INGEST_LOG.path
                && let Some((_, bytes)) = lake.read_opt(&file.key).await?
            {
                let log = log_of(
                    file,
                    &bytes,
                    &Source {
                        key: commit.sourcename.clone(),
                        object_id: commit.object_id.clone(),
                        etag: commit.etag.clone(),
                        landed_micros: commit.landed_micros,
                    },
                    &commit.counts,
                    &commit.content_id,
                )?;
                file.bytes = log.len() as u64;
                lake.put(&file.key, log.into(), PutMode::Overwrite).await?;
            }
        }
        commit.files.sort();
        lake.put(&commit_key, commit.to_json().into(), PutMode::Overwrite).await?;
        Ok(())
    }
}

/// Counts the rows that are left of a file.
fn count(counts: &mut Counts, table: &str, file: &FileWithoutPatient) {
    for (rule, rows) in &file.quarantined {
        *counts.quarantined.entry(rule.clone()).or_default() += rows;
    }
    let tables = [
        (BRONZE_PATIENT.path, &mut counts.patients),
        (BRONZE_ENCOUNTER.path, &mut counts.encounters),
        (BRONZE_CONDITION.path, &mut counts.conditions),
        (BRONZE_DELETION.path, &mut counts.deletions),
    ];
    for (path, of_table) in tables {
        if path == table {
            *of_table += file.left;
        }
    }
    if let Some(name) = table.strip_prefix("bronze/rel_").filter(|_| file.left > 0) {
        *counts.relational.entry(name.to_owned()).or_default() += file.left;
    }
}

/// The object's row of the ingest log with other counts.
fn log_of(
    file: &CommittedFile,
    bytes: &Bytes,
    source: &Source,
    counts: &Counts,
    content_id: &str,
) -> Result<Vec<u8>, FlowError> {
    let rows = cells::read_rows(&BRONZE_INGEST_LOG, bytes)
        .map_err(|source| FlowError::File { key: file.key.clone(), source })?;
    let cell = |name: &str| {
        let at = BRONZE_INGEST_LOG.file_columns().position(|(column, _)| column == name)?;
        rows.first()?.get(at)
    };
    let bytes = match cell("bytes") {
        Some(Cell::Int(bytes)) => u64::try_from(*bytes).unwrap_or_default(),
        _ => 0,
    };
    let is = |status: IngestStatus| matches!(cell("status"), Some(Cell::Text(text)) if text == status.name());
    let status = [IngestStatus::Duplicate, IngestStatus::Rejected].into_iter().find(|status| is(*status));
    let measured = Measured { bytes, content_id: content_id.to_owned() };
    let (_, log) = ingest_log(source, &measured, counts, status.unwrap_or(IngestStatus::Completed))
        .map_err(|error| FlowError::Other(error.into()))?;
    Ok(log)
}

/// The id of a patient of the lake as it stands in a landed object; none where the object is of another source.
pub(super) fn id_in<'a>(key: &str, patient: &'a str) -> Option<&'a str> {
    match keys::source_of(key) {
        Some(source) => patient.strip_prefix(source)?.strip_prefix(':'),
        None => Some(patient),
    }
}
