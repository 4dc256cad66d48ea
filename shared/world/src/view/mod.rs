//! Views of the world: what each kind of reader gets to see of the event logs.

pub mod fhir;
pub mod tables;
mod versions;
