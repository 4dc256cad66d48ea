//! A ledger in one file, an embedded database (redb) that one process at a time may hold.
//!
//! Most commits are not forced to the disk: they are there for every reader at once, and reach the file with the
//! first of 256 commits and when the ledger is dropped. A killed process therefore forgets the end of its ledger, never its
//! beginning, and the file is always whole. That is safe because the landed objects are the truth: a work that the
//! ledger forgot is done again, finds its outputs written under the same keys, and ends as before.
//!
//! Before the ledger is forced, everything in the lake's file system is: what it has as done after a power cut is on the disk.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use redb::{Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::{Begin, Claim, Ledger, Record, State, WorkId};
use crate::{
    Error, ErrorKind, Result,
    store::{blocking, force},
};

type Definition = TableDefinition<'static, &'static str, &'static str>;

/// Works, by id: the record as JSON.
const WORKS: Definition = TableDefinition::new("works");

/// Contents, by id: the object that first brought them.
const HOLDERS: Definition = TableDefinition::new("first_holders");

/// Of so many commits, the first is forced to the disk with all before it.
const FORCED_EVERY: u32 = 256;

/// A ledger in one file.
#[derive(Debug, Clone)]
pub struct DiskLedger {
    book: Arc<Book>,
}

#[derive(Debug)]
struct Book {
    path: PathBuf,
    /// The folder of the lake, whose file system is forced before the ledger is.
    folder: PathBuf,
    database: Database,
    commits: AtomicU32,
}

impl DiskLedger {
    /// Opens the ledger of a lake, or makes it. Fails with [`ErrorKind::Held`] while another process has it open.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| broken("open", path)(error.into()))?;
        }
        let database = Database::create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => {
                let reason = "another process holds this lake's ledger: wait until it has ended, or end it";
                Error::new(ErrorKind::Held, "open", path.display(), reason)
            }
            error => broken("open", path)(error.into()),
        })?;
        let own = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let book = Book { path: path.to_owned(), folder: own.to_owned(), database, commits: AtomicU32::new(0) };
        book.sync()?;
        Ok(Self { book: Arc::new(book) })
    }

    /// Forces everything that was written to the disk.
    pub async fn sync(&self) -> Result<()> {
        self.blocking(Book::sync).await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Book) -> Result<T> + Send + 'static) -> Result<T> {
        let book = Arc::clone(&self.book);
        blocking(move || work(&book)).await
    }
}

impl Book {
    /// Reads one entry, decides, and writes the decision, all in one step. A decision to write nothing costs a read
    /// only; one to write is made again under the database's write lock.
    fn step<T>(
        &self,
        operation: &'static str,
        table: Definition,
        key: &str,
        decide: impl Fn(Option<&str>) -> Result<(T, Option<String>)>,
    ) -> Result<T> {
        let reading = self.database.begin_read().map_err(|error| self.broken(operation)(error.into()))?;
        let entries = reading.open_table(table).map_err(|error| self.broken(operation)(error.into()))?;
        let current = entries.get(key).map_err(|error| self.broken(operation)(error.into()))?;
        let (answer, written) = decide(current.as_ref().map(|entry| entry.value()))?;
        if written.is_none() {
            return Ok(answer);
        }
        drop((current, entries, reading));

        // The first one too: what landed before any work was begun is on the disk before the work is.
        let forced = self.commits.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORCED_EVERY);
        let writing = self.begin_write(operation, forced)?;
        let answer = {
            let mut entries = writing.open_table(table).map_err(|error| self.broken(operation)(error.into()))?;
            let current = entries.get(key).map_err(|error| self.broken(operation)(error.into()))?;
            let (answer, written) = decide(current.as_ref().map(|entry| entry.value()))?;
            drop(current);
            if let Some(written) = written {
                entries.insert(key, written.as_str()).map_err(|error| self.broken(operation)(error.into()))?;
            }
            answer
        };
        writing.commit().map_err(|error| self.broken(operation)(error.into()))?;
        Ok(answer)
    }

    fn sync(&self) -> Result<()> {
        let writing = self.begin_write("sync", true)?;
        for table in [WORKS, HOLDERS] {
            writing.open_table(table).map_err(|error| self.broken("sync")(error.into()))?;
        }
        writing.commit().map_err(|error| self.broken("sync")(error.into()))
    }

    fn begin_write(&self, operation: &'static str, forced: bool) -> Result<WriteTransaction> {
        let mut writing = self.database.begin_write().map_err(|error| self.broken(operation)(error.into()))?;
        let durability = if forced { Durability::Immediate } else { Durability::None };
        writing.set_durability(durability).map_err(|error| self.broken(operation)(error.into()))?;
        if forced {
            // No commit comes between: what is committed by now is forced together with what it says is done.
            force::everything(&self.folder).map_err(|error| self.broken(operation)(error.into()))?;
        }
        Ok(writing)
    }

    fn decode(&self, operation: &'static str, text: &str) -> Result<Record> {
        serde_json::from_str(text).map_err(|error| self.broken(operation)(redb::Error::Corrupted(error.to_string())))
    }

    fn encode(&self, operation: &'static str, record: &Record) -> Result<String> {
        serde_json::to_string(record).map_err(|error| self.broken(operation)(redb::Error::Corrupted(error.to_string())))
    }

    fn broken(&self, operation: &'static str) -> impl Fn(redb::Error) -> Error {
        broken(operation, &self.path)
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        // What is not forced to the disk now is only done again.
        let _ = self.sync();
    }
}

/// The database's error, by what to do about it.
fn broken(operation: &'static str, path: &Path) -> impl Fn(redb::Error) -> Error {
    move |error| {
        let (kind, reason) = match &error {
            redb::Error::Io(io) => match io.kind() {
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    (ErrorKind::Forbidden, format!("the ledger cannot be written: {io}"))
                }
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                    (ErrorKind::Full, "no space is left on the disk".to_owned())
                }
                _ => (ErrorKind::Unavailable, io.to_string()),
            },
            redb::Error::Corrupted(_) | redb::Error::UpgradeRequired(_) | redb::Error::RepairAborted => {
                let reason = format!("the ledger is unreadable ({error}); remove the file: it is made anew");
                (ErrorKind::Invalid, reason)
            }
            _ => (ErrorKind::Unavailable, error.to_string()),
        };
        Error::new(kind, operation, path.display(), reason).with_source(error)
    }
}

#[async_trait]
impl Ledger for DiskLedger {
    async fn begin(&self, work: &WorkId, owner: &str, now_millis: i64, lease_until_millis: i64) -> Result<Begin> {
        let (work, owner) = (work.clone(), owner.to_owned());
        self.blocking(move |book| {
            book.step("begin", WORKS, work.as_str(), |current| {
                let current = current.map(|text| book.decode("begin", text)).transpose()?;
                let (answer, record) = Record::begin(current.as_ref(), &work, &owner, now_millis, lease_until_millis)?;
                Ok((answer, record.map(|record| book.encode("begin", &record)).transpose()?))
            })
        })
        .await
    }

    async fn end(&self, claim: &Claim, state: State) -> Result<()> {
        let (operation, claim) = (state.operation(), claim.clone());
        self.blocking(move |book| {
            book.step(operation, WORKS, claim.work.as_str(), |current| {
                let current = current.map(|text| book.decode(operation, text)).transpose()?;
                let record = Record::end(current.as_ref(), &claim, state.clone())?;
                Ok(((), record.map(|record| book.encode(operation, &record)).transpose()?))
            })
        })
        .await
    }

    async fn first_holder(&self, content_id: &str, object_id: &str) -> Result<String> {
        let (content_id, object_id) = (content_id.to_owned(), object_id.to_owned());
        self.blocking(move |book| {
            book.step("first_holder", HOLDERS, &content_id, |current| match current {
                Some(first) => Ok((first.to_owned(), None)),
                None => Ok((object_id.clone(), Some(object_id.clone()))),
            })
        })
        .await
    }

    async fn look(&self, work: &WorkId) -> Result<Option<Record>> {
        let work = work.clone();
        self.blocking(move |book| {
            book.step("look", WORKS, work.as_str(), |current| {
                Ok((current.map(|text| book.decode("look", text)).transpose()?, None))
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Receipt;

    fn work(number: u32) -> WorkId {
        WorkId::new("bronze", "landing", &format!("patient/{number}.json"), "etag", 0)
    }

    #[tokio::test]
    async fn a_second_holder_is_refused_with_a_clear_word_and_the_next_finds_everything() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("lake/.ledger.redb");
        let ledger = DiskLedger::open(&path).expect("opened");
        let receipt = Receipt { output: "o".into(), digest: "d".into(), rows: 3 };
        for number in 0..10 {
            let Begin::Claimed(claim) = ledger.begin(&work(number), "me", 0, 1).await.expect("begun") else {
                panic!("a new work")
            };
            ledger.complete(&claim, &receipt).await.expect("completed");
        }
        let held = DiskLedger::open(&path).expect_err("held");
        assert_eq!(held.kind(), ErrorKind::Held);
        assert!(held.to_string().contains("another process holds this lake's ledger"), "{held}");
        drop(ledger);

        let ledger = DiskLedger::open(&path).expect("opened again");
        for number in 0..10 {
            assert_eq!(ledger.begin(&work(number), "me", 5, 6).await.expect("begun"), Begin::Done(receipt.clone()));
        }
    }

    #[tokio::test]
    async fn a_file_that_is_no_ledger_is_named_and_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(".ledger.redb");
        std::fs::write(&path, "a note that somebody keeps here").expect("written");
        let error = DiskLedger::open(&path).expect_err("no ledger");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "a note that somebody keeps here");
    }

    #[tokio::test]
    async fn thousands_of_works_share_few_forced_commits() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger = DiskLedger::open(&folder.path().join(".ledger.redb")).expect("opened");
        for number in 0..600 {
            ledger.begin(&work(number), "me", 0, 1).await.expect("begun");
        }
        assert_eq!(ledger.book.commits.load(Ordering::Relaxed), 600);
        ledger.sync().await.expect("forced");
    }
}
