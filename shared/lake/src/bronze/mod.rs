//! Bronze: one landed object flattened into rows, immutable and append-only.
//!
//! [`flatten`] streams: it splits the object into records ([`records`]), makes rows of them on as many threads as it is
//! given ([`rows`]), and writes one Parquet file per partition into the sinks of its caller. Memory is bounded by the
//! size of a chunk, not of the object. No record is dropped: `records = accepted + quarantined + skipped`.

mod chunk_rows;
pub mod columns;
mod commit;
mod compacted;
mod counts;
mod entry;
mod entry_facts;
mod flatten;
mod ingest_log;
pub(crate) mod properties;
pub mod records;
mod references;
pub(crate) mod row_group;
pub mod rows;
mod threads;
mod wave;
mod withdrawal;
pub(crate) mod withdrawn_patients;
mod without_patient;
mod without_patient_rows;
mod writers;

pub use commit::{BronzeCommit, CommittedFile, ObjectRows};
pub use compacted::{Compacted, Member, compact, rows_of, without_rows};
pub use counts::Counts;
pub use flatten::{FlattenError, Flattened, Limits, Sinks, Source, flatten, flatten_without};
pub use ingest_log::{IngestStatus, ingest_log};
pub use withdrawal::Withdrawal;
pub use withdrawn_patients::WithdrawnPatients;
pub use without_patient::{WithoutPatient, WithoutPatientError, without_patient};
pub use without_patient_rows::{FileWithoutPatient, without_patient_rows};
pub use writers::BronzeFile;
