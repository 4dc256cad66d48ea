//! Where every object of the landing and the lake bucket lies, and how a key is read back.
//!
//! Keys are plain text with `/` between segments. Partition values are escaped as Hive does, so that any hospital's
//! name makes a valid path and every engine reads the column back from it.

use std::fmt::Write as _;

use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

/// The directory value that Hive, Athena, DuckDB and Spark read back as NULL.
pub const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// What is fixed when a lake is made: its number of buckets and the rules of its tables.
pub const LAKE_SETTINGS: &str = "_lake.json";

/// The prefix of all that is flattened.
pub const BRONZE: &str = "bronze/";

/// The prefix of all that is merged.
pub const SILVER: &str = "silver/";

/// The prefix of all that is measured.
pub const GOLD: &str = "gold/";

/// The prefix below which bronze commits lie: what wakes silver.
pub const BRONZE_COMMITS: &str = "bronze/_commits/";

/// How far the compaction of bronze partitions is; there where a lake was ever compacted.
pub const COMPACTIONS: &str = "bronze/_compaction.json";

/// The prefix of the copies that the catalog reads while bronze partitions are compacted.
pub const COMPACTION_COPIES: &str = "compaction/";

/// What the names of compacted bronze files begin with, where others are the id of one landed object.
pub const COMPACTED: &str = "compacted-";

/// The prefix of what was withdrawn; a rebuild keeps it.
pub const WITHDRAWALS: &str = "bronze/withdrawal/";

/// The lake's key for the digests of withdrawn patients: random, made with the first of them.
pub const WITHDRAWAL_KEY: &str = "_withdrawal.key";

/// The prefix below which silver commits lie: what wakes gold.
pub const SILVER_COMMITS: &str = "silver/_commits/";

/// The prefix of what each bucket adds to the final tables.
pub const GOLD_PARTIALS: &str = "gold/_partials/";

/// The prefix of the record index's pages: where every resource lives, by type and id.
pub const SILVER_INDEX: &str = "silver/_index/";

/// The prefix of reference data; a change to it wakes gold as well.
pub const REFERENCE: &str = "reference/";

/// The staffed beds and places of the hospitals, a CSV file that people may edit.
pub const HOSPITALS: &str = "reference/hospitals.csv";

/// The prefix of the answer keys that a generator leaves: what gold has to be.
pub const ANSWERS: &str = "reference/_answers/";

/// The fingerprint that stands in `content_id`: XXH3-128 in hex, of bytes that come piece by piece.
///
/// It breaks ties and finds the same bytes again; it guards nothing. The store's own checksums do.
#[derive(Clone, Default)]
pub struct Fingerprint(Xxh3Default);

impl Fingerprint {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The fingerprint of all bytes so far.
    pub fn finish(&self) -> String {
        hex(&self.0.digest128().to_be_bytes())
    }
}

/// The [`Fingerprint`] of bytes that are all there.
pub fn content_id(bytes: &[u8]) -> String {
    hex(&xxh3_128(bytes).to_be_bytes())
}

/// Whether what lies under a landing key is data: an empty name, and one that begins with `.` or `_`, is a marker, as it is to
/// Hive, Spark and Athena (`_SUCCESS`, the object that stands for a folder).
pub fn is_data(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    !name.is_empty() && !name.starts_with(['.', '_'])
}

/// The source that a landing key names in its first segment, `source=<name>/`: servers number their resources alike, and what
/// lands there has ids that begin with the name. None where the name is empty or has other characters than `[a-z0-9-]`.
pub fn source_of(key: &str) -> Option<&str> {
    let (name, _) = key.strip_prefix("source=")?.split_once('/')?;
    is_source(name).then_some(name)
}

/// Whether a source may have this name.
pub fn is_source(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = vec![0; bytes.len() * 2];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    String::from_utf8(text).expect("hexadecimal digits are ASCII")
}

/// A bronze file: `bronze/encounter/hospital_name=…/<object-id>.parquet`.
pub fn bronze_file(table: &str, partition: &str, value: Option<&str>, object_id: &str) -> String {
    format!("{table}/{}/{object_id}.parquet", partition_segment(partition, value))
}

/// The id of the landed object whose bronze file this is; none where the file is compacted, or no data.
pub fn object_of(file: &str) -> Option<&str> {
    let id = file.rsplit('/').next()?.strip_suffix(".parquet")?;
    (!id.starts_with(COMPACTED)).then_some(id)
}

/// The name of the file that these files are compacted into.
pub fn compacted_name<'a>(members: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Fingerprint::default();
    for member in members {
        digest.update(member.as_bytes());
        digest.update(b"\n");
    }
    format!("{COMPACTED}{}.parquet", digest.finish())
}

/// Where a bronze file or folder stands while the catalog reads the copy of its partition.
pub fn compaction_copy(bronze: &str) -> String {
    format!("{COMPACTION_COPIES}{bronze}")
}

/// What is compacted of a partition, beside the files of its copy.
pub fn compaction_plan(folder: &str) -> String {
    format!("{COMPACTION_COPIES}{folder}_plan.json")
}

/// The commit of a landed object, written last: what silver is woken by.
pub fn bronze_commit(object_id: &str) -> String {
    format!("{BRONZE_COMMITS}{object_id}.json")
}

/// A bucket in a key: `bucket=07`, with as many digits as the last of so many buckets has, two at least.
fn bucket_segment(bucket: u16, buckets: u16) -> String {
    let digits = if buckets > 1000 {
        4
    } else if buckets > 100 {
        3
    } else {
        2
    };
    format!("bucket={bucket:0digits$}")
}

/// A silver or gold file of one of so many buckets: `silver/encounter/bucket=07/part.parquet`.
pub fn bucket_file(table: &str, bucket: u16, buckets: u16) -> String {
    format!("{table}/{}/part.parquet", bucket_segment(bucket, buckets))
}

/// The commit of a silver bucket, written last: what gold is woken by.
pub fn silver_commit(bucket: u16, buckets: u16) -> String {
    format!("{SILVER_COMMITS}{}.json", bucket_segment(bucket, buckets))
}

/// What a bucket adds to the final tables.
pub fn gold_partial(bucket: u16, buckets: u16) -> String {
    format!("{GOLD_PARTIALS}{}.json", bucket_segment(bucket, buckets))
}

/// A final gold table.
pub fn gold_file(table: &str) -> String {
    format!("{table}/part.parquet")
}

/// The bucket number in a key such as `silver/_commits/bucket=07.json`.
pub fn bucket_of(key: &str) -> Option<u16> {
    let tail = &key[key.find("bucket=")? + "bucket=".len()..];
    let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
    tail[..end].parse().ok()
}

/// One directory of a partition, `column=value`, with the value escaped as Hive does; NULL for none or an empty value.
pub fn partition_segment(column: &str, value: Option<&str>) -> String {
    match value {
        Some(value) if !value.is_empty() => format!("{column}={}", hive_escape(value)),
        _ => format!("{column}={NULL_PARTITION}"),
    }
}

/// The value of a partition column in a key, unescaped; `None` where the column is not in the path,
/// `Some(None)` where its value is NULL.
pub fn partition_value(key: &str, column: &str) -> Option<Option<String>> {
    key.split('/').find_map(|segment| {
        let (name, value) = segment.split_once('=')?;
        (name == column).then(|| (value != NULL_PARTITION).then(|| hive_unescape(value)))
    })
}

/// Escapes a partition value as Hive's `FileUtils.escapePathName` does. A value such as `.` needs no more: in a path it always
/// stands behind its column's name.
pub fn hive_escape(value: &str) -> String {
    const ESCAPED: &str = "\"#%'*/:=?\\{}[]^";
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii_control() || ESCAPED.contains(c) {
            let _ = write!(text, "%{:02X}", c as u32);
        } else {
            text.push(c);
        }
    }
    text
}

/// Reads an escaped partition value back; a lone `%` stays as it is.
pub fn hive_unescape(value: &str) -> String {
    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_partition_value_comes_back_from_its_path(value in "\\PC{1,40}") {
            let key = bronze_file("bronze/encounter", "hospital_name", Some(&value), "ab");
            prop_assert_eq!(partition_value(&key, "hospital_name"), Some(Some(value)));
            prop_assert_eq!(key.split('/').count(), 4);
        }
    }

    #[test]
    fn a_missing_value_is_hives_null() {
        let key = bronze_file("bronze/encounter", "hospital_name", None, "ab");
        assert_eq!(key, "bronze/encounter/hospital_name=__HIVE_DEFAULT_PARTITION__/ab.parquet");
        assert_eq!(partition_value(&key, "hospital_name"), Some(None));
    }

    #[test]
    fn source_document_hospitals_keep_their_spaces() {
        assert_eq!(
            partition_segment("hospital_name", Some("MetricCare Hospital - Charlotte")),
            "hospital_name=MetricCare Hospital - Charlotte"
        );
    }

    #[test]
    fn markers_are_no_data() {
        for marker in ["", "patient/", "_SUCCESS", "patient/2025/_SUCCESS", ".hidden", "patient/.p.ndjson.crc"] {
            assert!(!is_data(marker), "{marker}");
        }
        for data in ["p.ndjson", "_export/p.ndjson", ".export/p.ndjson", "patient/2025/12/31/p_1.ndjson"] {
            assert!(is_data(data), "{data}");
        }
    }

    #[test]
    fn a_source_is_the_keys_first_segment() {
        assert_eq!(source_of("source=north-2/patient/2025/01/01/a.ndjson"), Some("north-2"));
        for key in ["source=/a", "source=North/a", "source=a_b/c", "source=a", "x/source=a/b", "a.ndjson"] {
            assert_eq!(source_of(key), None, "{key}");
        }
    }

    #[test]
    fn buckets_are_read_from_keys() {
        for buckets in [1, 16, 100, 101, 1000, 1001, 1024] {
            let last = buckets - 1;
            let (one, other) = (silver_commit(last, buckets), silver_commit(0, buckets));
            assert_eq!(bucket_of(&one), Some(last));
            assert_eq!(one.len(), other.len(), "all keys have as many digits");
        }
        assert_eq!(bucket_file("silver/encounter", 7, 100), "silver/encounter/bucket=07/part.parquet");
        assert_eq!(bucket_file("silver/encounter", 7, 101), "silver/encounter/bucket=007/part.parquet");
        assert_eq!(bucket_file("silver/encounter", 7, 1001), "silver/encounter/bucket=0007/part.parquet");
        assert_eq!(bucket_of("silver/_commits/readme.json"), None);
    }
}
