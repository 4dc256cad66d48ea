//! Where a lake or data is: a local folder, or a prefix of a bucket on S3.
//!
//! Parsing needs no SDK, so that every build accepts the same arguments. A deployed stack is known by the names that
//! `template.yaml` gives its buckets: `<stack>-landing-<account>-<region>` and `<stack>-lake-<account>-<region>`.

use std::{fmt, path::PathBuf, str::FromStr};

/// A folder, or a prefix of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DataLocation {
    /// A local folder.
    Folder(PathBuf),
    /// `s3://bucket/prefix`.
    Bucket(BucketLocation),
}

/// Where generated data is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputTarget {
    /// Standard output: `-`.
    Stdout,
    /// A folder, or a prefix of a bucket.
    Location(DataLocation),
}

impl FromStr for OutputTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" { Ok(OutputTarget::Stdout) } else { text.parse().map(OutputTarget::Location) }
    }
}

/// A bucket on S3, or the objects below one of its prefixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BucketLocation {
    /// The bucket's name.
    pub(crate) bucket: String,
    /// Segments with `/` between them and none at the ends; empty for the whole bucket.
    pub(crate) prefix: String,
}

/// The landing prefix, if landing and lake share a bucket.
#[cfg(feature = "aws")]
const LANDING: &str = "landing";

impl FromStr for DataLocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("s3://") {
            Some(rest) => BucketLocation::parse(rest).map(DataLocation::Bucket),
            None if text.starts_with("s3:") => Err("a location on S3 is s3://bucket/prefix".to_owned()),
            None if text.is_empty() => Err("a location is a folder or s3://bucket/prefix".to_owned()),
            None => Ok(DataLocation::Folder(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for DataLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataLocation::Folder(folder) => folder.display().fmt(f),
            DataLocation::Bucket(place) => place.fmt(f),
        }
    }
}

impl fmt::Display for BucketLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "s3://{}{slash}{}", self.bucket, self.prefix)
    }
}

impl BucketLocation {
    /// A location below this one.
    pub(crate) fn join(&self, folder: &str) -> Self {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        BucketLocation { bucket: self.bucket.clone(), prefix: format!("{}{slash}{folder}", self.prefix) }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
        let ends = |end: Option<u8>| end.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let (first, last) = (bucket.bytes().next(), bucket.bytes().last());
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(letters) || !ends(first) || !ends(last) {
            let rule = "3 to 63 lower-case letters, digits, hyphens and dots, with a letter or digit at both ends";
            return Err(format!("{bucket:?} is no name of a bucket: {rule}"));
        }
        let prefix = prefix.trim_end_matches('/');
        if prefix.split('/').any(|segment| segment.is_empty() && !prefix.is_empty()) {
            return Err(format!("{prefix:?} has an empty segment"));
        }
        Ok(BucketLocation { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

#[cfg(feature = "aws")]
impl BucketLocation {
    /// A whole bucket.
    pub(crate) fn whole(bucket: impl Into<String>) -> Self {
        BucketLocation { bucket: bucket.into(), prefix: String::new() }
    }

    /// The landing location of this lake: the landing bucket of its stack, or `landing/` inside it.
    pub(crate) fn landing(&self) -> Self {
        match self.deployed("lake") {
            Some(stack) => BucketLocation::whole(stack.bucket(LANDING)),
            None => self.join(LANDING),
        }
    }

    /// The lake whose landing location this is, if the name shows it.
    pub(crate) fn lake(&self) -> Option<Self> {
        if let Some(stack) = self.deployed(LANDING) {
            return Some(BucketLocation::whole(stack.bucket("lake")));
        }
        let prefix = match self.prefix.strip_suffix(LANDING)? {
            "" => "",
            above => above.strip_suffix('/')?,
        };
        Some(BucketLocation { bucket: self.bucket.clone(), prefix: prefix.to_owned() })
    }

    /// The stack whose lake or landing bucket this is.
    pub(crate) fn deployed(&self, role: &str) -> Option<Stack> {
        if !self.prefix.is_empty() {
            return None;
        }
        let (name, rest) = self.bucket.rsplit_once(&format!("-{role}-"))?;
        let (account, region) = rest.split_once('-')?;
        let number = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let there = !name.is_empty() && !region.is_empty();
        (number && there).then(|| Stack {
            name: name.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
        })
    }
}

/// A deployed stack.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg(feature = "aws")]
pub(crate) struct Stack {
    /// Its name, `metriccare` by default.
    pub(crate) name: String,
    /// The account's number.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
}

#[cfg(feature = "aws")]
impl Stack {
    /// The name of its `landing` or `lake` bucket.
    pub(crate) fn bucket(&self, role: &str) -> String {
        format!("{}-{role}-{}-{}", self.name, self.account, self.region)
    }

    /// The name of its ledger's table.
    pub(crate) fn ledger(&self) -> String {
        format!("{}-ledger", self.name)
    }
}

#[cfg(all(test, feature = "aws"))]
mod tests {
    use super::*;

    fn bucket(text: &str) -> BucketLocation {
        match text.parse() {
            Ok(DataLocation::Bucket(place)) => place,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_location_is_a_folder_or_a_bucket() {
        assert_eq!("./lake".parse(), Ok(DataLocation::Folder("./lake".into())));
        assert_eq!(bucket("s3://my-lake/"), BucketLocation::whole("my-lake"));
        assert_eq!(bucket("s3://my-lake/a/b/").to_string(), "s3://my-lake/a/b");
        for wrong in ["s3:/my-lake", "s3://", "s3://My_Lake", "s3://ab", "s3://my-lake//a", "s3://-lake/x", ""] {
            assert!(wrong.parse::<DataLocation>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn landing_and_lake_locations_are_derived_from_each_other() {
        let deployed = bucket("s3://my-lake-lake-123456789012-eu-central-1");
        assert_eq!(deployed.landing().to_string(), "s3://my-lake-landing-123456789012-eu-central-1");
        assert_eq!(deployed.landing().lake(), Some(deployed.clone()));
        assert_eq!(deployed.deployed("lake").expect("a stack").ledger(), "my-lake-ledger");
        for lake in [bucket("s3://data"), bucket("s3://data/quality/2025")] {
            assert_eq!(lake.landing().lake(), Some(lake));
        }
        assert_eq!(bucket("s3://data/export").lake(), None);
        assert_eq!(bucket("s3://data/my-landing").lake(), None);
        assert_eq!(bucket("s3://metriccare-lake-123-eu-central-1").deployed("lake"), None);
    }
}
