use super::*;
use crate::{ErrorKind, PutMode};

fn store() -> (tempfile::TempDir, DiskStore) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = DiskStore::open("lake", folder.path()).expect("opened");
    (folder, store)
}

async fn put(store: &DiskStore, key: &str) -> Result<ETag> {
    store.put(key, key.to_owned().into(), PutMode::Overwrite).await
}

#[tokio::test]
async fn keys_are_paths_as_they_are_written() {
    let (folder, store) = store();
    let key = "bronze/encounter/hospital_name=Größe %2F + Söhne/a b.parquet";
    put(&store, key).await.expect("written");
    assert_eq!(fs::read_to_string(folder.path().join(key)).expect("there"), key);
}

#[tokio::test]
async fn keys_that_would_leave_the_folder_or_be_hidden_are_refused() {
    let (_folder, store) = store();
    for key in ["", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/./b", ".store/locks/00", "a/.hidden", "a\0b"] {
        let error = put(&store, key).await.expect_err(key);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert_eq!(store.get(key).await.expect_err(key).kind(), ErrorKind::Invalid);
    }
    assert_eq!(store.list("../").await.expect_err("outside").kind(), ErrorKind::Invalid);
    let long = put(&store, &"n".repeat(300)).await.expect_err("too long a name");
    assert_eq!(long.kind(), ErrorKind::Invalid, "{long}");
}

#[tokio::test]
async fn what_the_folder_keeps_for_itself_is_never_listed() {
    let (folder, store) = store();
    put(&store, "a/b").await.expect("written");
    fs::write(folder.path().join("a/.tmp123"), "half").expect("written");
    fs::write(folder.path().join(".ledger.redb"), "").expect("written");
    let keys: Vec<String> = store.list("").await.expect("listed").into_iter().map(|line| line.key).collect();
    assert_eq!(keys, ["a/b"]);
    assert_eq!(fs::read_dir(folder.path().join(".store/writing")).expect("there").count(), 0);
}

#[tokio::test]
async fn a_folder_of_another_bucket_is_out_of_sight_and_reach() {
    let (folder, store) = store();
    let landing = DiskStore::open("landing", folder.path().join("landing")).expect("opened");
    put(&landing, "patient/a").await.expect("written");
    let lake = store.hiding("landing");
    put(&lake, "gold/landing").await.expect("written");
    assert_eq!(lake.list("").await.expect("listed").len(), 1);
    assert_eq!(lake.list("landing/").await.expect("listed").len(), 0);
    assert_eq!(put(&lake, "landing/x").await.expect_err("refused").kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_file_or_folder_in_the_way_is_named() {
    let (folder, store) = store();
    put(&store, "a").await.expect("written");
    put(&store, "b/c").await.expect("written");
    let below_a_file = put(&store, "a/b").await.expect_err("a is a file");
    assert_eq!(below_a_file.kind(), ErrorKind::Invalid);
    assert!(below_a_file.to_string().contains(&folder.path().join("a").display().to_string()), "{below_a_file}");
    for mode in [PutMode::Overwrite, PutMode::IfAbsent] {
        let error = store.put("b", "x".into(), mode).await.expect_err("b is a folder");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    for key in ["a/b", "b"] {
        assert_eq!(store.get(key).await.expect_err("no object").kind(), ErrorKind::NotFound);
    }
    assert_eq!(store.list("a/").await.expect("listed").len(), 0);
}

#[tokio::test]
async fn a_body_stays_what_it_was_when_a_new_version_takes_its_place() {
    let (_folder, store) = store();
    put(&store, "a").await.expect("written");
    let old = store.get("a").await.expect("read");
    store.put("a", "new".into(), PutMode::Overwrite).await.expect("written");
    assert_eq!(old.body.bytes().await.expect("read"), "a");
}

#[tokio::test]
async fn a_large_file_keeps_the_right_etag_through_rewrites_behind_the_stores_back() {
    let (folder, store) = store();
    let path = folder.path().join("big");
    let payload = folder.path().join(".payload");
    for fill in [b'a', b'b', b'b'] {
        let bytes = vec![fill; 3 * 1024 * 1024];
        fs::write(&payload, &bytes).expect("written");
        let etag = store.put("big", Payload::File(payload.clone()), PutMode::Overwrite).await.expect("put");
        assert_eq!(etag, ETag::of_bytes(&bytes));
        assert_eq!(store.head("big").await.expect("there").etag, etag);
    }
    let other = vec![b'c'; 3 * 1024 * 1024];
    fs::write(&path, &other).expect("written");
    assert_eq!(store.head("big").await.expect("there").etag, ETag::of_bytes(&other));
    let object = store.get("big").await.expect("read");
    assert_eq!(object.meta.etag, ETag::of_bytes(&other));
    assert_eq!(object.body.bytes().await.expect("read").len(), other.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn etags_of_large_files_stay_right_when_writers_race() {
    let (_folder, store) = store();
    for _ in 0..20 {
        let mut tasks = tokio::task::JoinSet::new();
        for fill in 0..4_u8 {
            let store = store.clone();
            tasks.spawn(async move {
                store.put("big", vec![fill; 1 << 20].into(), PutMode::Overwrite).await.expect("written");
            });
        }
        tasks.join_all().await;
        let object = store.get("big").await.expect("read");
        assert_eq!(object.meta.etag, ETag::of_bytes(&object.body.bytes().await.expect("read")));
    }
}

#[test]
fn a_folder_that_is_not_there_is_made_only_when_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("a/b");
    let missing = DiskStore::open_existing("lake", &root).expect_err("missing");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().contains("a/b"), "{missing}");
    DiskStore::open("lake", &root).expect("made");
    DiskStore::open_existing("lake", &root).expect("there");
    fs::write(folder.path().join("file"), "").expect("written");
    let file = DiskStore::open("lake", folder.path().join("file")).expect_err("a file");
    assert_eq!(file.kind(), ErrorKind::Invalid, "{file}");
}

#[cfg(unix)]
#[tokio::test]
async fn files_have_the_permissions_of_the_umask() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, store) = store();
    put(&store, "a").await.expect("written");
    fs::write(folder.path().join("plain"), "").expect("written");
    let mode = |name: &str| fs::metadata(folder.path().join(name)).expect("there").permissions().mode();
    assert_eq!(mode("a"), mode("plain"));
}

#[cfg(unix)]
#[tokio::test]
async fn links_below_the_folder_are_refused_and_nothing_outside_is_read_or_changed() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inside, outside) = (folder.path().join("lake"), folder.path().join("outside"));
    std::fs::create_dir_all(inside.join("landing")).expect("made");
    std::fs::create_dir_all(&outside).expect("made");
    std::fs::write(outside.join("secret"), "kept").expect("written");
    symlink(&outside, inside.join("gold")).expect("linked");
    symlink(outside.join("secret"), inside.join("landing/file")).expect("linked");
    let store = DiskStore::open("lake", &inside).expect("opened");
    let refused = [
        store.get("gold/secret").await.map(drop),
        store.get("landing/file").await.map(drop),
        store.head("gold/secret").await.map(drop),
        store.put("gold/secret", "changed".into(), PutMode::Overwrite).await.map(drop),
        store.put("gold/new", "new".into(), PutMode::IfAbsent).await.map(drop),
        store.delete("gold/secret").await,
        store.list("").await.map(drop),
        store.list("gold/").await.map(drop),
        store.list("landing/f").await.map(drop),
    ];
    for (at, result) in refused.into_iter().enumerate() {
        let error = result.expect_err("a link");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{at}");
        assert!(error.to_string().contains("symbolic link"), "{at}: {error}");
    }
    assert_eq!(store.list("silver/").await.expect("no link there"), []);
    let names: Vec<_> =
        std::fs::read_dir(&outside).expect("there").map(|entry| entry.expect("one").file_name()).collect();
    assert_eq!(names, ["secret"]);
    assert_eq!(std::fs::read_to_string(outside.join("secret")).expect("there"), "kept");
    // The folder itself may be a link: whoever names it means what it leads to.
    symlink(&outside, folder.path().join("named")).expect("linked");
    let named = DiskStore::open("lake", folder.path().join("named")).expect("opened");
    assert_eq!(named.list("").await.expect("listed").len(), 1);
}

#[tokio::test]
async fn forced_and_repeatable_writes_are_read_alike() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = DiskStore::open("lake", folder.path()).expect("opened").hiding("landing").forcing_writes();
    assert!(store.folder.forces_writes && store.folder.hidden == ["landing"]);
    for is_repeatable in [false, true] {
        let options = PutOptions { is_repeatable, ..PutOptions::default() };
        store.put_with("bronze/a", "one".into(), options).await.expect("written");
        assert_eq!(store.get("bronze/a").await.expect("there").body.bytes().await.expect("read"), "one");
    }
    super::force::everything(folder.path()).expect("forced");
}
