//! The commit of one landed object: written last, it wakes silver and lists what silver has to read.

use serde::{Deserialize, Serialize};

use super::Counts;

/// `bronze/_commits/<object-id>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BronzeCommit {
    /// The landed object's id.
    pub object_id: String,
    /// The rules that it was flattened by.
    #[serde(default)]
    pub rules: u32,
    /// The landed object's key.
    pub sourcename: String,
    /// The landed object's ETag, as its store gave it.
    #[serde(default)]
    pub etag: String,
    /// The XXH3-128 of the landed object's bytes.
    pub content_id: String,
    /// When it landed, in UTC microseconds.
    pub landed_micros: i64,
    /// How its records were handled.
    pub counts: Counts,
    /// Its bronze files, sorted by key.
    pub files: Vec<CommittedFile>,
}

impl BronzeCommit {
    /// Reads a commit.
    ///
    /// # Errors
    /// What is not the JSON of a commit.
    pub fn from_json(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// The rows of this object in files that it shares with others.
    pub fn object_rows(&self) -> ObjectRows {
        ObjectRows { sourcename: self.sourcename.clone(), landed_micros: self.landed_micros }
    }

    /// Writes the commit.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text, numbers and maps with text as keys are JSON")
    }
}

/// A bronze file of a commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommittedFile {
    /// The file's key in the lake bucket.
    pub key: String,
    /// The table it belongs to, such as `bronze/encounter`.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// Its size in bytes, by which silver plans how much it reads at once; 0 in commits of before sizes were stated.
    #[serde(default)]
    pub bytes: u64,
    /// Whose rows count, where compaction has put rows of several landed objects into the file; else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_of: Option<ObjectRows>,
}

/// Names the rows of one landed object in a compacted file, which holds no other object of this key and time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectRows {
    /// The landed object's key: the column `sourcename`.
    pub sourcename: String,
    /// When it landed, in UTC microseconds: the column `precombine_ts`.
    pub landed_micros: i64,
}
