//! What a lake does not link: encounters without a known patient, conditions without an encounter.

use metriccare_flow::Worker;
use metriccare_lake::{
    gold::{
        Partial,
        counts::{Counts, UnlinkedCounts},
    },
    keys,
};

use super::rows::read_file;
use crate::output::{counted, failure::Failure};

/// The counts of all buckets, as gold has them.
pub(crate) async fn unlinked(worker: &Worker) -> Result<UnlinkedCounts, Failure> {
    let mut all = UnlinkedCounts::default();
    for bucket in 0..worker.buckets {
        let key = keys::gold_partial(bucket, worker.buckets);
        if let Some(bytes) = read_file(worker, &key).await? {
            let partial = Partial::from_json(&bytes).map_err(|error| Failure::failed(format!("{key}: {error}")))?;
            all.add(partial.unlinked);
        }
    }
    Ok(all)
}

/// The counts as text; none if everything is linked.
pub(crate) fn describe(counts: &UnlinkedCounts) -> Option<String> {
    let parts = [
        (counts.encounters_without_patient, "encounter", "without a patient"),
        (counts.encounters_with_unknown_patient, "encounter", "with a patient that is not in the lake"),
        (counts.conditions_without_encounter, "condition", "without an encounter"),
    ];
    let some = parts.into_iter().filter(|(count, ..)| *count > 0);
    let parts: Vec<_> =
        some.map(|(count, noun, what)| format!("{} {what}", counted(count.unsigned_abs(), noun))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_linked_is_named() {
        assert_eq!(describe(&UnlinkedCounts::default()), None);
        let counts = UnlinkedCounts {
            encounters_without_patient: 1,
            conditions_without_encounter: 2_000,
            ..UnlinkedCounts::default()
        };
        let words = "1 encounter without a patient, 2,000 conditions without an encounter";
        assert_eq!(describe(&counts).as_deref(), Some(words));
    }
}
