//! The laws of the ports, as functions that panic where one is broken: one suite for memory, disk and AWS.
//!
//! Every function works under a name of its own in the bucket or ledger it is given (`scope`), so a suite may run twice
//! on a server that keeps its data. The sequential laws take a reference; the races take an `Arc`, because their
//! writers are tasks.

pub mod ledger;
pub mod race;
pub mod store;

#[cfg(test)]
mod tests;
