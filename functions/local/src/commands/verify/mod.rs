//! `metriccare verify`: checks a finished lake against the laws.
//!
//! The lake is not changed. Each check says how much it compared; differing cells are listed.

mod answer_key;
mod bronze_file;
mod conservation;
mod faults;
mod identity;
mod keys;
mod links;
mod rebuilt;
mod rows;
mod star;
mod star_totals;
mod table_keys;
#[cfg(test)]
mod tests;

pub(crate) use conservation::commits;
pub(crate) use keys::{Origin, origin};
use metriccare_flow::Worker;
use serde::Serialize;

use crate::{
    arguments::Verify,
    lake,
    output::{Output, count, counted, failure::Failure, progress::Bars},
};

/// What a check found.
#[derive(Debug, Default, Serialize)]
struct Check {
    /// The check's name.
    name: &'static str,
    /// What was compared, counted.
    compared: String,
    /// Why nothing was compared.
    skipped: Option<String>,
    /// What is worth knowing and no difference.
    notes: Vec<String>,
    /// What differs.
    differences: Vec<String>,
}

/// Differences that are printed of one check; all of them are in the JSON.
const SHOWN: usize = 30;

pub(crate) async fn verify(arguments: &Verify, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_with_tables(&arguments.lake, &arguments.tables, arguments.work.threads()).await?;
    let bars = Bars::new(arguments.json);
    let checks = checks(&worker, &bars).await?;
    bars.finish();
    let wrong: usize = checks.iter().map(|check| check.differences.len()).sum();
    if arguments.json {
        output.json(&serde_json::json!({ "holds": wrong == 0, "checks": checks }))?;
    } else {
        for check in &checks {
            check.print(output)?;
        }
    }
    output.flush()?;
    if wrong > 0 {
        let words = "the lake differs from what its landed objects give";
        return Err(Failure::failed(format!("{}: {words}", counted(wrong as u64, "difference"))));
    }
    if !arguments.json {
        output.line("the lake holds")?;
    }
    output.flush()
}

/// All checks of a lake.
async fn checks(worker: &Worker, bars: &Bars) -> Result<Vec<Check>, Failure> {
    let commits = conservation::commits(worker).await?;
    let key = keys::find(worker, &commits).await?;
    let mut checks = vec![
        conservation::check(worker, &commits, bars).await?,
        rebuilt::check(worker, bars).await?,
        answer_key::check(worker, &key).await?,
        faults::check(worker, &commits, &key).await?,
        identity::check(worker).await?,
        links::check(worker).await?,
    ];
    checks.extend(star::check(worker).await?);
    if let Some(key) = table_keys::find(worker, &commits).await? {
        checks.push(star_totals::check(worker, key).await?);
    }
    Ok(checks)
}

impl Check {
    fn named(name: &'static str) -> Self {
        Check { name, ..Check::default() }
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let verdict = match (&self.skipped, self.differences.len()) {
            (Some(why), 0) => format!("not compared: {why}"),
            (_, 0) => format!("holds: {}", self.compared),
            (_, wrong) => format!("{} WRONG: {}", count(wrong as u64), self.compared),
        };
        output.line(format!("{:<14} {verdict}", self.name))?;
        for difference in self.differences.iter().take(SHOWN) {
            output.line(format!("  {difference}"))?;
        }
        let more = self.differences.len().saturating_sub(SHOWN);
        if more > 0 {
            output.line(format!("  and {} more; --json has all of them", count(more as u64)))?;
        }
        for note in &self.notes {
            output.line(format!("  note: {note}"))?;
        }
        Ok(())
    }
}
