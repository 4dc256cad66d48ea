//! `metriccare rebuild`: silver and gold, and bronze if asked for, are computed again from the layer below them.
//!
//! A rebuild that is interrupted is started again; until it is done, other commands do not write to the lake.

use metriccare_flow::{RebuildFrom, rebuild as rebuild_lake};

use crate::{
    arguments::{Rebuild, RebuildLayer},
    lake,
    output::{Output, counted, failure::Failure, progress::Bars},
};

pub(crate) async fn rebuild(arguments: &Rebuild, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_to_write(&arguments.flags.lake, arguments.flags.threads()).await?;
    let bars = Bars::new(arguments.flags.json);
    let (from, name) = match arguments.from {
        RebuildLayer::Bronze => (RebuildFrom::Bronze, "bronze"),
        RebuildLayer::Landing => (RebuildFrom::Landing, "landing"),
    };
    let driven = rebuild_lake(&worker, from, &bars).await?;
    bars.finish();
    let failures: Vec<_> = driven.failed.iter().map(|(stage, reason)| format!("{stage}: {reason}")).collect();
    let mut files = [("bronze", 0_usize), ("silver", 0), ("gold", 0)];
    for (layer, count) in &mut files {
        let listed = worker.ports.lake.list(&format!("{layer}/")).await?;
        *count = listed.iter().filter(|listed| listed.key.ends_with(".parquet")).count();
    }
    if arguments.flags.json {
        let files: std::collections::BTreeMap<_, _> = files.into_iter().collect();
        output.json(&serde_json::json!({ "from": name, "files": files, "failures": failures }))?;
    } else {
        let lake = &arguments.flags.lake.lake;
        let files = files.map(|(layer, count)| format!("{} of {layer}", counted(count as u64, "file")));
        output.line(format!("{lake} rebuilt from {name}: {}", files.join(", ")))?;
        output.line(format!("Check it: metriccare verify --lake {lake}"))?;
    }
    output.flush()?;
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(format!("some objects cannot be read; run it again:\n  {}", failures.join("\n  "))))
}
