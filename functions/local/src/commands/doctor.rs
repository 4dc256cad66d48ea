//! `metriccare doctor`: the bronze stage without a lake, so that people see what would become of their files.

use std::{
    fs::File,
    io::{self, Read},
};

use metriccare_lake::{
    bronze::{Counts, Limits, Sinks, Source, flatten},
    cells,
    schema::BRONZE_QUARANTINE,
};
use serde::Serialize;

use crate::{
    arguments::Doctor,
    commands::ingest::files,
    lake::walk,
    output::{Output, count, failure::Failure},
};

/// What would become of a file.
#[derive(Debug, Serialize)]
struct Diagnosis {
    path: String,
    counts: Counts,
    /// The first records that would be quarantined.
    quarantine: Vec<Refused>,
}

/// A record that would be quarantined. It is not repeated here: it may be personal.
#[derive(Debug, Serialize)]
struct Refused {
    line: String,
    resource_type: String,
    rule: String,
    reason: String,
}

/// Refused records that are shown of each file.
const SHOWN: usize = 20;

pub(crate) fn doctor(arguments: &Doctor, output: &mut Output) -> Result<(), Failure> {
    let mut all = Counts::default();
    let mut diagnoses = Vec::new();
    for file in files(&arguments.paths)? {
        let diagnosis = diagnose(&file, arguments)?;
        all.add(&diagnosis.counts);
        if !arguments.answer.json {
            print(&diagnosis, output)?;
        }
        diagnoses.push(diagnosis);
    }
    if arguments.answer.json {
        output.json(&serde_json::json!({ "files": diagnoses, "total": all }))?;
    } else {
        output.line(format!(
            "{} records: {} would be accepted, {} quarantined, {} skipped",
            count(all.records),
            count(all.accepted()),
            count(all.quarantined()),
            count(all.skipped())
        ))?;
    }
    output.flush()?;
    if arguments.answer.strict && all.quarantined() > 0 {
        return Err(Failure::failed(format!("{} records would be quarantined", count(all.quarantined()))));
    }
    Ok(())
}

/// Bronze files that are held in memory only to be looked at.
struct Held;

impl Sinks for Held {
    type File = Vec<u8>;

    fn create(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

fn diagnose(file: &walk::File, arguments: &Doctor) -> Result<Diagnosis, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", file.path.display()));
    let source = Source { key: file.name.clone(), object_id: String::new(), etag: String::new(), landed_micros: 0 };
    let open = || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(File::open(&file.path)?)) };
    let flat = flatten(&source, open, &mut Held, arguments.work.threads(), Limits::default())
        .map_err(|error| failed(&error))?;
    let mut quarantine = Vec::new();
    for (_, bytes) in flat.files.into_iter().filter(|(file, _)| file.table == BRONZE_QUARANTINE.path) {
        for row in
            cells::read_rows(&BRONZE_QUARANTINE, &bytes.into()).map_err(|error| failed(&error))?.iter().take(SHOWN)
        {
            let text = |at: usize| row.get(at).map(ToString::to_string).unwrap_or_default();
            quarantine.push(Refused { line: text(1), resource_type: text(2), rule: text(3), reason: text(4) });
        }
    }
    Ok(Diagnosis { path: file.path.display().to_string(), counts: flat.counts, quarantine })
}

fn print(diagnosis: &Diagnosis, output: &mut Output) -> Result<(), Failure> {
    let counts = &diagnosis.counts;
    output.line(format!(
        "{}: {} patients, {} encounters, {} conditions; {} quarantined, {} skipped",
        diagnosis.path,
        count(counts.patients),
        count(counts.encounters),
        count(counts.conditions),
        count(counts.quarantined()),
        count(counts.skipped())
    ))?;
    for refused in &diagnosis.quarantine {
        let kind = if refused.resource_type.is_empty() { "" } else { " " };
        let (line, rule, reason) = (&refused.line, &refused.rule, &refused.reason);
        output.line(format!("  line {line}{kind}{}: {rule}: {reason}", refused.resource_type))?;
    }
    let more = counts.quarantined().saturating_sub(diagnosis.quarantine.len() as u64);
    if more > 0 {
        output.line(format!("  and {} more", count(more)))?;
    }
    Ok(())
}
