//! `metriccare query`: Athena's SQL on the lake of a folder, with DataFusion.
//!
//! A statement is read and turned from Athena's words into DataFusion's (`dialect`, `functions`), runs on the lake's own
//! files (`tables`), and its rows are printed as they come (`answer`). The lake is only read.
//!
//! DataFusion is compiled only with the feature `query`, because it takes longer than everything else together.

#[cfg(feature = "query")]
mod answer;
#[cfg(feature = "query")]
mod dialect;
#[cfg(feature = "query")]
mod engine;
#[cfg(feature = "query")]
mod errors;
#[cfg(feature = "query")]
mod functions;
#[cfg(feature = "query")]
mod reference;
#[cfg(feature = "query")]
mod tables;

#[cfg(feature = "query")]
pub(crate) use engine::query;

/// Names the build command that has the SQL engine.
#[cfg(not(feature = "query"))]
pub(crate) async fn query(
    _arguments: &crate::arguments::Query,
    _output: &mut crate::output::Output,
) -> Result<(), crate::output::failure::Failure> {
    Err(crate::output::failure::Failure::usage(
        "this build has no SQL engine, which takes some minutes to compile; build and use it with\n  \
         cargo run --release --features query -- query \"SELECT * FROM gold_summary\"",
    ))
}
