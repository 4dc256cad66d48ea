//! The order of a patient's stays, and the stay before and after each.
//!
//! A stay is a completed inpatient encounter with both times, discharge not before admission. Stays of one patient are
//! ordered by (admission, discharge, id). Overlapping stays are neither prior nor next to each other. Silver needs the
//! prior stay, gold the next one; both find it here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::class::INPATIENT;
use super::status::{Phase, phase};

/// Whether an encounter is a stay.
pub fn is_stay(class: Option<&str>, status: Option<&str>, admission: Option<i64>, discharge: Option<i64>) -> bool {
    class == Some(INPATIENT)
        && phase(status) == Phase::Completed
        && matches!((admission, discharge), (Some(start), Some(end)) if end >= start)
}

/// A stay's place in its patient's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StayTimes<'a> {
    /// The patient, as a number that equal patients share; none chains with nothing.
    pub patient: Option<u32>,
    /// Admission, in microseconds.
    pub admission: i64,
    /// Discharge, in microseconds.
    pub discharge: i64,
    /// The encounter's id.
    pub id: &'a str,
    /// Whatever row the caller took the stay from.
    pub row: u32,
}

/// Sorts stays by patient and place, and hands each patient's stays to `each`.
pub fn for_each_patient<'a>(stays: &mut [StayTimes<'a>], mut each: impl FnMut(&[StayTimes<'a>])) {
    stays.sort_unstable();
    for chain in stays.chunk_by(|a, b| a.patient.is_some() && a.patient == b.patient) {
        each(chain);
    }
}

/// For each of a patient's ordered stays, the place of its prior stay.
///
/// Among the stays before it in order that ended by its admission: the one with the latest discharge, of equal ones the
/// later in order.
pub fn prior_stays(chain: &[StayTimes<'_>]) -> Vec<Option<usize>> {
    let mut ending = BinaryHeap::new();
    let mut prior: Option<(i64, usize)> = None;
    let mut result = Vec::with_capacity(chain.len());
    for (place, stay) in chain.iter().enumerate() {
        // Admissions never decrease along the chain, so what has ended once has ended for all that follow.
        while let Some(&Reverse(ended)) = ending.peek() {
            let (discharge, _) = ended;
            if discharge > stay.admission {
                break;
            }
            ending.pop();
            prior = prior.max(Some(ended));
        }
        result.push(prior.map(|(_, place)| place));
        ending.push(Reverse((stay.discharge, place)));
    }
    result
}

/// For each of a patient's ordered stays, the place of its next stay: the first after it in order that begins at its
/// discharge or later.
pub fn next_stays(chain: &[StayTimes<'_>]) -> Vec<Option<usize>> {
    let next = |(place, stay): (usize, &StayTimes<'_>)| {
        let begun = chain.partition_point(|other| other.admission < stay.discharge);
        Some(begun.max(place + 1)).filter(|next| *next < chain.len())
    };
    chain.iter().enumerate().map(next).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chain(times: &[(i64, i64)]) -> Vec<StayTimes<'static>> {
        let stay = |(row, (admission, length)): (usize, &(i64, i64))| StayTimes {
            patient: Some(0),
            admission: *admission,
            discharge: admission + length,
            id: "",
            row: row as u32,
        };
        let mut chain: Vec<_> = times.iter().enumerate().map(stay).collect();
        chain.sort_unstable();
        chain
    }

    #[test]
    fn a_stay_is_completed_inpatient_and_ends_when_it_began_or_later() {
        let stay = (Some("inpatient"), Some("completed"), Some(5), Some(9));
        let is = |(class, status, admission, discharge)| is_stay(class, status, admission, discharge);
        assert!(is(stay));
        assert!(is((stay.0, Some("discharged"), stay.2, stay.3)), "a patient who has left");
        assert!(is((stay.0, stay.1, Some(9), Some(9))), "no time at all is a stay too");
        for class in [Some("emergency"), Some("outpatient"), Some("home"), None] {
            assert!(!is((class, stay.1, stay.2, stay.3)), "{class:?}");
        }
        for status in [Some("in-progress"), Some("planned"), Some("cancelled"), Some("entered-in-error"), None] {
            assert!(!is((stay.0, status, stay.2, stay.3)), "{status:?}");
        }
        for (admission, discharge) in [(None, Some(9)), (Some(5), None), (None, None), (Some(10), Some(9))] {
            assert!(!is((stay.0, stay.1, admission, discharge)), "{admission:?} to {discharge:?}");
        }
    }

    proptest! {
        #[test]
        fn neighbours_are_as_defined(times in prop::collection::vec((0..12i64, 0..6i64), 0..12)) {
            let chain = chain(&times);
            let (prior, next) = (prior_stays(&chain), next_stays(&chain));
            for (i, stay) in chain.iter().enumerate() {
                let expected = (0..i).filter(|j| chain[*j].discharge <= stay.admission).max_by_key(|j| (chain[*j].discharge, *j));
                prop_assert_eq!(prior[i], expected);
                let expected = (i + 1..chain.len()).find(|j| chain[*j].admission >= stay.discharge);
                prop_assert_eq!(next[i], expected);
            }
        }
    }

    #[test]
    fn stays_without_a_patient_stand_alone() {
        let stay = |patient, id| StayTimes { patient, admission: 0, discharge: 0, id, row: 0 };
        let mut stays = [stay(None, "a"), stay(None, "b"), stay(Some(1), "c"), stay(Some(1), "d")];
        let mut sizes = Vec::new();
        for_each_patient(&mut stays, |chain| sizes.push(chain.len()));
        assert_eq!(sizes, [1, 1, 2]);
    }
}
