//! The index's pages: objects of bounded size in a tree over the keys' bits, each a register of its own.
//!
//! A page holds the entries whose keys begin with its hexadecimal digits, up to a limit. A page that would outgrow it
//! hands its entries to its sixteen children first, and only then becomes a mark that says so; whoever reads it before
//! still finds everything in it. So a batch reads and writes the pages of its own records and no others, however many
//! records the lake has, and the pages that a set of entries ends in don't depend on the order in which they came.

use std::borrow::Cow;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::codec::{decode_entry, decode_number, encode_entry, encode_number, take};
use super::{Entry, RecordKey};
use crate::keys::SILVER_INDEX;

/// How many entries a page holds: some hundred kilobytes, which a store reads in about the time of a request.
pub const PAGE_ENTRIES: usize = 4096;

/// What a page of entries begins with.
const ENTRIES: &[u8; 4] = b"MCX1";
/// What a page that was split holds.
const SPLIT: &[u8; 4] = b"MCS1";

/// A page of the index: the entries whose keys begin with these hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Page {
    digits: u32,
    prefix: u128,
}

/// A page's object is not what was written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a page of the record index, or a damaged one: `metriccare rebuild` makes the index again")]
pub struct DamagedPage;

/// What taking entries into a page comes to.
#[derive(Clone, Debug)]
pub enum Step {
    /// The page holds them.
    Joined {
        /// What the index now knows of each resource that was asked for, in the order of their keys.
        entries: Vec<Entry>,
        /// The page's new bytes, to be written if the page still is what was read; none where nothing changed.
        write: Option<Bytes>,
    },
    /// The page's children hold them: these entries have to be taken into these pages first.
    Children {
        /// Each child with its entries, which may be more than were asked for.
        pages: Vec<(Page, Vec<Entry>)>,
        /// The page's new bytes, to be written after the children if the page still is what was read; none where it
        /// was split before.
        write: Option<Bytes>,
    },
}

impl Page {
    /// The page where every search begins.
    pub const ROOT: Page = Page { digits: 0, prefix: 0 };

    /// The page's key in the lake bucket: `silver/_index/page-3f`.
    pub fn key(self) -> String {
        let digits = self.digits as usize;
        let prefix = format!("{:032x}", self.prefix);
        format!("{SILVER_INDEX}page-{}", &prefix[..digits])
    }

    pub(super) fn child_of(self, key: RecordKey) -> Page {
        let digits = self.digits + 1;
        let shift = 128 - 4 * digits;
        Page { digits, prefix: key.0 >> shift << shift }
    }

    /// Takes entries into the page, sorted and one for each resource, as [`super::joined`] gives them.
    ///
    /// `current` is the page's object, if there is one; `limit` how many entries a page may hold.
    pub fn take_in(self, current: Option<&[u8]>, incoming: &[Entry], limit: usize) -> Result<Step, DamagedPage> {
        let present = match current {
            None => Vec::new(),
            Some(bytes) => match parse(bytes)? {
                Some(present) => present,
                None => {
                    return Ok(Step::Children {
                        pages: self.distribute(incoming.iter().map(Cow::Borrowed)),
                        write: None,
                    });
                }
            },
        };
        let (rows, changed) = merge(present, incoming)?;
        // A page at the last digit has keys that are all the same: it cannot be split, and holds one entry.
        if rows.len() > limit.max(1) {
            let all = rows.into_iter().map(|row| row.entry()).collect::<Result<Vec<_>, _>>()?;
            let pages = self.distribute(all.into_iter());
            return Ok(Step::Children { pages, write: Some(Bytes::from_static(SPLIT)) });
        }
        let write = changed.then(|| encode(&rows));
        let entries = rows.into_iter().filter_map(Row::asked_for).collect();
        Ok(Step::Joined { entries, write })
    }

    fn distribute<'a>(self, entries: impl Iterator<Item = Cow<'a, Entry>>) -> Vec<(Page, Vec<Entry>)> {
        let mut pages: Vec<(Page, Vec<Entry>)> = Vec::new();
        for entry in entries {
            let child = self.child_of(entry.key);
            match pages.last_mut() {
                Some((page, entries)) if *page == child => entries.push(entry.into_owned()),
                _ => pages.push((child, vec![entry.into_owned()])),
            }
        }
        pages
    }
}

/// A line of a page: one that stays as it is, as bytes, or one that was asked for, joined.
enum Row<'a> {
    Kept(RecordKey, &'a [u8]),
    Joined(Entry),
}

impl<'a> Row<'a> {
    fn entry<'b>(self) -> Result<Cow<'b, Entry>, DamagedPage> {
        match self {
            Row::Kept(key, mut bytes) => decode_entry(key, &mut bytes).map(Cow::Owned).ok_or(DamagedPage),
            Row::Joined(entry) => Ok(Cow::Owned(entry)),
        }
    }

    fn asked_for(self) -> Option<Entry> {
        match self {
            Row::Kept(..) => None,
            Row::Joined(entry) => Some(entry),
        }
    }
}

/// Joins the lines of a page with entries; says whether that changes the page.
fn merge<'a>(present: Vec<(RecordKey, &'a [u8])>, incoming: &[Entry]) -> Result<(Vec<Row<'a>>, bool), DamagedPage> {
    let mut rows = Vec::with_capacity(present.len() + incoming.len());
    let mut changed = false;
    let mut present = present.into_iter().peekable();
    for entry in incoming {
        while let Some((key, bytes)) = present.next_if(|(key, _)| *key < entry.key) {
            rows.push(Row::Kept(key, bytes));
        }
        let mut joined = entry.clone();
        match present.next_if(|(key, _)| *key == entry.key) {
            Some((key, mut bytes)) => {
                let before = decode_entry(key, &mut bytes).ok_or(DamagedPage)?;
                joined.join(&before);
                changed |= joined != before;
            }
            None => changed = true,
        }
        rows.push(Row::Joined(joined));
    }
    rows.extend(present.map(|(key, bytes)| Row::Kept(key, bytes)));
    Ok((rows, changed))
}

fn encode(rows: &[Row<'_>]) -> Bytes {
    let mut bytes = Vec::with_capacity(rows.len() * 128);
    let mut line = Vec::new();
    bytes.extend(ENTRIES);
    for row in rows {
        let (key, text) = match row {
            Row::Kept(key, kept) => (key, *kept),
            Row::Joined(entry) => {
                line.clear();
                encode_entry(entry, &mut line);
                (&entry.key, line.as_slice())
            }
        };
        bytes.extend(key.0.to_be_bytes());
        encode_number(text.len() as u64, &mut bytes);
        bytes.extend(text);
    }
    let checksum = xxh3_64(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes.into()
}

/// The lines of a page by key; none where it was split.
#[expect(clippy::type_complexity, reason = "lines of a page, borrowed from it")]
fn parse(bytes: &[u8]) -> Result<Option<Vec<(RecordKey, &[u8])>>, DamagedPage> {
    if bytes == SPLIT {
        return Ok(None);
    }
    let (content, checksum) = bytes.split_last_chunk::<8>().ok_or(DamagedPage)?;
    if xxh3_64(content).to_le_bytes() != *checksum {
        return Err(DamagedPage);
    }
    let mut rest = content.strip_prefix(ENTRIES).ok_or(DamagedPage)?;
    let mut lines = Vec::with_capacity(rest.len() / 100);
    while !rest.is_empty() {
        let key = RecordKey(u128::from_be_bytes(take(&mut rest).ok_or(DamagedPage)?));
        let length = decode_number(&mut rest).and_then(|length| usize::try_from(length).ok()).ok_or(DamagedPage)?;
        let (line, after) = rest.split_at_checked(length).ok_or(DamagedPage)?;
        lines.push((key, line));
        rest = after;
    }
    Ok(Some(lines))
}
