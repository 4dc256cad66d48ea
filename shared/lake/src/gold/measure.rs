//! Measuring one bucket: its stay ledger and its partial.

use std::fmt::Write as _;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::facts::{Decoded, Facts, SilverBucket};
use super::infections::infections;
use super::ledger::{ledger, stay_file};
use super::partial::{Partial, RULES};
use super::tally::tally;
use crate::keys::hex;
use crate::table_file::FileError;

/// What measuring a bucket gives.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The bucket's gold/stay object.
    pub stay: Bytes,
    /// What the bucket adds to the final tables.
    pub partial: Partial,
}

/// Measures a bucket; `inputs` is the [`inputs_digest`] of its silver objects.
pub fn measure(bucket: u16, silver: &SilverBucket, inputs: &str) -> Result<Measured, FileError> {
    let decoded = Decoded::new(silver)?;
    let facts = Facts::new(&decoded)?;
    let infections = infections(&facts);
    let ledger = ledger(&facts, &infections);
    let stay = stay_file(&facts, &ledger, inputs)?;
    let partial = Partial { rules: RULES, ..tally(bucket, &facts, &ledger, &infections, inputs) };
    Ok(Measured { stay, partial })
}

/// The digest of what a gold object is computed from: the name and digest (or ETag) of each input, and gold's rules.
pub fn inputs_digest<'a>(inputs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = format!("rules {RULES}\n");
    for (name, digest) in inputs {
        let _ = writeln!(text, "{} {name} {digest}", name.len());
    }
    hex(&Sha256::digest(text.as_bytes()))
}
