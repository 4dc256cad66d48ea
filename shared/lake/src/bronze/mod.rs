//! Bronze: FHIR resources flattened into rows, immutable and append-only.
