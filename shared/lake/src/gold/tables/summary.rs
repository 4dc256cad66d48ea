//! gold/summary: the whole lake in one row per metric, each the sum of its table's counts.
//!
//! Plain counts have no denominator. Occupancy covers the hospitals whose staffed beds are known.

use bytes::Bytes;

use super::{length_of_stay, mortality, readmission};
use crate::gold::rows::TableRows;
use crate::gold::totals::{LakeTotals, rate};
use crate::schema::GOLD_SUMMARY;
use crate::table_file::FileError;

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let sums = &totals.sums;
    let mut rows = TableRows::new(&GOLD_SUMMARY, totals.inputs);
    let mut ratio = |metric: &str, definition: &str, over: i64, under: i64, factor: f64, provisional: bool| {
        if (over, under) == (0, 0) {
            return Ok(());
        }
        let value = rate(over, under).map(|value| value * factor);
        rows.push([metric.into(), definition.into(), over.into(), under.into(), value.into(), provisional.into()])
    };
    for place in 0..readmission::DEFINITIONS.len() {
        let cells = sums.readmission.iter().map(|((_, month), counts)| {
            let (_, index, readmitted) = readmission::by_definition(counts)[place];
            (*month, index, readmitted)
        });
        let total = Total::of(totals, cells);
        ratio("readmission", readmission::DEFINITIONS[place], total.over, total.under, 1.0, total.provisional)?;
    }
    for place in 0..mortality::DEFINITIONS.len() {
        let cells = sums.mortality.iter().map(|((_, month), counts)| {
            let (_, stays, deaths) = mortality::by_definition(counts)[place];
            (*month, stays, deaths)
        });
        let total = Total::of(totals, cells);
        ratio("mortality", mortality::DEFINITIONS[place], total.over, total.under, 1.0, total.provisional)?;
    }
    let histogram: Vec<_> = sums.lengths.iter().map(|((.., days), stays)| (*days, *stays)).collect();
    let discharges = histogram.iter().map(|(_, stays)| stays).sum();
    ratio("length_of_stay", "", length_of_stay::total_days(&histogram), discharges, 1.0, false)?;
    let infections = sums.infection.values().map(|counts| counts.hospital_onset).sum();
    let patient_days = totals.hospital_days.values().sum();
    ratio("infection", "", infections, patient_days, 1_000.0, false)?;
    let with_beds = totals.hospital_days.iter().filter_map(|((hospital, month), patient_days)| {
        let bed_days = totals.staffed_beds(*hospital)? * totals.days(*month);
        (*patient_days != 0).then_some((*patient_days, bed_days))
    });
    let (patient_days, bed_days) = with_beds.fold((0, 0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
    ratio("occupancy", "", patient_days, bed_days, 1.0, false)?;
    let counts = [
        ("patients", sums.patients),
        ("encounters", sums.encounters),
        ("stays", sums.stays),
        ("conditions", sums.conditions),
    ];
    for (metric, count) in counts.into_iter().filter(|(_, count)| *count != 0) {
        rows.push([metric.into(), "".into(), count.into(), None::<i64>.into(), (count as f64).into(), false.into()])?;
    }
    rows.finish()
}

/// A metric's counts over all cells.
#[derive(Default)]
struct Total {
    over: i64,
    under: i64,
    provisional: bool,
}

impl Total {
    /// Adds cells of (month, denominator, numerator); provisional where any month that counts is.
    fn of(totals: &LakeTotals<'_>, cells: impl Iterator<Item = (metriccare_fhir::calendar::Month, i64, i64)>) -> Total {
        cells.filter(|(_, under, over)| (*under, *over) != (0, 0)).fold(
            Total::default(),
            |total, (month, under, over)| Total {
                over: total.over + over,
                under: total.under + under,
                provisional: total.provisional || totals.provisional(month),
            },
        )
    }
}
