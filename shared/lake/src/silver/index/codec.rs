//! Versions and entries as bytes: what stands in the index's pages and in the tombstones of a bucket.
//!
//! Integers are little-endian, lengths are LEB128; what is not there takes one bit. Equal values have equal bytes.

use super::{ContentId, Entry, RecordKey, Resource, Version, VersionId};

const LAST_UPDATED: u8 = 1;
const PRECOMBINE: u8 = 2;
const DELETION: u8 = 4;
const PATIENT: u8 = 8;

/// Appends a version.
pub(in crate::silver) fn encode_version(version: &Version, bytes: &mut Vec<u8>) {
    let mut flags = 0;
    let mut set = |flag: u8, is_set: bool| flags |= if is_set { flag } else { 0 };
    set(LAST_UPDATED, version.last_updated.is_some());
    set(PRECOMBINE, version.precombine_ts.is_some());
    set(DELETION, version.deletion);
    set(PATIENT, version.patient_id.is_some());
    let (version_kind, content_kind) = (
        match version.version_id {
            VersionId::Missing => 0,
            VersionId::Number(_) => 1,
            VersionId::Long(..) => 2,
            VersionId::Text(_) => 3,
            VersionId::LastAtItsTime => 4,
        },
        match version.content_id {
            ContentId::Missing => 0,
            ContentId::Fingerprint(_) => 1,
            ContentId::Text(_) => 2,
        },
    );
    bytes.extend([flags, version_kind | content_kind << 4]);
    for time in [version.last_updated, version.precombine_ts].into_iter().flatten() {
        bytes.extend(time.to_le_bytes());
    }
    match &version.version_id {
        VersionId::Missing | VersionId::LastAtItsTime => {}
        VersionId::Number(number) => encode_number(*number, bytes),
        VersionId::Long(_, text) | VersionId::Text(text) => encode_text(text, bytes),
    }
    match &version.content_id {
        ContentId::Missing => {}
        ContentId::Fingerprint(fingerprint) => bytes.extend(fingerprint),
        ContentId::Text(text) => encode_text(text, bytes),
    }
    if let Some(patient) = &version.patient_id {
        encode_text(patient, bytes);
    }
}

/// Takes a version from the front of the bytes; none where they are no version.
pub(in crate::silver) fn decode_version(bytes: &mut &[u8]) -> Option<Version> {
    let [flags, kinds] = take(bytes)?;
    let is_set = |flag: u8| flags & flag != 0;
    let last_updated = if is_set(LAST_UPDATED) { Some(i64::from_le_bytes(take(bytes)?)) } else { None };
    let precombine_ts = if is_set(PRECOMBINE) { Some(i64::from_le_bytes(take(bytes)?)) } else { None };
    let version_id = match kinds & 15 {
        0 => VersionId::Missing,
        1 => VersionId::Number(decode_number(bytes)?),
        2 => {
            let digits = decode_text(bytes)?;
            VersionId::Long(digits.len(), digits)
        }
        3 => VersionId::Text(decode_text(bytes)?),
        4 => VersionId::LastAtItsTime,
        _ => return None,
    };
    let content_id = match kinds >> 4 {
        0 => ContentId::Missing,
        1 => ContentId::Fingerprint(take(bytes)?),
        2 => ContentId::Text(decode_text(bytes)?),
        _ => return None,
    };
    let patient_id = if is_set(PATIENT) { Some(decode_text(bytes)?) } else { None };
    Some(Version { last_updated, version_id, deletion: is_set(DELETION), precombine_ts, content_id, patient_id })
}

/// Appends an entry without its key.
pub(super) fn encode_entry(entry: &Entry, bytes: &mut Vec<u8>) {
    bytes.push(entry.resource.code() << 1 | u8::from(entry.bucket.is_some()));
    bytes.extend(entry.bucket.iter().flat_map(|bucket| bucket.to_le_bytes()));
    encode_number(entry.elsewhere.len() as u64, bytes);
    bytes.extend(entry.elsewhere.iter().flat_map(|bucket| bucket.to_le_bytes()));
    encode_version(&entry.latest, bytes);
}

/// Takes the entry of a key from the front of the bytes; none where they are no entry.
pub(super) fn decode_entry(key: RecordKey, bytes: &mut &[u8]) -> Option<Entry> {
    let [flags] = take(bytes)?;
    let resource = Resource::ALL.into_iter().find(|resource| resource.code() == flags >> 1)?;
    let bucket = if flags & 1 == 1 { Some(u16::from_le_bytes(take(bytes)?)) } else { None };
    let others = decode_number(bytes)?;
    let elsewhere = (0..others).map(|_| take(bytes).map(u16::from_le_bytes)).collect::<Option<Vec<_>>>()?;
    Some(Entry { key, resource, bucket, elsewhere, latest: decode_version(bytes)? })
}

/// Takes so many bytes from the front.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (front, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*front)
}

/// Appends a number, seven bits a byte, the lowest first.
pub(super) fn encode_number(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 128 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number from the front.
pub(super) fn decode_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = take(bytes)?;
        number |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(number);
        }
    }
    None
}

fn encode_text(text: &str, bytes: &mut Vec<u8>) {
    encode_number(text.len() as u64, bytes);
    bytes.extend(text.as_bytes());
}

fn decode_text(bytes: &mut &[u8]) -> Option<Box<str>> {
    let length = usize::try_from(decode_number(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(std::str::from_utf8(text).ok()?.into())
}
