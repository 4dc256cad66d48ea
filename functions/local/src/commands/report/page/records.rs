//! All records: how many came in, were accepted, quarantined or skipped, and are the latest version.

use maud::html;

use super::Section;
use crate::commands::report::{
    chart::{self, Bar, Rows, Words},
    gather::Gathered,
    html::Table,
    numbers::{count, counted},
};

pub(super) fn section(lake: &Gathered) -> Section {
    let records = &lake.records;
    let resources: i64 = ["patients", "encounters", "conditions"].iter().map(|metric| lake.plain(metric)).sum();
    let latest = resources + lake.warehouse.rows;
    let [duplicates, duplicate_records] = records.duplicates();
    let mut said = format!(
        "{} held {}: {} accepted, {} quarantined, {} skipped.",
        counted(records.landed(), "landed object", "landed objects"),
        counted(records.records, "record", "records"),
        count(records.accepted),
        count(records.quarantined),
        count(records.skipped)
    );
    if duplicates > 0 {
        said.push_str(&format!(
            " {} with {} had landed before, byte for byte; merging them changed nothing.",
            counted(duplicates, "object", "objects"),
            counted(duplicate_records, "record", "records")
        ));
    } else {
        said.push_str(" No object landed twice.");
    }
    let sum = records.accepted + records.quarantined + records.skipped;
    said.push_str(if sum == records.records {
        " Every record is accounted for."
    } else {
        " The parts do not add up: run metriccare verify."
    });
    let bar = |label: &str, number: i64, strong: bool| Bar {
        label: label.to_owned(),
        full: number as f64,
        outlined: 0.0,
        words: count(number),
        strong,
    };
    let bars = [
        bar("Records that came in", records.records, true),
        bar("Skipped: other resource types", records.skipped, false),
        bar("Quarantined: unreadable", records.quarantined, false),
        bar("Accepted", records.accepted, true),
        bar("Older versions and duplicates", records.accepted - latest, false),
        bar("Latest versions: the lake", latest, true),
    ];
    let words = Words { id: "chart-records", title: "Every record, by how it was handled", description: &said };
    let rows = Rows { words: 12, ..Rows::default() };
    let mut table = Table::new("Records by outcome", 2, &["Outcome", "Type, rule or status", "Records", "Objects"]);
    for (name, number) in records.accepted_by_type {
        table.row(["accepted".to_owned(), name.to_owned(), count(number), String::new()]);
    }
    let of_tables = records.accepted - records.accepted_by_type.iter().map(|(_, number)| number).sum::<i64>();
    if of_tables > 0 {
        table.row(["accepted".to_owned(), "rows of tables".to_owned(), count(of_tables), String::new()]);
    }
    for (outcome, counts) in [("quarantined", &records.counts.quarantined), ("skipped", &records.counts.skipped)] {
        for (name, number) in counts {
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            table.row([outcome.to_owned(), name.clone(), count(number), String::new()]);
        }
    }
    for (status, [objects, number]) in &records.objects {
        table.row(["landed object".to_owned(), status.clone(), count(*number), count(*objects)]);
    }
    Some(html! {
        h3 { "From records to the lake" }
        p { (said) }
        "\n"
        (chart::figure(&words, |width| chart::bars(&rows, &bars, width)))
        (table.behind_chart())
    })
}
