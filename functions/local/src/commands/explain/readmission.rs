//! `metriccare explain readmission`: the attrition, step by step, from all encounters to each definition's rate.

use std::{collections::BTreeMap, num::NonZeroUsize};

use metriccare_flow::Worker;
use metriccare_lake::{
    gold::{interval::wilson, national::HOSPITAL_WIDE_READMISSION},
    schema::{GOLD_READMISSION, GOLD_STAY, SILVER_ENCOUNTER},
};
use serde::Serialize;

use super::{
    attrition::{Attrition, Returns, Scope},
    words::{REASONS, planned},
};
use crate::{
    arguments::ExplainReadmission,
    lake::{self, rows::Rows},
    output::{Output, count, failure::Failure, nearest::did_you_mean},
};

/// Hospitals that an error lists; more are for a query.
const LISTED: usize = 20;

/// The whole explanation.
#[derive(Debug, Serialize)]
struct Explanation {
    hospital: Option<String>,
    month: Option<String>,
    /// From all encounters to the stays.
    encounters: Vec<Step>,
    definitions: Vec<Definition>,
}

/// From the stays to one definition's rate.
#[derive(Debug, Serialize)]
struct Definition {
    definition: &'static str,
    #[serde(skip)]
    title: &'static str,
    steps: Vec<Step>,
    index_stays: i64,
    readmissions: i64,
    rate: Option<f64>,
    ci_low: Option<f64>,
    ci_high: Option<f64>,
    national_rate: Option<f64>,
    /// Index stays of months whose returns may still come.
    provisional_index_stays: i64,
}

/// One step: what is there, or what goes.
#[derive(Debug, Serialize)]
struct Step {
    step: String,
    count: i64,
    /// Whether the step takes its count away from what was there.
    leaves: bool,
}

fn there(step: impl Into<String>, count: i64) -> Step {
    Step { step: step.into(), count, leaves: false }
}

/// The steps that take something away; those that take nothing are not worth a line.
fn left_out<S: Into<String>>(steps: impl IntoIterator<Item = (S, i64)>) -> impl Iterator<Item = Step> {
    let steps = steps.into_iter().filter(|(_, count)| *count > 0);
    steps.map(|(step, count)| Step { step: step.into(), count, leaves: true })
}

pub(super) async fn explain(arguments: &ExplainReadmission, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_with_tables(&arguments.lake, &arguments.tables, NonZeroUsize::MIN).await?;
    let scope = Scope { hospital: arguments.hospital.clone(), month: arguments.month.clone() };
    let mut counted = Attrition::default();
    Rows::of_each_file(&worker, &SILVER_ENCOUNTER, |file| counted.encounters(&file, &scope)).await?;
    known(&counted, &scope)?;
    Rows::of_each_file(&worker, &GOLD_STAY, |file| counted.ledger(&file, &scope)).await?;
    let definitions = definitions(&counted, &worker, &scope).await?;
    let explanation =
        Explanation { hospital: scope.hospital, month: scope.month, encounters: encounters(&counted), definitions };
    if arguments.json {
        output.json(&explanation)?;
    } else {
        explanation.print(output)?;
    }
    output.flush()
}

/// Refuses a hospital or a month of which the lake has nothing.
fn known(counted: &Attrition, scope: &Scope) -> Result<(), Failure> {
    if let Some(hospital) = scope.hospital.as_deref().filter(|name| !counted.hospitals.contains(*name)) {
        let meant = did_you_mean(hospital, counted.hospitals.iter().map(String::as_str));
        let mut names: Vec<_> = counted.hospitals.iter().take(LISTED).map(String::as_str).collect();
        if counted.hospitals.len() > LISTED {
            names.push("…");
        }
        return Err(Failure::usage(format!(
            "there is no hospital {hospital:?} in this lake{meant}\nits {} hospitals are: {}",
            counted.hospitals.len(),
            names.join("; ")
        )));
    }
    match (&scope.month, counted.months.first(), counted.months.last()) {
        (Some(month), Some(first), Some(last)) if !counted.months.contains(month) => Err(Failure::usage(format!(
            "no encounter of this lake ends in {month}: its months are from {first} to {last}"
        ))),
        _ => Ok(()),
    }
}

fn encounters(counted: &Attrition) -> Vec<Step> {
    let mut steps = vec![there("encounters, the latest version of each", counted.encounters)];
    steps.extend(left_out(
        counted.other_classes.iter().map(|(class, count)| (format!("not inpatient: {class}"), *count)),
    ));
    steps.extend(left_out(counted.uncounted.iter().map(|(status, count)| (format!("status {status}"), *count))));
    steps.extend(left_out([
        ("still open: not discharged yet", counted.open),
        ("without admission or discharge, or ending before it starts", counted.without_times),
    ]));
    steps.push(there("stays", counted.stays));
    steps
}

async fn definitions(counted: &Attrition, worker: &Worker, scope: &Scope) -> Result<Vec<Definition>, Failure> {
    let gold = Gold::sum(&Rows::read(worker, &GOLD_READMISSION).await?, scope);
    let index = index_stays(&counted.index_status);
    let mut definitions = vec![
        definition("naive", "naive: every stay, every return", ("stays", counted.ledger), None, &counted.naive),
        definition(
            "all_payer_unplanned",
            "all_payer_unplanned: all payers, planned returns do not count",
            ("stays", counted.ledger),
            Some(&counted.index_status),
            &counted.all_payer,
        ),
        definition(
            "hwr_65plus",
            "hwr_65plus: the same for patients of 65 and over, without four kinds of reasons",
            ("index stays of all payers", index),
            Some(&counted.hwr_status),
            &counted.hwr,
        ),
    ];
    let mut differs = counted.stays != counted.ledger;
    for definition in &mut definitions {
        let sums = gold.0.get(definition.definition).copied().unwrap_or_default();
        definition.provisional_index_stays = sums.provisional;
        differs |= (sums.index_stays, sums.readmissions) != (definition.index_stays, definition.readmissions);
    }
    if differs {
        return Err(Failure::failed(
            "silver, the stay ledger and gold/readmission do not agree: what landed last is not processed completely; \
             `metriccare ingest` completes it, `metriccare verify` lists the cells",
        ));
    }
    Ok(definitions)
}

/// The stays that a status counts in.
fn index_stays(statuses: &BTreeMap<String, i64>) -> i64 {
    statuses.get("index").copied().unwrap_or_default()
}

fn definition(
    name: &'static str,
    title: &'static str,
    (from, count): (&str, i64),
    statuses: Option<&BTreeMap<String, i64>>,
    returns: &Returns,
) -> Definition {
    let mut steps = vec![there(from, count)];
    if let Some(statuses) = statuses {
        // Who was left out before the first line is not left out a second time.
        let of_all = name == "all_payer_unplanned";
        let before = |status: &str| !of_all && REASONS[..4].iter().any(|(known, _, _)| *known == status);
        let reasons = REASONS.iter().map(|(status, step, _)| (*status, *step));
        let others = statuses
            .keys()
            .map(String::as_str)
            .filter(|status| *status != "index" && !REASONS.iter().any(|(known, _, _)| known == status));
        let all = reasons.chain(others.map(|status| (status, status))).filter(|(status, _)| !before(status));
        steps.extend(left_out(all.map(|(status, step)| (step, statuses.get(status).copied().unwrap_or_default()))));
    }
    steps.push(there("index stays: the denominator", returns.index));
    steps.extend(left_out([("no stay within 30 days of discharge", returns.none)]));
    let rules =
        returns.planned.iter().map(|(rule, count)| (format!("first return planned: {}", planned(rule)), *count));
    steps.extend(left_out(rules));
    steps.push(there("readmissions: the numerator", returns.readmitted));
    let interval = wilson(returns.readmitted, returns.index);
    Definition {
        definition: name,
        title,
        steps,
        index_stays: returns.index,
        readmissions: returns.readmitted,
        rate: (returns.index > 0).then(|| returns.readmitted as f64 / returns.index as f64),
        ci_low: interval.map(|(low, _)| low),
        ci_high: interval.map(|(_, high)| high),
        national_rate: (name == "hwr_65plus").then_some(HOSPITAL_WIDE_READMISSION.rate),
        provisional_index_stays: 0,
    }
}

/// What gold/readmission says of a scope, by definition.
struct Gold(BTreeMap<String, Sums>);

#[derive(Clone, Copy, Default)]
struct Sums {
    index_stays: i64,
    readmissions: i64,
    provisional: i64,
}

impl Gold {
    fn sum(rows: &Rows, scope: &Scope) -> Self {
        let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
        for row in rows.iter().filter(|row| scope.holds(row.text("hospital_name"), row.text("month"))) {
            let sum = sums.entry(row.text("definition").unwrap_or_default().to_owned()).or_default();
            sum.index_stays += row.count("index_stays");
            sum.readmissions += row.count("readmissions");
            sum.provisional += if row.flag("provisional") { row.count("index_stays") } else { 0 };
        }
        Gold(sums)
    }
}

impl Explanation {
    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let hospital = self.hospital.as_deref().unwrap_or("all hospitals");
        let month = self.month.as_deref().unwrap_or("all months");
        output.line(format!("Readmission within 30 days of discharge: {hospital}, {month}"))?;
        output.line("")?;
        print_steps(output, &self.encounters)?;
        for definition in &self.definitions {
            output.line("")?;
            output.line(definition.title)?;
            print_steps(output, &definition.steps)?;
            output.line(format!("  {}", definition.rate_in_words()))?;
            if definition.provisional_index_stays > 0 {
                output.line(format!(
                    "  provisional: the 30 days after {} of the index stays are not over",
                    count(definition.provisional_index_stays as u64)
                ))?;
            }
        }
        output.line("")?;
        output
            .line("Months are those of discharge, in UTC. Rates are crude, not adjusted for how ill the patients are.")
    }
}

fn print_steps(output: &mut Output, steps: &[Step]) -> Result<(), Failure> {
    for step in steps {
        let number = count(step.count.unsigned_abs());
        let (indent, number) = if step.leaves { ("    − ", format!("−{number}")) } else { ("  ", number) };
        output.line(format!("{:<70}{number:>10}", format!("{indent}{}", step.step)))?;
    }
    Ok(())
}

impl Definition {
    fn rate_in_words(&self) -> String {
        let (Some(rate), Some(low), Some(high)) = (self.rate, self.ci_low, self.ci_high) else {
            return "no rate: there is no index stay".to_owned();
        };
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let national = self.national_rate.map(|national| {
            let figures = HOSPITAL_WIDE_READMISSION;
            format!("; the nation has {} ({}, {})", percent(national), figures.measure, figures.period)
        });
        format!(
            "{} / {} = {} (95 % interval {} to {}){}",
            count(self.readmissions.unsigned_abs()),
            count(self.index_stays.unsigned_abs()),
            percent(rate),
            percent(low),
            percent(high),
            national.unwrap_or_default()
        )
    }
}
