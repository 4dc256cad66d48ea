//! Gold's rates of readmission and mortality from the naive verdicts: every row counted by going through all stays.

use std::collections::BTreeSet;

use super::naive::{Stay, month};
use super::naive_tables::{Rows, World, int, share, text, words};
use crate::cells::Cell;

fn wilson(over: usize, under: usize) -> [Cell; 2] {
    if under == 0 {
        return [Cell::Null, Cell::Null];
    }
    let (z, n, p) = (1.959964f64, under as f64, over as f64 / under as f64);
    let middle = (p + z * z / 2.0 / n) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / 4.0 / n / n).sqrt();
    [Cell::Float((middle - half).max(0.0)), Cell::Float((middle + half).min(1.0))]
}

pub(super) fn readmission(world: &World) -> Rows {
    let mut rows = Vec::new();
    let month_of = |stay: &Stay| month(stay.to.date_naive());
    let cells: BTreeSet<_> = world.stays.iter().map(|stay| (stay.encounter.hospital.clone(), month_of(stay))).collect();
    for (hospital, of) in cells {
        for definition in ["naive", "all_payer_unplanned", "hwr_65plus"] {
            let here = world.stays.iter().filter(|stay| stay.encounter.hospital == hospital && month_of(stay) == of);
            let index: Vec<_> = here
                .filter(|stay| match definition {
                    "naive" => true,
                    "all_payer_unplanned" => stay.index_status == "index",
                    _ => stay.hwr_status == "index",
                })
                .collect();
            let back = |stay: &&&Stay| match definition {
                "naive" => stay.next.as_ref().is_some_and(|(_, days)| *days <= 30),
                _ => stay.readmitted,
            };
            let readmitted = index.iter().filter(back).count();
            if index.is_empty() {
                continue;
            }
            let hwr = definition == "hwr_65plus";
            let [low, high] = wilson(readmitted, index.len());
            rows.push(vec![
                words(&hospital),
                text(Some(&of)),
                text(Some(definition)),
                int(index.len()),
                int(readmitted),
                share(readmitted, index.len()),
                low,
                high,
                if hwr { Cell::Float(0.146) } else { Cell::Null },
                // No history here has 25 stays of one hospital and month.
                if hwr { text(Some("Number of Cases Too Small")) } else { Cell::Null },
                Cell::Bool(world.provisional(&of)),
            ]);
        }
    }
    rows
}

/// The disease of a reason, its national rates of return and of death.
fn disease(reason: Option<&str>) -> Option<(&'static str, Option<f64>, f64)> {
    match reason?.get(..3)? {
        "I21" => Some(("ami", Some(0.137), 0.126)),
        "I50" => Some(("heart_failure", Some(0.198), 0.119)),
        "J18" => Some(("pneumonia", Some(0.164), 0.179)),
        "J44" => Some(("copd", Some(0.185), 0.094)),
        "I63" => Some(("stroke", None, 0.139)),
        _ => None,
    }
}

pub(super) fn cohort(world: &World) -> Rows {
    let mut rows = Vec::new();
    let key = |stay: &Stay| {
        let disease = disease(stay.encounter.reason.as_deref())?;
        Some((stay.encounter.hospital.clone(), month(stay.to.date_naive()), disease.0))
    };
    let cells: BTreeSet<_> = world.stays.iter().filter_map(key).collect();
    for cell in cells {
        let here: Vec<_> = world.stays.iter().filter(|stay| key(stay).as_ref() == Some(&cell)).collect();
        let index: Vec<_> = here.iter().filter(|stay| stay.hwr_status == "index").collect();
        let back = index.iter().filter(|stay| stay.readmitted).count();
        let old: Vec<_> =
            here.iter().filter(|stay| stay.age.is_some_and(|age| age >= 65) && !stay.after_transfer).collect();
        let died = old.iter().filter(|stay| stay.died_30d).count();
        if index.is_empty() && old.is_empty() {
            continue;
        }
        let (_, returns, deaths) = disease(here[0].encounter.reason.as_deref()).unwrap();
        let small = || text(Some("Number of Cases Too Small"));
        let ([low, high], [least, most]) = (wilson(back, index.len()), wilson(died, old.len()));
        rows.push(vec![
            words(&cell.0),
            text(Some(&cell.1)),
            text(Some(cell.2)),
            int(index.len()),
            int(back),
            share(back, index.len()),
            low,
            high,
            returns.map_or(Cell::Null, Cell::Float),
            // No history here has 25 stays of one hospital, month and disease.
            returns.map_or(Cell::Null, |_| small()),
            int(old.len()),
            int(died),
            share(died, old.len()),
            least,
            most,
            Cell::Float(deaths),
            small(),
        ]);
    }
    rows
}

pub(super) fn mortality(world: &World) -> Rows {
    let mut rows = Vec::new();
    for definition in ["in_hospital", "30_day"] {
        let first = definition == "in_hospital";
        let of = |stay: &Stay| month(if first { stay.to } else { stay.from }.date_naive());
        let counted: Vec<_> = world.stays.iter().filter(|stay| first || !stay.after_transfer).collect();
        let cells: BTreeSet<_> = counted.iter().map(|stay| (stay.encounter.hospital.clone(), of(stay))).collect();
        for (hospital, at) in cells {
            let here: Vec<_> = counted.iter().filter(|s| s.encounter.hospital == hospital && of(s) == at).collect();
            let deaths = here.iter().filter(|stay| if first { stay.died } else { stay.died_30d }).count();
            let [low, high] = wilson(deaths, here.len());
            rows.push(vec![
                words(&hospital),
                text(Some(&at)),
                text(Some(definition)),
                int(here.len()),
                int(deaths),
                share(deaths, here.len()),
                low,
                high,
                Cell::Bool(world.provisional(&at)),
            ]);
        }
    }
    rows
}
