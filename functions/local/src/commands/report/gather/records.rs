//! How every record was handled: from the ingest log, and rule by rule from the commits of the landed objects.

use std::collections::BTreeMap;

use metriccare_lake::bronze::{BronzeCommit, Counts};

use crate::lake::rows::Rows;

/// Records of all landed objects.
#[derive(Default)]
pub(in crate::commands::report) struct Records {
    /// Landed objects and their records, by the status of the ingest log.
    pub(in crate::commands::report) objects: BTreeMap<String, [i64; 2]>,
    /// Records, accepted, quarantined, skipped, of the ingest log.
    pub(in crate::commands::report) records: i64,
    pub(in crate::commands::report) accepted: i64,
    pub(in crate::commands::report) quarantined: i64,
    pub(in crate::commands::report) skipped: i64,
    /// Accepted records by type.
    pub(in crate::commands::report) accepted_by_type: [(&'static str, i64); 3],
    /// Quarantined by rule, skipped by type, of the commits.
    pub(in crate::commands::report) counts: Counts,
}

impl Records {
    pub(super) fn count(log: &Rows, commits: &[BronzeCommit]) -> Self {
        let mut counted = Records::default();
        let mut by_type = [("Patient", 0), ("Encounter", 0), ("Condition", 0)];
        for object in log.iter() {
            let records = object.count("records");
            let of_status = counted.objects.entry(object.text("status").unwrap_or_default().to_owned()).or_default();
            of_status[0] += 1;
            of_status[1] += records;
            counted.records += records;
            counted.accepted += object.count("accepted");
            counted.quarantined += object.count("quarantined");
            counted.skipped += object.count("skipped");
            for ((_, sum), column) in by_type.iter_mut().zip(["patients", "encounters", "conditions"]) {
                *sum += object.count(column);
            }
        }
        counted.accepted_by_type = by_type;
        for commit in commits {
            counted.counts.add(&commit.counts);
        }
        counted
    }

    /// Landed objects.
    pub(in crate::commands::report) fn landed(&self) -> i64 {
        self.objects.values().map(|[objects, _]| objects).sum()
    }

    /// Objects, and their records, whose bytes had landed before.
    pub(in crate::commands::report) fn duplicates(&self) -> [i64; 2] {
        self.objects.get("DUPLICATE").copied().unwrap_or_default()
    }
}
