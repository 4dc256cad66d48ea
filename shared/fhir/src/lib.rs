//! FHIR wire types.

pub mod write;
