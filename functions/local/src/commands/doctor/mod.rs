//! `metriccare doctor`: the bronze stage without a lake, which shows how files would be handled.

pub(crate) mod links;

use std::{
    fs::File,
    io::{self, Read},
};

use metriccare_lake::{
    bronze::{Counts, Limits, Sinks, Source, flatten},
    cells,
    schema::BRONZE_QUARANTINE,
};
use metriccare_ports::{Clock as _, SystemClock};
use serde::Serialize;

use self::links::Links;

use crate::{
    arguments::Doctor,
    commands::ingest::{files, landed_time, modified_micros},
    lake::walk,
    output::{Output, count, counted, failure::Failure},
};

/// How a file would be handled.
#[derive(Debug, Serialize)]
struct Diagnosis {
    path: String,
    counts: Counts,
    /// The first records that would be quarantined.
    quarantine: Vec<QuarantinedRecord>,
}

/// A record that would be quarantined, without its content, which may be personal.
#[derive(Debug, Serialize)]
struct QuarantinedRecord {
    line: String,
    resource_type: String,
    rule: String,
    reason: String,
}

/// Quarantined records that are shown of each file.
const SHOWN: usize = 20;

pub(crate) fn doctor(arguments: &Doctor, output: &mut Output) -> Result<(), Failure> {
    let mut all = Counts::default();
    let mut diagnoses = Vec::new();
    let mut links = Links::default();
    for file in files(&arguments.paths)?.files {
        let diagnosis = diagnose(&file, arguments, &mut links)?;
        all.add(&diagnosis.counts);
        if !arguments.answer.json {
            print(&diagnosis, output)?;
        }
        diagnoses.push(diagnosis);
    }
    let links = links.report();
    if arguments.answer.json {
        output.json(&serde_json::json!({ "files": diagnoses, "total": all, "links": links }))?;
    } else {
        output.line(format!(
            "{}: {} would be accepted, {} quarantined, {} skipped",
            counted(all.records, "record"),
            count(all.accepted()),
            count(all.quarantined()),
            count(all.skipped())
        ))?;
        for line in links.lines() {
            output.line(line)?;
        }
    }
    output.flush()?;
    if arguments.answer.strict && all.quarantined() > 0 {
        return Err(Failure::failed(format!("{} would be quarantined", counted(all.quarantined(), "record"))));
    }
    Ok(())
}

/// Bronze files in memory.
struct MemorySinks;

impl Sinks for MemorySinks {
    type File = Vec<u8>;

    fn create(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

fn diagnose(file: &walk::File, arguments: &Doctor, links: &mut Links) -> Result<Diagnosis, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", file.path.display()));
    let modified = File::open(&file.path).and_then(|file| modified_micros(&file)).map_err(|error| failed(&error))?;
    let landed_micros = landed_time(modified, SystemClock.now_micros());
    let source = Source { key: file.name.clone(), object_id: String::new(), etag: String::new(), landed_micros };
    let open = || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(File::open(&file.path)?)) };
    let flat = flatten(&source, open, &mut MemorySinks, arguments.work.threads(), Limits::default())
        .map_err(|error| failed(&error))?;
    let mut quarantine = Vec::new();
    for (file, bytes) in flat.files {
        let bytes = bytes.into();
        links.add(file.table, &bytes)?;
        if file.table != BRONZE_QUARANTINE.path {
            continue;
        }
        for row in cells::read_rows(&BRONZE_QUARANTINE, &bytes).map_err(|error| failed(&error))?.iter().take(SHOWN) {
            let text = |at: usize| row.get(at).map(ToString::to_string).unwrap_or_default();
            quarantine.push(QuarantinedRecord {
                line: text(1),
                resource_type: text(2),
                rule: text(3),
                reason: text(4),
            });
        }
    }
    Ok(Diagnosis { path: file.path.display().to_string(), counts: flat.counts, quarantine })
}

fn print(diagnosis: &Diagnosis, output: &mut Output) -> Result<(), Failure> {
    let counts = &diagnosis.counts;
    output.line(format!(
        "{}: {}, {}, {}; {} quarantined, {} skipped",
        diagnosis.path,
        counted(counts.patients, "patient"),
        counted(counts.encounters, "encounter"),
        counted(counts.conditions, "condition"),
        count(counts.quarantined()),
        count(counts.skipped())
    ))?;
    for record in &diagnosis.quarantine {
        let space = if record.resource_type.is_empty() { "" } else { " " };
        let (line, rule, reason) = (&record.line, &record.rule, &record.reason);
        output.line(format!("  line {line}{space}{}: {rule}: {reason}", record.resource_type))?;
    }
    let more = counts.quarantined().saturating_sub(diagnosis.quarantine.len() as u64);
    if more > 0 {
        output.line(format!("  and {} more", count(more)))?;
    }
    Ok(())
}
