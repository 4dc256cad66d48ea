//! `metriccare ingest`: lands a person's own FHIR files unchanged, with their modification times, and processes them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path, PathBuf},
    time::UNIX_EPOCH,
};

use metriccare_fhir::write::Instant;
use metriccare_flow::{Driven, FileRows, Worker, drive};
use metriccare_lake::{bronze::BronzeCommit, keys, schema::BRONZE_ENCOUNTER, silver::DEFAULT_BUCKETS};
use metriccare_ports::{ErrorKind, Payload, PutMode};

use crate::{
    arguments::Ingest,
    commands::doctor::links::Links,
    lake::{
        self,
        landing_key::{SourceName, landing_key, source_of, with_folder},
        walk::{self, Entry, walk},
    },
    output::{
        Output, count, counted,
        failure::Failure,
        progress::{Bars, note},
        summary::Summary,
    },
};

pub(crate) async fn ingest(arguments: &Ingest, output: &mut Output) -> Result<(), Failure> {
    let Files { files, passed_over } = files(&arguments.paths)?;
    let worker = lake::open(&arguments.lake, arguments.work.threads(), DEFAULT_BUCKETS).await?;
    for path in &arguments.paths {
        copy_reference(&worker, path).await?;
    }
    let bars = Bars::new(arguments.answer.json);
    bars.start("landing", files.len());
    for file in &files {
        land(&worker, file, arguments.source.as_ref()).await?;
        bars.step(1);
    }
    let driven = drive(&worker, &bars).await?;
    bars.finish();
    for key in &driven.withdrawn {
        note(&format!("warning: {key} stays out: this object was withdrawn, see bronze/withdrawal"));
    }
    for words in same_bytes(driven.landed.iter().chain(&driven.already)) {
        note(&format!("warning: {words}"));
    }
    if let Some(words) = two_servers(&worker, &driven).await? {
        note(&format!("warning: {words}"));
    }
    let mut summary = Summary::of(&worker, &driven).await?;
    summary.passed_over = passed_over;
    if arguments.answer.json {
        output.json(&summary)?;
    } else {
        if arguments.paths.is_empty() {
            let objects = counted(summary.objects().len() as u64, "landed object");
            output.line(format!("{objects} processed"))?;
        } else {
            let passed_over = match summary.passed_over.len() {
                0 => String::new(),
                number => format!(", {} passed over", count(number as u64)),
            };
            output.line(format!("{} ingested{passed_over}", counted(files.len() as u64, "file")))?;
        }
        output.line("")?;
        print_log(&summary, output)?;
        summary.print(output)?;
    }
    output.flush()?;
    summary.exit_status(arguments.answer.strict)
}

/// More objects than this are not listed one by one, but for those with quarantined records.
const LISTED: usize = 40;

fn print_log(summary: &Summary, output: &mut Output) -> Result<(), Failure> {
    let objects = summary.objects();
    let listed: Vec<_> = objects.iter().filter(|object| objects.len() <= LISTED || object.quarantined > 0).collect();
    if listed.is_empty() {
        return Ok(());
    }
    let head = ["landed object", "records", "patients", "encounters", "conditions", "quarantined", "skipped"];
    let with_tables = objects.iter().any(|object| object.table_rows > 0);
    let head = head.into_iter().chain(with_tables.then_some("rows of tables"));
    let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).collect()];
    rows.extend(listed.iter().take(LISTED).map(|object| object.row(with_tables)));
    output.table(&rows)?;
    let rest = objects.len() - listed.len().min(LISTED);
    if rest > 0 {
        output.line(format!("  and {} more, in bronze/ingest_log", count(rest as u64)))?;
    }
    output.line("")
}

/// The folder of generated data that is no FHIR: staffed beds and answer keys.
const REFERENCE: &str = "reference";

/// The files of the paths of a command.
pub(crate) struct Files {
    pub(crate) files: Vec<walk::File>,
    /// Files and folders that are not read, each with the reason.
    pub(crate) passed_over: Vec<String>,
}

/// Every file of the paths, sorted by name. Files and folders whose names mark them as no data, links to folders, and lakes
/// are passed over and named on standard error; the reference folder of generated data is read apart.
///
/// # Errors
/// Something cannot be read: nothing is taken then, because it would not be clear what is missing.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Files, Failure> {
    let mut found = Files { files: Vec::new(), passed_over: Vec::new() };
    for path in paths {
        let unusable = |error: io::Error| Failure::usage(format!("{}: {error}", path.display()));
        if fs::metadata(path).map_err(unusable)?.is_dir() {
            let mut passed_over = Vec::new();
            let below = readable(path, &mut passed_over, &mut |entry, passed_over| {
                let reason = if !keys::is_data(entry.name) {
                    NO_DATA
                } else if entry.path.join(lake::SETTINGS).is_file() {
                    "a lake"
                } else {
                    return entry.at_top && entry.name == REFERENCE && has_reference(path);
                };
                passed_over.push(format!("{}: {reason}", entry.path.display()));
                true
            })?;
            for words in &passed_over {
                note(&format!("passed over: {words}"));
            }
            if below.is_empty() {
                return Err(Failure::usage(format!("{}: there is no file in this folder", path.display())));
            }
            let folder = absolute(path)?;
            found.files.extend(
                below
                    .into_iter()
                    .map(|walk::File { path, name }| walk::File { path, name: with_folder(&folder, &name) }),
            );
            found.passed_over.extend(passed_over);
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !keys::is_data(&name) {
            return Err(Failure::usage(format!("{}: {NO_DATA}; rename it", path.display())));
        }
        let name = with_folder(absolute(path)?.parent().unwrap_or(Path::new("")), &name);
        found.files.push(walk::File { path: path.clone(), name });
    }
    Ok(found)
}

/// A path from the root, with the names that it was given: the target of a link may have another name.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let unusable = |error: io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let path = std::path::absolute(path).map_err(unusable)?;
    if path.components().any(|part| part == Component::ParentDir) {
        path.canonicalize().map_err(unusable)
    } else {
        Ok(path)
    }
}

/// Why a file or folder with such a name is not read.
const NO_DATA: &str = "a name that begins with . or _ marks what is no data, and bronze passes it over";

/// Decides whether an entry is left out, and may say why.
type Exclude<'a> = dyn FnMut(&Entry<'_>, &mut Vec<String>) -> bool + 'a;

/// The files of a folder, if all of them can be read.
fn readable(
    folder: &Path,
    passed_over: &mut Vec<String>,
    exclude: &mut Exclude<'_>,
) -> Result<Vec<walk::File>, Failure> {
    let found = walk(folder, &mut |entry| exclude(entry, passed_over))
        .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    passed_over.extend(found.passed_over);
    if found.failures.is_empty() {
        return Ok(found.files);
    }
    let words = "nothing is taken from this folder, because some of it cannot be read; repair or remove it";
    Err(Failure::usage(format!("{}: {words}:\n  {}", folder.display(), found.failures.join("\n  "))))
}

/// Warnings about objects with the same bytes, once with a source and once without: their resources count twice.
fn same_bytes<'a>(commits: impl Iterator<Item = &'a BronzeCommit>) -> Vec<String> {
    let mut by_content: BTreeMap<&str, [Option<&str>; 2]> = BTreeMap::new();
    for commit in commits.filter(|commit| commit.counts.accepted() > 0) {
        let with_source = usize::from(source_of(&commit.sourcename).is_some());
        by_content.entry(&commit.content_id).or_default()[with_source].get_or_insert(&commit.sourcename);
    }
    let pairs = by_content.into_values().filter_map(|[without, with]| without.zip(with));
    let what = "have the same bytes: without --source and with it they are different resources, and count twice";
    pairs.map(|(without, with)| format!("{without} and {with} {what}")).collect()
}

/// Encounters of bronze that are compared at most.
const COMPARED: u64 = 200_000;

/// A warning about ids that seem to come from two servers: in what landed now, and in what had landed before it.
async fn two_servers(worker: &Worker, driven: &Driven) -> Result<Option<String>, Failure> {
    if driven.landed.is_empty() {
        return Ok(None);
    }
    let (mut links, mut rows) = (Links::default(), 0);
    for file in driven.landed.iter().chain(&driven.already).flat_map(|commit| &commit.files) {
        if file.table != BRONZE_ENCOUNTER.path {
            continue;
        }
        rows += file.rows;
        if rows > COMPARED {
            break;
        }
        if let Some(bytes) = FileRows::from(file).read_opt(&*worker.ports.lake).await? {
            links.add(&file.table, &bytes)?;
        }
    }
    Ok(links.report().two_servers())
}

pub(crate) fn has_reference(folder: &Path) -> bool {
    folder.join(keys::HOSPITALS).is_file() || folder.join(keys::ANSWERS).is_dir()
}

/// Takes what `generate` left beside its FHIR into the lake, so that `verify` can hold the answer key against gold.
async fn copy_reference(worker: &Worker, folder: &Path) -> Result<(), Failure> {
    let lake = &worker.ports.lake;
    let unreadable = |path: &Path, error: io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let beds = folder.join(keys::HOSPITALS);
    if beds.is_file() {
        let bytes = fs::read(&beds).map_err(|error| unreadable(&beds, error))?;
        match lake.put(keys::HOSPITALS, bytes.into(), PutMode::IfAbsent).await {
            Err(error) if error.kind() != ErrorKind::Precondition => return Err(error.into()),
            _ => {}
        }
    }
    let answers = folder.join(keys::ANSWERS);
    if answers.is_dir() {
        for file in readable(&answers, &mut Vec::new(), &mut |entry, _| !keys::is_data(entry.name))? {
            let bytes = fs::read(&file.path).map_err(|error| unreadable(&file.path, error))?;
            lake.put(&format!("{}{}", keys::ANSWERS, file.name), bytes.into(), PutMode::Overwrite).await?;
        }
    }
    Ok(())
}

/// Lands a file under a key of its own: the same file lands where it lay before, another one never takes its place.
async fn land(worker: &Worker, file: &walk::File, source: Option<&SourceName>) -> Result<(), Failure> {
    let unreadable = |error: io::Error| Failure::failed(format!("{}: {error}", file.path.display()));
    let path = file.path.clone();
    let (digest, micros) = tokio::task::spawn_blocking(move || digest_and_time(&path))
        .await
        .map_err(|error| Failure::failed(error.to_string()))?
        .map_err(unreadable)?;
    let micros = landed_time(micros, worker.ports.clock.now_micros());
    let date = Instant(micros).date().to_string().replace('-', "/");
    let landing = &worker.ports.landing;
    let plain = landing_key(source, &file.name, &date);
    let (stem, ending) = plain
        .split_at(plain.rfind('/').map_or(0, |slash| slash + plain[slash..].find('.').unwrap_or(plain.len() - slash)));
    for key in [plain.clone(), format!("{stem}-{}{ending}", &digest[..12])] {
        let payload = Payload::File(file.path.clone());
        match landing.put_stamped(&key, payload, PutMode::IfAbsent, micros).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Precondition => {}
            Err(error) => return Err(error.into()),
        }
        let there = landing.get(&key).await?.body;
        let runtime = tokio::runtime::Handle::current();
        let same = tokio::task::spawn_blocking(move || hash(there.into_reader(&runtime)));
        let same = same.await.map_err(|error| Failure::failed(error.to_string()))?.map_err(unreadable)?;
        if same == digest {
            return Ok(());
        }
    }
    Err(Failure::failed(format!("{}: another file lies at {plain} and at its digest's key", file.path.display())))
}

/// The time of landing: the file's own, or the present if that is before 2000 or in the future.
pub(super) fn landed_time(modified_micros: i64, now_micros: i64) -> i64 {
    const YEAR_2000: i64 = 946_684_800_000_000;
    if (YEAR_2000..=now_micros).contains(&modified_micros) { modified_micros } else { now_micros }
}

fn digest_and_time(path: &Path) -> io::Result<(String, i64)> {
    let file = File::open(path)?;
    let micros = modified_micros(&file)?;
    Ok((hash(file)?, micros))
}

/// When a file was last changed, in UTC microseconds.
pub(super) fn modified_micros(file: &File) -> io::Result<i64> {
    let modified = file.metadata()?.modified()?;
    Ok(match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
    })
}

fn hash(mut reader: impl Read) -> io::Result<String> {
    let mut hash = keys::Fingerprint::default();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hash.finish()),
            count => hash.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lands_at_its_own_time_unless_that_cannot_be() {
        let now = 1_780_000_000_000_000;
        assert_eq!(landed_time(1_700_000_000_000_000, now), 1_700_000_000_000_000);
        assert_eq!((landed_time(0, now), landed_time(now + 1, now)), (now, now));
    }

    #[test]
    fn the_same_bytes_with_and_without_a_source_are_named() {
        let commit = |sourcename: &str, content_id: &str| {
            let counts = metriccare_lake::bronze::Counts { patients: 1, ..Default::default() };
            BronzeCommit {
                object_id: String::new(),
                rules: 1,
                sourcename: sourcename.to_owned(),
                etag: String::new(),
                content_id: content_id.to_owned(),
                landed_micros: 0,
                counts,
                files: Vec::new(),
            }
        };
        let commits = [commit("patient/a", "1"), commit("source=x/patient/a", "1"), commit("source=y/patient/b", "2")];
        let words = same_bytes(commits.iter());
        assert!(
            words.len() == 1 && words[0].starts_with("patient/a and source=x/patient/a have the same bytes"),
            "{words:?}"
        );
        assert!(same_bytes(commits[1..].iter()).is_empty());
    }
}
