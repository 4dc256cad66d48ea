//! The world as FHIR resources, one JSON line each.
//!
//! A view is what is known at a time. A resource has up to three versions: an encounter is in progress from its first
//! day and completed on its last, a condition is recorded and later over, a patient is registered and may die; and what
//! was wrong is corrected. The year's batch writes the latest version known at the year's end, a day's feed those that
//! are delivered on the day, with the same `lastUpdated` and `versionId` in both.

mod batch;
mod directory;
mod edit;
mod inject;
mod lines;
mod resources;
#[cfg(test)]
mod tests;
mod writer;

pub use batch::{Destination, FaultBatch};
pub use directory::{DirectoryResources, directory};
pub use resources::Resources;
pub use writer::{FhirWriter, Known};
