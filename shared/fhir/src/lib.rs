//! FHIR on the wire: strict R4 and R5 writing, and lenient reading of R4, R4B and R5 in [`read`].
//!
//! Reading knows only the elements that feed a column of the lake. A wrong type there is an error that names the
//! element; everything else may be anything, since other systems' extensions are none of our business.

pub mod read;
