//! What every bucket must do.

use std::io::{Read, Write};

use tokio::runtime::Handle;

use crate::{Body, ETag, ErrorKind, ObjectStore, Payload, PutMode, store::blocking};

/// Keys that careless code breaks: spaces, plus, percent, partition columns, quotes, letters of all kinds.
pub const ODD_KEYS: &[&str] = &[
    "plain.json",
    "with space.json",
    " two  spaces and one in front",
    "plus+plus.json",
    "100%.json",
    "percent%20encoded%2Fslash.json",
    "hospital_name=MetricCare Hospital - Charlotte/bucket=07/part.parquet",
    "hospital_name=St. Mary%27s/x.parquet",
    "a=b&c=d?e#f;g,h:i@j$k!l'm(n)o~p",
    "Krankenhaus Größe/ß.json",
    "composed-é/decomposed-e\u{301}.json",
    "日本語/病院.json",
    "🏥.ndjson.gz",
];

/// Every sequential law of a bucket, the times apart.
pub async fn all(store: &dyn ObjectStore, scope: &str) {
    missing_is_not_found(store, scope).await;
    what_is_put_is_got(store, scope).await;
    odd_keys_stay_as_they_are(store, scope).await;
    if_absent_writes_once(store, scope).await;
    if_match_writes_over_what_was_read_only(store, scope).await;
    a_get_may_insist_on_an_etag(store, scope).await;
    large_objects_come_from_files_and_stream(store, scope).await;
    lists_are_sorted_and_cut_by_prefix(store, scope).await;
    what_is_deleted_is_gone(store, scope).await;
    impossible_keys_are_invalid(store).await;
}

/// What is deleted is in no get and no list, may be deleted once more, and its key may be put first again.
pub async fn what_is_deleted_is_gone(store: &dyn ObjectStore, scope: &str) {
    let (key, other) = (format!("{scope}/deleted/object"), format!("{scope}/deleted/object too"));
    for key in [&key, &other] {
        store.put(key, "bytes".into(), PutMode::Overwrite).await.expect("put");
    }
    for _ in 0..2 {
        store.delete(&key).await.expect("delete");
        assert_eq!(store.get(&key).await.expect_err("deleted").kind(), ErrorKind::NotFound);
        let listed = store.list(&format!("{scope}/deleted/")).await.expect("list");
        assert_eq!(listed.iter().map(|line| line.key.as_str()).collect::<Vec<_>>(), [other.as_str()]);
    }
    store.put(&key, "bytes again".into(), PutMode::IfAbsent).await.expect("the first again");
}

/// Get and head of nothing are not found, and a list of nothing is empty.
pub async fn missing_is_not_found(store: &dyn ObjectStore, scope: &str) {
    let key = format!("{scope}/missing/object");
    assert_eq!(store.get(&key).await.expect_err("missing").kind(), ErrorKind::NotFound);
    assert_eq!(store.head(&key).await.expect_err("missing").kind(), ErrorKind::NotFound);
    assert_eq!(store.list(&format!("{scope}/missing/")).await.expect("an empty list"), []);
}

/// The bytes, size and ETag of an object are those of the last put, in get, head and list.
pub async fn what_is_put_is_got(store: &dyn ObjectStore, scope: &str) {
    let key = format!("{scope}/put/object");
    let mut before: Option<ETag> = None;
    for text in ["", "first", "second, and longer"] {
        let etag = store.put(&key, text.into(), PutMode::Overwrite).await.expect("put");
        assert_ne!(Some(&etag), before.as_ref(), "another content has another ETag");
        let meta = store.head(&key).await.expect("head");
        assert_eq!((meta.key.as_str(), meta.size, &meta.etag), (key.as_str(), text.len() as u64, &etag));
        let object = store.get(&key).await.expect("get");
        assert_eq!(object.meta, meta, "get and head know the same");
        assert_eq!(object.body.bytes().await.expect("body"), text);
        let listed = store.list(&key).await.expect("list");
        assert_eq!((listed.len(), listed[0].key.as_str(), listed[0].size), (1, key.as_str(), text.len() as u64));
        assert!(listed[0].etag.as_ref().is_none_or(|listed| *listed == etag));
        before = Some(etag);
    }
}

/// A key is opaque: it is found under the very bytes it was put under, and only there.
pub async fn odd_keys_stay_as_they_are(store: &dyn ObjectStore, scope: &str) {
    let prefix = format!("{scope}/odd keys/é+%2B/");
    let mut keys: Vec<String> = ODD_KEYS.iter().map(|key| format!("{prefix}{key}")).collect();
    for key in &keys {
        store.put(key, key.clone().into(), PutMode::IfAbsent).await.expect(key);
    }
    for key in &keys {
        let object = store.get(key).await.expect(key);
        assert_eq!(object.meta.key, *key);
        assert_eq!(object.body.bytes().await.expect("body"), *key);
    }
    keys.sort_unstable();
    let listed: Vec<String> = store.list(&prefix).await.expect("list").into_iter().map(|line| line.key).collect();
    assert_eq!(listed, keys);
}

/// The first put-if-absent writes, every later one is refused and changes nothing.
pub async fn if_absent_writes_once(store: &dyn ObjectStore, scope: &str) {
    let key = format!("{scope}/if-absent/object");
    let etag = store.put(&key, "first".into(), PutMode::IfAbsent).await.expect("put");
    for text in ["second", "first"] {
        let error = store.put(&key, text.into(), PutMode::IfAbsent).await.expect_err("it is there");
        assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
    }
    let object = store.get(&key).await.expect("get");
    assert_eq!(object.meta.etag, etag);
    assert_eq!(object.body.bytes().await.expect("body"), "first");
}

/// A put-if-match writes over the content that was read and over nothing else.
pub async fn if_match_writes_over_what_was_read_only(store: &dyn ObjectStore, scope: &str) {
    let key = format!("{scope}/if-match/object");
    let first = store.put(&key, "first".into(), PutMode::Overwrite).await.expect("put");
    let second = store.put(&key, "second".into(), PutMode::IfMatch(first.clone())).await.expect("unchanged");
    let late = store.put(&key, "third".into(), PutMode::IfMatch(first.clone())).await.expect_err("changed");
    assert_eq!(late.kind(), ErrorKind::Precondition, "{late}");
    assert_eq!(store.head(&key).await.expect("head").etag, second);
    let read = store.head(&key).await.expect("head").etag;
    store.put(&key, "third".into(), PutMode::IfMatch(read)).await.expect("the ETag of a head is good for a put");

    // Real S3 says 404 here, some servers 412.
    let nothing = format!("{scope}/if-match/missing");
    let error = store.put(&nothing, "x".into(), PutMode::IfMatch(first)).await.expect_err("nothing there");
    assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Precondition), "{error}");
    assert_eq!(store.head(&nothing).await.expect_err("still missing").kind(), ErrorKind::NotFound);
}

/// A get with an ETag reads that content or none.
pub async fn a_get_may_insist_on_an_etag(store: &dyn ObjectStore, scope: &str) {
    let key = format!("{scope}/get-if/object");
    let first = store.put(&key, "first".into(), PutMode::Overwrite).await.expect("put");
    assert_eq!(store.get_if(&key, Some(&first)).await.expect("the same").meta.etag, first);
    store.put(&key, "second".into(), PutMode::Overwrite).await.expect("put");
    let error = store.get_if(&key, Some(&first)).await.expect_err("changed");
    assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
}

/// A payload may be a file, and a body may be read by blocking code a piece at a time.
pub async fn large_objects_come_from_files_and_stream(store: &dyn ObjectStore, scope: &str) {
    let key = format!("{scope}/large/object");
    let bytes: Vec<u8> = (0..6_000_017_u32).map(|i| (i % 251) as u8).collect();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&bytes).expect("written");
    let payload = Payload::File(file.path().to_owned());
    let etag = store.put(&key, payload.clone(), PutMode::IfAbsent).await.expect("put");
    store.put(&key, payload, PutMode::IfMatch(etag)).await.expect("a payload may be put again");
    let object = store.get(&key).await.expect("get");
    assert_eq!(object.meta.size, bytes.len() as u64);
    let read = read_blocking(object.body).await;
    assert!(read == bytes, "the bytes that were put");
}

async fn read_blocking(body: Body) -> Vec<u8> {
    let mut reader = body.into_reader(&Handle::current());
    let read = blocking(move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).expect("read to the end");
        Ok(bytes)
    });
    read.await.expect("blocking code runs")
}

/// A list has every key with the prefix, sorted by the keys' bytes; a prefix need not end at a slash.
pub async fn lists_are_sorted_and_cut_by_prefix(store: &dyn ObjectStore, scope: &str) {
    let sorted = ["A", "a!", "a/b", "a/b.c", "a/c/d", "a/c0", "a0", "ab/c", "é", "日"];
    let mut shuffled = sorted;
    shuffled.reverse();
    for key in shuffled {
        store.put(&format!("{scope}/list/{key}"), key.into(), PutMode::Overwrite).await.expect("put");
    }
    for (prefix, expected) in [
        ("", &sorted[..]),
        ("a", &sorted[1..8]),
        ("a/", &sorted[2..6]),
        ("a/c", &sorted[4..6]),
        ("a/c/", &sorted[4..5]),
        ("a/c/d", &sorted[4..5]),
        ("a/c/d/", &[]),
        ("x", &[]),
    ] {
        let beginning = format!("{scope}/list/");
        let listed = store.list(&format!("{beginning}{prefix}")).await.expect("list");
        let keys: Vec<&str> = listed.iter().filter_map(|line| line.key.strip_prefix(&beginning)).collect();
        assert_eq!(keys, expected, "below {prefix:?}");
    }
}

/// A list longer than one page of S3's (1,000 keys) is whole.
pub async fn long_lists_are_whole(store: &dyn ObjectStore, scope: &str) {
    let prefix = format!("{scope}/many/");
    let keys: Vec<String> = (0..1_003).map(|number| format!("{prefix}{number:04}")).collect();
    for key in &keys {
        store.put(key, "x".into(), PutMode::Overwrite).await.expect("put");
    }
    let listed: Vec<String> = store.list(&prefix).await.expect("list").into_iter().map(|line| line.key).collect();
    assert_eq!(listed, keys);
}

/// A key that no bucket takes is invalid and not tried again.
pub async fn impossible_keys_are_invalid(store: &dyn ObjectStore) {
    for key in ["", &"k".repeat(1025)] {
        let error = store.put(key, "x".into(), PutMode::Overwrite).await.expect_err("impossible");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(!error.retryable());
    }
}

/// Where a bucket keeps versions, each is read, listed and deleted by itself, also after the object was deleted.
pub async fn versions_are_kept_until_they_are_deleted(store: &dyn ObjectStore, scope: &str) {
    let (key, micros) = (format!("{scope}/versions/object"), 1_735_689_600_123_456);
    let mut versions = Vec::new();
    for (turn, text) in ["first", "second", "third"].into_iter().enumerate() {
        let stamp = micros + i64::try_from(turn).expect("few");
        store.put_stamped(&key, text.into(), PutMode::Overwrite, stamp).await.expect("put");
        let meta = store.head(&key).await.expect("head");
        assert_eq!(meta.last_modified_micros, stamp, "the time that it was stamped with");
        versions.push((meta.version.expect("a version"), text, stamp));
    }
    for (version, text, stamp) in &versions {
        let object = store.get_version(&key, Some(version), None).await.expect("get");
        assert_eq!((object.meta.last_modified_micros, object.meta.version.as_ref()), (*stamp, Some(version)));
        assert_eq!(object.body.bytes().await.expect("body"), *text);
    }
    let listed = store.list_versions(&key).await.expect("list");
    let latest: Vec<_> = listed.iter().filter(|it| it.is_latest).map(|it| it.meta.version.as_deref()).collect();
    assert_eq!((listed.len(), latest), (3, vec![Some(versions[2].0.as_str())]));
    assert!(listed.iter().all(|it| !it.is_deleted));
    store.delete_version(&key, Some(&versions[1].0)).await.expect("delete");
    assert_eq!(store.head(&key).await.expect("the latest is still there").version.as_ref(), Some(&versions[2].0));
    store.delete(&key).await.expect("delete");
    let listed = store.list_versions(&key).await.expect("list");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|it| it.is_deleted), "the object is gone, and its versions are there");
    for (version, ..) in &versions {
        store.delete_version(&key, Some(version)).await.expect("delete");
    }
    assert_eq!(store.list_versions(&key).await.expect("list"), []);
}

/// A stated time is the object's time, in get, head and list. Not for S3, whose times are its own.
pub async fn stated_times_are_kept(store: &dyn ObjectStore, scope: &str) {
    let key = format!("{scope}/stamped/object");
    for (micros, mode) in [(1_735_689_600_123_456, PutMode::IfAbsent), (1_000_000, PutMode::Overwrite)] {
        let etag = store.put_stamped(&key, "x".into(), mode, micros).await.expect("put");
        let meta = store.head(&key).await.expect("head");
        assert_eq!(meta.last_modified_micros, micros);
        assert_eq!(store.get(&key).await.expect("get").meta, meta);
        assert_eq!(store.list(&key).await.expect("list")[0].last_modified_micros, micros);
        let next = micros + 7;
        store.put_stamped(&key, "y".into(), PutMode::IfMatch(etag), next).await.expect("put");
        assert_eq!(store.head(&key).await.expect("head").last_modified_micros, next);
    }
}
