//! The verbs of the command line: one a file or folder.

pub(crate) mod compact;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod ingest;
pub(crate) mod plausible;
pub(crate) mod quarantine;
pub(crate) mod query;
pub(crate) mod rebuild;
pub(crate) mod redrive;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod stats;
pub(crate) mod upload;
pub(crate) mod verify;
pub(crate) mod withdraw;
