//! The star against the answer key of the tables: counts and sums by status, type and reason, as the generator counted them
//! in its own lives and claims.

use std::collections::{BTreeMap, BTreeSet};

use metriccare_flow::Worker;
use metriccare_lake::{
    cells::Cell,
    relational::{RELATIONAL, RelationalTable},
};
use metriccare_world::TableTotals;

use super::{Check, star::each_row};
use crate::output::{counted, failure::Failure};

/// Sums of groups of rows, by group (`adjudication_status=Paid`), by column.
type Groups = BTreeMap<String, BTreeMap<String, i64>>;

/// The column of a group's sums that is the number of its rows.
const ROWS: &str = "rows";

/// Compares every total of the key.
pub(super) async fn check(worker: &Worker, key: Result<TableTotals, String>) -> Result<Check, Failure> {
    let mut check = Check::named("star totals");
    let totals = match key {
        Ok(totals) => totals,
        Err(why) => return Ok(Check { skipped: Some(why), ..check }),
    };
    let mut compared = 0;
    for table in RELATIONAL {
        let Some(expected) = totals.tables().get(table.name) else { continue };
        let found = sums(worker, table, expected).await?;
        compared += expected.values().map(|sums| sums.len() as u64).sum::<u64>();
        compare(table.silver.path, &found, expected, &mut check.differences);
    }
    check.compared = format!("{} of the star, counted by the generator", counted(compared, "total"));
    Ok(check)
}

/// The sums of a table's rows in the columns, and by the groups, that a key has.
async fn sums(worker: &Worker, table: &'static RelationalTable, expected: &Groups) -> Result<Groups, Failure> {
    let groupings: BTreeSet<&str> = expected.keys().filter_map(|group| Some(group.split_once('=')?.0)).collect();
    let mut found = Groups::new();
    for column in groupings {
        let own = expected.iter().filter(|(group, _)| group.split_once('=').is_some_and(|(name, _)| name == column));
        let summed: BTreeSet<&str> =
            own.flat_map(|(_, sums)| sums.keys()).map(String::as_str).filter(|name| *name != ROWS).collect();
        let columns: Vec<&str> = std::iter::once(column).chain(summed.iter().copied()).collect();
        each_row(worker, &table.silver, &columns, |cells| {
            // An empty cell is in no group.
            let Some((Cell::Text(value), cells)) = cells.split_first() else { return };
            let group = found.entry(format!("{column}={value}")).or_default();
            *group.entry(ROWS.to_owned()).or_default() += 1;
            for (name, cell) in summed.iter().zip(cells) {
                *group.entry((*name).to_owned()).or_default() += match cell {
                    Cell::Int(number) | Cell::Money(number) => *number,
                    Cell::Bool(flag) => i64::from(*flag),
                    _ => 0,
                };
            }
        })
        .await?;
    }
    Ok(found)
}

fn compare(path: &str, found: &Groups, expected: &Groups, differences: &mut Vec<String>) {
    for (group, sums) in expected {
        let Some(found) = found.get(group) else {
            differences.push(format!("{path} {group}: no row, the generator counted {}", sums.get(ROWS).unwrap_or(&0)));
            continue;
        };
        for (column, should) in sums {
            let is = found.get(column).copied().unwrap_or_default();
            if is != *should {
                differences.push(format!("{path} {group}: {column} is {is}, the generator counted {should}"));
            }
        }
    }
    for (group, sums) in found.iter().filter(|(group, _)| !expected.contains_key(*group)) {
        let rows = counted(sums.get(ROWS).copied().unwrap_or_default().unsigned_abs(), "row");
        differences.push(format!("{path} {group}: {rows}, the generator counted none"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_different_sum_a_missing_group_and_an_unknown_one_are_differences() {
        let groups = |entries: &[(&str, i64, i64)]| -> Groups {
            let sums = |rows: i64, cents: i64| [(ROWS.to_owned(), rows), ("paid_amount".to_owned(), cents)].into();
            entries.iter().map(|(group, rows, cents)| ((*group).to_owned(), sums(*rows, *cents))).collect()
        };
        let expected = groups(&[("status=Paid", 2, 500), ("status=Denied", 1, 0)]);
        let mut differences = Vec::new();
        compare("silver/fact_claim", &expected, &expected, &mut differences);
        assert!(differences.is_empty());
        compare(
            "silver/fact_claim",
            &groups(&[("status=Paid", 2, 499), ("status=Odd", 1, 0)]),
            &expected,
            &mut differences,
        );
        assert_eq!(
            differences,
            [
                "silver/fact_claim status=Denied: no row, the generator counted 1",
                "silver/fact_claim status=Paid: paid_amount is 499, the generator counted 500",
                "silver/fact_claim status=Odd: 1 row, the generator counted none",
            ]
        );
    }
}
