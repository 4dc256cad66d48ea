//! FHIR wire types.
