//! The commit of a silver bucket: written last, it wakes gold and lists the bucket's objects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `silver/_commits/bucket=NN.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilverCommit {
    /// The bucket.
    pub bucket: u16,
    /// How many buckets the lake has: everybody who works on it partitions by this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<u16>,
    /// The rules that the bucket was merged by.
    #[serde(default)]
    pub rules: u32,
    /// The ETags of the bucket's silver objects by their keys, as the merge left them.
    pub objects: BTreeMap<String, String>,
    /// The bytes of those objects together, by which gold plans how much it reads at once; 0 in commits of before sizes were
    /// stated.
    #[serde(default)]
    pub bytes: u64,
}

impl SilverCommit {
    /// Reads a commit.
    ///
    /// # Errors
    /// What is not the JSON of a commit.
    pub fn from_json(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// Writes the commit.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text, numbers and maps with text as keys are JSON")
    }
}
