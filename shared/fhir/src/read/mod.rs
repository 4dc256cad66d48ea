//! Lenient reading: the elements of Patient, Encounter, Condition, Organization and Location that feed the lake.
//!
//! One struct reads R4, R4B and R5: where the versions differ, both spellings are fields. Strings borrow from the
//! input where it has no escapes. Nothing is validated beyond JSON types; values are parsed by [`time`] and
//! [`mod@reference`] when a row is made of them.

pub mod bundle;
pub mod coding;
pub mod condition;
pub mod encounter;
pub mod named;
pub mod patient;
pub mod pull;
pub mod reference;
pub mod resource;
pub mod text;
pub mod time;
pub mod types;

pub use bundle::{Bundle, Entries, Entry, MOST_ENTRIES};
pub use coding::{CodeableConcept, Coding, OneOrMany};
pub use condition::Condition;
pub use encounter::Encounter;
pub use named::{Identified, Named};
pub use patient::Patient;
pub use reference::Reference;
pub use resource::{Fault, Head, Meta, Rule};
pub use text::Text;
