//! `metriccare withdraw`: landed objects are taken out of landing, bronze, silver and gold.
//!
//! What was withdrawn, when and why is in bronze/withdrawal. A withdrawal that is interrupted is run again with the same
//! keys.

use std::collections::BTreeSet;

use metriccare_flow::{WithdrawalPlan, withdraw as withdraw_objects};

use crate::{
    arguments::Withdraw,
    lake,
    output::{Output, counted, failure::Failure, nearest::did_you_mean, progress::Bars},
};

pub(crate) async fn withdraw(arguments: &Withdraw, output: &mut Output) -> Result<(), Failure> {
    let reason = arguments.reason.trim();
    if reason.is_empty() {
        return Err(Failure::usage("--reason is empty: say why the objects are withdrawn"));
    }
    let keys: BTreeSet<String> =
        arguments.objects.iter().map(|key| key.trim_start_matches("landing/").to_owned()).collect();
    let worker = lake::open_to_write(&arguments.lake, arguments.work.threads()).await?;
    let plan = WithdrawalPlan::of(&worker, &keys).await?;
    if !plan.unknown.is_empty() {
        let meant = |key: &String| {
            let meant = did_you_mean(key, plan.known.iter().map(String::as_str));
            format!("there is no object {key:?} in landing, and none in bronze{meant}")
        };
        let words: Vec<_> = plan.unknown.iter().map(meant).collect();
        return Err(Failure::usage(format!("nothing is withdrawn: {}", words.join("\n  "))));
    }
    let bars = Bars::new(arguments.json);
    let withdrawn = withdraw_objects(&worker, &plan, reason, &bars).await?;
    bars.finish();
    let failures: Vec<_> = withdrawn.rebuilt.iter().flat_map(|driven| &driven.failed).collect();
    if let Some((stage, error)) = failures.first() {
        return Err(Failure::failed(format!("{stage}: {error}; run the same command again")));
    }
    if arguments.json {
        output.json(&serde_json::json!({
            "withdrawn": withdrawn.objects,
            "records": withdrawn.records,
            "bronze_files": withdrawn.files,
            "withdrawn_before": withdrawn.already,
            "rebuilt": withdrawn.rebuilt.is_some(),
        }))?;
        return output.flush();
    }
    for key in &withdrawn.already {
        output.line(format!("{key} was withdrawn before"))?;
    }
    let (objects, records) = (counted(withdrawn.objects as u64, "object"), counted(withdrawn.records, "record"));
    let files = counted(withdrawn.files as u64, "file");
    let rebuilt = if withdrawn.rebuilt.is_some() { "silver and gold rebuilt" } else { "silver and gold unchanged" };
    output.line(format!("{objects} withdrawn with {records}: {files} of bronze deleted, {rebuilt}"))?;
    output.line(format!("Check it: metriccare verify --lake {}", arguments.lake.lake))?;
    output.flush()
}
