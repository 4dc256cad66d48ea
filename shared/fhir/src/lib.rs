//! FHIR on the wire: strict R4 and R5 writing in [`mod@write`], lenient reading of R4, R4B and R5 in [`read`].
//!
//! Reading knows only the elements that feed a column of the lake. A wrong type there is an error that names the
//! element; everything else may be anything, since other systems' extensions are none of our business. Writing cannot
//! say what the specification forbids: required codes are enums, and what a version calls differently is in one place.

pub mod calendar;
pub mod read;
pub mod write;
