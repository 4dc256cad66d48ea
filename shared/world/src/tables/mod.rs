//! The figures that the world is built on, read from the small tables in `data/`.
//!
//! Each file names its source in its first lines. The shipped ones are compiled into the program; a user may replace
//! any of them, and then an error names the file, the line and the column.

mod benchmarks;
mod chronic;
mod drg;
mod hospitals;
mod names;
mod procedures;
mod reasons;
mod set;
mod texts;
mod tsv;

pub(crate) use benchmarks::benchmark;
pub use benchmarks::{Benchmark, benchmarks};
pub(crate) use chronic::band as chronic_band;
pub(crate) use hospitals::HospitalRow;
pub use hospitals::Town;
pub(crate) use procedures::Procedure;
pub(crate) use reasons::{Setting, StayKind, StayReason, VisitReason};
pub use set::Tables;
pub use texts::TableTexts;
pub use tsv::TableError;
