//! Entries as a join, pages as a tree that holds every entry once, and both as bytes.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn version() -> impl Strategy<Value = Version> {
    let version_ids =
        prop::sample::select(vec![None, Some("1"), Some("02"), Some("99999999999999999999999"), Some("W/1")]);
    let contents = prop::sample::select(vec![None, Some("c"), Some("00ff00ff00ff00ff00ff00ff00ff00fe")]);
    let patients = prop::sample::select(vec![None, Some("p"), Some("é")]);
    let parts = (prop::option::of(0..3i64), version_ids, any::<bool>(), prop::option::of(0..2i64), contents, patients);
    parts.prop_map(|(last_updated, version_id, deletion, precombine_ts, content_id, patient_id)| Version {
        last_updated,
        version_id: if deletion { VersionId::of_deletion(version_id) } else { VersionId::new(version_id) },
        deletion,
        precombine_ts,
        content_id: ContentId::new(content_id),
        patient_id: patient_id.map(Into::into),
    })
}

/// A version of one of a few resources; its bucket is a function of the version, as it is of its patient.
fn entry(keys: u8) -> impl Strategy<Value = Entry> {
    (0..keys, version()).prop_map(|(number, latest)| {
        let bucket = match &latest {
            Version { deletion: true, .. } => None,
            Version { patient_id: None, .. } => Some(u16::from(number)),
            Version { patient_id: Some(patient), .. } => Some(1000 + patient.len() as u16),
        };
        let key = RecordKey::of(Resource::Encounter, &number.to_string());
        Entry { key, resource: Resource::Encounter, latest, bucket, elsewhere: Vec::new() }
    })
}

/// What the index must know of all versions, worked out without joining.
fn expected(versions: &[Entry]) -> Vec<Entry> {
    let mut by_key: BTreeMap<RecordKey, Vec<&Entry>> = BTreeMap::new();
    for version in versions {
        by_key.entry(version.key).or_default().push(version);
    }
    let of = |versions: Vec<&Entry>| {
        let greatest = *versions.iter().max_by_key(|entry| &entry.latest).unwrap();
        let mut elsewhere: Vec<_> = versions.iter().filter_map(|entry| entry.bucket).collect();
        elsewhere.sort_unstable();
        elsewhere.dedup();
        elsewhere.retain(|bucket| Some(*bucket) != greatest.bucket);
        Entry { elsewhere, ..greatest.clone() }
    };
    by_key.into_values().map(of).collect()
}

/// Pages in memory.
type Pages = BTreeMap<String, Bytes>;

/// Takes entries into a page and what lies below it, and returns what was asked for.
fn take_in(pages: &mut Pages, page: Page, incoming: &[Entry], limit: usize) -> Vec<Entry> {
    let current = pages.get(&page.key()).cloned();
    match page.take_in(current.as_deref(), incoming, limit).unwrap() {
        Step::Joined { entries, write } => {
            assert_eq!(write.is_some(), write.is_some() && write != current, "a page is written where it changes");
            pages.extend(write.map(|bytes| (page.key(), bytes)));
            entries
        }
        Step::Children { pages: below, write } => {
            let mut found = Vec::new();
            for (child, entries) in below {
                found.extend(take_in(pages, child, &entries, limit));
            }
            pages.extend(write.map(|bytes| (page.key(), bytes)));
            found.retain(|entry| incoming.binary_search_by_key(&entry.key, |entry| entry.key).is_ok());
            found
        }
    }
}

proptest! {
    #[test]
    fn entries_join_in_any_order_and_any_number_of_times(versions in prop::collection::vec(entry(3), 0..12), again in any::<prop::sample::Index>()) {
        let wanted = expected(&versions);
        prop_assert_eq!(&joined(versions.clone()), &wanted);
        let (head, tail) = versions.split_at(again.index(versions.len() + 1));
        let mut backwards: Vec<_> = joined(tail.to_vec());
        backwards.extend(joined(head.to_vec()));
        backwards.extend(versions);
        prop_assert_eq!(joined(backwards), wanted);
    }

    #[test]
    fn pages_end_the_same_whatever_the_order(
        versions in prop::collection::vec(entry(40), 0..60),
        size in 1..20usize,
        limit in 1..9usize,
    ) {
        let (mut one_by_one, mut at_once, mut backwards) = (Pages::new(), Pages::new(), Pages::new());
        take_in(&mut at_once, Page::ROOT, &joined(versions.clone()), limit);
        let mut so_far = Vec::new();
        for batch in versions.chunks(size) {
            so_far.extend_from_slice(batch);
            let asked = joined(batch.to_vec());
            let found = take_in(&mut one_by_one, Page::ROOT, &asked, limit);
            let wanted: Vec<_> = expected(&so_far).into_iter().filter(|entry| asked.iter().any(|other| other.key == entry.key)).collect();
            prop_assert_eq!(found, wanted, "what was asked for, and no more");
        }
        for version in versions.iter().rev() {
            take_in(&mut backwards, Page::ROOT, std::slice::from_ref(version), limit);
        }
        if !versions.is_empty() {
            prop_assert_eq!(&one_by_one, &at_once);
            prop_assert_eq!(&backwards, &at_once);
        }
        let again = take_in(&mut one_by_one, Page::ROOT, &joined(versions.clone()), limit);
        prop_assert_eq!(again, expected(&versions));
        prop_assert_eq!(&one_by_one, &at_once, "a replay changes nothing");
    }

    #[test]
    fn versions_come_back_from_their_bytes(version in version()) {
        let mut bytes = Vec::new();
        encode_version(&version, &mut bytes);
        bytes.push(7);
        let mut rest = bytes.as_slice();
        prop_assert_eq!(decode_version(&mut rest), Some(version));
        prop_assert_eq!(rest, [7]);
    }

    #[test]
    fn a_damaged_page_is_refused(versions in prop::collection::vec(entry(9), 1..9), place in any::<prop::sample::Index>(), flip in 1..=255u8, cut: bool) {
        let mut pages = Pages::new();
        take_in(&mut pages, Page::ROOT, &joined(versions.clone()), 9);
        let mut bytes = pages[&Page::ROOT.key()].to_vec();
        let place = place.index(bytes.len());
        if cut {
            bytes.truncate(place);
        } else {
            bytes[place] ^= flip;
        }
        prop_assert!(Page::ROOT.take_in(Some(&bytes), &joined(versions), 9).is_err());
    }
}

#[test]
fn pages_are_named_by_the_digits_of_their_keys() {
    let key = RecordKey(0x3f << 120);
    let child = Page::ROOT.child_of(key).child_of(key);
    assert_eq!(Page::ROOT.key(), "silver/_index/page-");
    assert_eq!(child.key(), "silver/_index/page-3f");
}

#[test]
fn a_batch_touches_the_pages_of_its_records_only() {
    let entry = |number: u32| {
        let key = RecordKey::of(Resource::Encounter, &number.to_string());
        let latest = Version {
            last_updated: Some(i64::from(number)),
            version_id: VersionId::new(Some("1")),
            deletion: false,
            precombine_ts: Some(0),
            content_id: ContentId::Missing,
            patient_id: Some("p".into()),
        };
        Entry { key, resource: Resource::Encounter, latest, bucket: Some(0), elsewhere: Vec::new() }
    };
    let mut sizes = Vec::new();
    // Both sizes leave about 31 records a page, on the first level and on the second.
    for records in [500, 8_000] {
        let mut pages = Pages::new();
        take_in(&mut pages, Page::ROOT, &joined((0..records).map(entry).collect()), 64);
        let before = pages.clone();
        take_in(&mut pages, Page::ROOT, &[entry(1_000_000)], 64);
        let written: Vec<_> = pages.iter().filter(|(key, bytes)| before.get(*key) != Some(*bytes)).collect();
        assert_eq!(written.len(), 1, "one record, one page");
        sizes.push(written[0].1.len());
    }
    assert!(sizes.iter().all(|size| *size < 65 * 64), "a page is of bounded size: {sizes:?}");
}
