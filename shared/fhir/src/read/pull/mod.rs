//! The fast way to read a resource: one pass over its text, for what is usual; everything else is left to serde.
//!
//! `reader` knows JSON and checks every byte of it, also of what nobody wants; `elements` says which keys feed which
//! fields. What is unusual is not decided here: an escape in a wanted string, a wrong type, a key that stands twice, a
//! depth above 100 or a fault of any kind is [`Unusual`], and serde reads the resource again and names the fault. So
//! whatever is accepted here, serde accepts with the same values; a property test holds the two together.

mod elements;
mod reader;

use serde::Deserialize;

pub use elements::Pull;
pub use reader::{Reader, Unusual};

use super::{Fault, resource};

/// Reads a resource in one pass, or by serde where that does not do.
///
/// # Errors
/// As [`resource::read`].
pub fn read<'a, T: Pull<'a> + Deserialize<'a>>(json: &'a str) -> Result<T, Fault> {
    one_pass(json).or_else(|Unusual| resource::read(json))
}

/// Reads a resource in one pass.
///
/// # Errors
/// Where anything in it is unusual, which does not mean that it is wrong.
pub fn one_pass<'a, T: Pull<'a>>(json: &'a str) -> Result<T, Unusual> {
    let mut reader = Reader::new(json);
    let value = T::pull(&mut reader)?;
    reader.end()?;
    Ok(value)
}
