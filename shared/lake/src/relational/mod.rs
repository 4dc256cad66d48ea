//! The relational set in the lake: eight tables that land as CSV or Parquet and become the star in silver.
//!
//! A landed object is known by its columns. Rows are typed on their way into bronze; one that cannot be typed is kept in
//! the quarantine with its line, its column and the reason. Silver has the latest row of each primary key.

mod cell;
mod csv;
mod flatten;
mod header;
mod merge;
mod parquet_rows;
mod rows;
mod schema;
mod sink;
pub(crate) mod without_patient;

pub(crate) use flatten::{Landed, flatten, recognise};
pub use merge::{BucketRows, BucketStar, TableRows, merge, read_bronze, split};
pub use schema::{
    CLAIMS, CMS_MEASURES, ENCOUNTERS, FACILITIES, HAI_DATA, PATIENTS, PROVIDERS, REGISTRY, RELATIONAL, RelationalTable,
};

#[cfg(test)]
mod tests;
