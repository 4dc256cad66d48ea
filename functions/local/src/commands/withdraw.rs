//! `metriccare withdraw`: landed objects, or one patient, are taken out of landing, bronze, silver and gold.
//!
//! What was withdrawn, when and why is in bronze/withdrawal. A withdrawal that is interrupted is run again with the same
//! keys.

use std::collections::BTreeSet;

use metriccare_flow::{Driven, PatientPlan, WithdrawalPlan, withdraw as withdraw_objects, withdraw_patient};

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
    if let Some(patient) = &arguments.patient {
        return patient_of(arguments, patient, reason, output).await;
    }
    let keys: BTreeSet<String> =
        arguments.objects.iter().map(|key| key.trim_start_matches("landing/").to_owned()).collect();
    let worker = lake::open_to_write(&arguments.flags.lake, arguments.flags.threads()).await?;
    let plan = WithdrawalPlan::of(&worker, &keys).await?;
    if !plan.unknown.is_empty() {
        let meant = |key: &String| {
            let meant = did_you_mean(key, plan.known.iter().map(String::as_str));
            format!("there is no object {key:?} in landing, and none in bronze{meant}")
        };
        let words: Vec<_> = plan.unknown.iter().map(meant).collect();
        return Err(Failure::usage(format!("nothing is withdrawn: {}", words.join("\n  "))));
    }
    let bars = Bars::new(arguments.flags.json);
    let withdrawn = withdraw_objects(&worker, &plan, reason, &bars).await?;
    bars.finish();
    check_rebuilt(withdrawn.rebuilt.as_ref())?;
    if arguments.flags.json {
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
    output.line(format!("Check it: metriccare verify --lake {}", arguments.flags.lake.lake))?;
    output.flush()
}

/// Fails where single objects failed in the rebuild.
fn check_rebuilt(rebuilt: Option<&Driven>) -> Result<(), Failure> {
    match rebuilt.and_then(|driven| driven.failed.first()) {
        Some((stage, error)) => Err(Failure::failed(format!("{stage}: {error}; run the same command again"))),
        None => Ok(()),
    }
}

/// Withdraws one patient. No message holds its id.
async fn patient_of(arguments: &Withdraw, id: &str, reason: &str, output: &mut Output) -> Result<(), Failure> {
    if id.is_empty() {
        return Err(Failure::usage("--patient is empty: give the patient's id, as in silver/patient"));
    }
    if reason.contains(id) {
        return Err(Failure::usage("--reason holds the patient's id, and is kept: leave the id out"));
    }
    let worker = lake::open_to_write(&arguments.flags.lake, arguments.flags.threads()).await?;
    let plan = PatientPlan::of(&worker, id).await?;
    if !plan.refused.is_empty() {
        let words = "nothing is withdrawn: these objects cannot be written anew; withdraw them by their keys first";
        return Err(Failure::failed(format!("{words}:\n  {}", plan.refused.join("\n  "))));
    }
    if plan.is_empty() && !plan.recorded {
        return Err(Failure::usage("nothing is withdrawn: no landed object has a record of this patient"));
    }
    let mut fresh_key = [0; 32];
    getrandom::fill(&mut fresh_key)
        .map_err(|error| Failure::failed(format!("the system gives no random numbers: {error}")))?;
    let bars = Bars::new(arguments.flags.json);
    let withdrawn = withdraw_patient(&worker, &plan, reason, fresh_key, &bars).await?;
    bars.finish();
    check_rebuilt(withdrawn.rebuilt.as_ref())?;
    if arguments.flags.json {
        output.json(&serde_json::json!({
            "objects": withdrawn.objects,
            "records": withdrawn.records,
            "mentions": plan.mentions,
            "withdrawn_before": plan.recorded,
            "rebuilt": withdrawn.rebuilt.is_some(),
        }))?;
        return output.flush();
    }
    if plan.is_empty() && withdrawn.rebuilt.is_none() {
        output.line("this patient was withdrawn before, and no landed object has a record of it")?;
        return output.flush();
    }
    let (records, objects) = (counted(withdrawn.records, "record"), counted(withdrawn.objects as u64, "landed object"));
    output.line(format!("{records} withdrawn from {objects}; silver and gold rebuilt"))?;
    for key in &plan.mentions {
        output.line(format!("  {key} still holds the id, in records that do not name it as their subject"))?;
    }
    output.line(format!("Check it: metriccare verify --lake {}", arguments.flags.lake.lake))?;
    output.flush()
}
