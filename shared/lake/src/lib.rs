//! The lake, without any I/O: where objects lie ([`keys`]), which columns they have ([`schema`]), and the three
//! transformations of the data's path: [`bronze`] flattens, [`silver`] merges, [`gold`] measures.
//!
//! Everything here is a pure function of its arguments: no clock, no environment, no async. What is read arrives as
//! bytes or a reader, what is written leaves as bytes or goes to a writer that the caller hands in.

pub mod bronze;
pub mod cells;
pub mod glue;
pub mod gold;
pub mod keys;
pub mod relational;
pub mod schema;
pub mod settings;
pub mod silver;
pub mod table_file;

mod coded;
#[cfg(test)]
mod sample;
