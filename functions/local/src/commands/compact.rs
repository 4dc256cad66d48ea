//! `metriccare compact`: the many small files of a bronze partition become few.
//!
//! Queries read compacted copies at once; the small files go when no query can read them any more, by a later call.

use std::time::Duration;

use metriccare_flow::{CompactOptions, compact as compact_lake};

use crate::{
    arguments::Compact,
    lake::{self, location::DataLocation},
    output::{Output, counted, failure::Failure},
};

pub(crate) async fn compact(arguments: &Compact, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_to_write(&arguments.lake, arguments.work.threads()).await?;
    let defaults = CompactOptions::default();
    // Only one process at a time writes to a lake in a folder.
    let is_alone = matches!(arguments.lake.lake, DataLocation::Folder(_));
    let options = CompactOptions {
        min_files: arguments.min_files,
        target_bytes: arguments.target_size,
        writers_end: if is_alone { Duration::ZERO } else { defaults.writers_end },
        queries_end: Duration::from_secs(u64::from(arguments.keep_hours) * 3600),
    };
    let report = compact_lake(&worker, &options).await?;
    if report.is_busy {
        return Err(Failure::failed("another process is compacting this lake; try again when that is done"));
    }
    if arguments.json {
        output.json(&serde_json::json!({
            "begun": report.begun,
            "served": report.served,
            "small_files": report.small_files,
            "compacted_files": report.compacted_files,
            "replaced": report.replaced,
            "done": report.done,
            "under_way": report.under_way,
        }))?;
        return output.flush();
    }
    let partitions = |number: usize| counted(number as u64, "partition");
    if report == (metriccare_flow::CompactReport { under_way: report.under_way, ..Default::default() }) {
        let words = if report.under_way > 0 { "nothing is due yet" } else { "nothing to compact" };
        output.line(format!("{words}: no other partition has {} small files", arguments.min_files.max(2)))?;
    }
    if report.served > 0 {
        let (small, compacted) =
            (counted(report.small_files as u64, "small file"), counted(report.compacted_files as u64, "file"));
        output.line(format!("{} compacted: {small} into {compacted}", partitions(report.served)))?;
    }
    if report.replaced > 0 {
        output.line(format!("small files of {} removed", partitions(report.replaced)))?;
    }
    if report.under_way > 0 {
        let words = if is_alone {
            format!(
                "files that queries may still read go when compact is run again after {} hours",
                arguments.keep_hours
            )
        } else {
            "run compact again for the next step, 20 minutes or a day later".to_owned()
        };
        output.line(format!("{} under way: {words}", partitions(report.under_way)))?;
    }
    output.flush()
}
