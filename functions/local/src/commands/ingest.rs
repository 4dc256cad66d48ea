//! `metriccare ingest`: foreign FHIR files are landed as they are, with their own times, and carried through.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use metriccare_fhir::write::Instant;
use metriccare_flow::{Worker, drive};
use metriccare_lake::keys;
use metriccare_ports::{ErrorKind, Payload, PutMode};

use crate::{
    arguments::Ingest,
    lake::{
        self,
        walk::{self, Entry, walk},
    },
    output::{
        Output, count,
        failure::Failure,
        progress::{Bars, note},
        summary::Summary,
    },
};

pub(crate) async fn ingest(arguments: &Ingest, output: &mut Output) -> Result<(), Failure> {
    let files = files(&arguments.paths)?;
    let worker = lake::open(&arguments.lake, arguments.work.threads()).await?;
    for path in &arguments.paths {
        bring_reference(&worker, path).await?;
    }
    let bars = Bars::new(arguments.answer.json);
    bars.start("landing", files.len());
    for file in &files {
        land(&worker, file).await?;
        bars.step(1);
    }
    let driven = drive(&worker, &bars).await?;
    bars.finish();
    let summary = Summary::of(&worker, &driven).await?;
    if arguments.answer.json {
        output.json(&summary)?;
    } else {
        if arguments.paths.is_empty() {
            let number = summary.objects().len() as u64;
            output.line(format!(
                "{} object{} of the landing place carried through",
                count(number),
                if number == 1 { "" } else { "s" }
            ))?;
        } else {
            let number = count(files.len() as u64);
            output.line(format!("{number} file{} ingested", if files.len() == 1 { "" } else { "s" }))?;
        }
        output.line("")?;
        print_log(&summary, output)?;
        summary.print(output)?;
    }
    output.flush()?;
    summary.judge(arguments.answer.strict)
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
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(listed.iter().take(LISTED).map(|object| object.row()));
    output.table(&rows)?;
    let rest = objects.len() - listed.len().min(LISTED);
    if rest > 0 {
        output.line(format!("  and {} more, in bronze/ingest_log", count(rest as u64)))?;
    }
    output.line("")
}

/// The folder of generated data that is no FHIR: staffed beds and answer keys.
const REFERENCE: &str = "reference";

/// Every file below the paths, in the order of their names; hidden files, markers, lakes, and the reference folder of
/// generated data are passed over. Nothing is taken where something cannot be read: nobody would know what was left out.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<walk::File>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let unusable = |error: io::Error| Failure::usage(format!("{}: {error}", path.display()));
        if fs::metadata(path).map_err(unusable)?.is_dir() {
            let below = readable(path, &mut |entry| {
                let reference = entry.at_top && entry.name == REFERENCE && has_reference(path);
                !keys::is_data(entry.name) || reference || entry.path.join(lake::SETTINGS).is_file()
            })?;
            if below.is_empty() {
                return Err(Failure::usage(format!("{}: there is no file in this folder", path.display())));
            }
            files.extend(below);
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !keys::is_data(&name) {
            let words =
                "a name that begins with . or _ marks a file that is no data, and bronze passes it over; rename it";
            return Err(Failure::usage(format!("{}: {words}", path.display())));
        }
        files.push(walk::File { path: path.clone(), name });
    }
    Ok(files)
}

/// The files below a folder, where all of them can be read; says what was passed over that could have been meant.
fn readable(folder: &Path, pass_over: &mut dyn FnMut(&Entry<'_>) -> bool) -> Result<Vec<walk::File>, Failure> {
    let found = walk(folder, pass_over).map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    for words in &found.passed_over {
        note(&format!("passed over: {words}"));
    }
    if found.failures.is_empty() {
        return Ok(found.files);
    }
    let words = "nothing is taken from this folder, for some of it cannot be read; mend it or take it away";
    Err(Failure::usage(format!("{}: {words}:\n  {}", folder.display(), found.failures.join("\n  "))))
}

pub(crate) fn has_reference(folder: &Path) -> bool {
    folder.join(keys::HOSPITALS).is_file() || folder.join(keys::ANSWERS).is_dir()
}

/// Takes what `generate` left beside its FHIR into the lake, so that `verify` can hold the answer key against gold.
async fn bring_reference(worker: &Worker, folder: &Path) -> Result<(), Failure> {
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
        for file in readable(&answers, &mut |entry| !keys::is_data(entry.name))? {
            let bytes = fs::read(&file.path).map_err(|error| unreadable(&file.path, error))?;
            lake.put(&format!("{}{}", keys::ANSWERS, file.name), bytes.into(), PutMode::Overwrite).await?;
        }
    }
    Ok(())
}

/// Lands a file under a key of its own: the same file lands where it lay before, another one never takes its place.
async fn land(worker: &Worker, file: &walk::File) -> Result<(), Failure> {
    let unreadable = |error: io::Error| Failure::failed(format!("{}: {error}", file.path.display()));
    let (path, kind) = (file.path.clone(), kind_of(&file.name));
    let (digest, micros) = tokio::task::spawn_blocking(move || digest_and_time(&path))
        .await
        .map_err(|error| Failure::failed(error.to_string()))?
        .map_err(unreadable)?;
    let date = Instant(micros).date().to_string().replace('-', "/");
    let landing = &worker.ports.landing;
    let plain = if has_place(&file.name) { file.name.clone() } else { format!("{kind}/{date}/{}", file.name) };
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

/// Whether a name is a landing key as it is: `<resource>/YYYY/MM/DD/<name>`.
fn has_place(name: &str) -> bool {
    let parts: Vec<_> = name.split('/').collect();
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts.as_slice(), [_, year, month, day, _, ..] if digits(year, 4) && digits(month, 2) && digits(day, 2))
}

/// The folder of the landing bucket that a file belongs to, by its name: `Encounter.000.ndjson` is `encounter`.
fn kind_of(name: &str) -> &'static str {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let kinds = ["patient", "encounter", "condition", "organization", "location", "practitioner", "bundle"];
    kinds.into_iter().find(|kind| name.starts_with(kind)).unwrap_or("other")
}

fn digest_and_time(path: &Path) -> io::Result<(String, i64)> {
    let file = File::open(path)?;
    let modified = file.metadata()?.modified()?;
    let micros = match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
    };
    Ok((hash(file)?, micros))
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
    fn a_file_lands_by_its_name() {
        assert_eq!(kind_of("R4/Encounter.000.ndjson"), "encounter");
        assert_eq!(kind_of("patient_1.json"), "patient");
        assert_eq!(kind_of("log.ndjson"), "other");
        assert!(has_place("patient/2025/12/31/patient-1.ndjson"));
        assert!(!has_place("patient/2025/12/31") && !has_place("export/patient/a.ndjson"));
    }
}
