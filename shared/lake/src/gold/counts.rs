//! The counts that buckets add up, by name.
//!
//! Sums saturate: counts of records never come near the limit, and a damaged partial must not stop the fold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Sums by key, in the order of the keys.
pub type Sums<K, V> = BTreeMap<K, V>;

/// Integers that add up.
pub trait Counts: Copy + Default + PartialEq {
    /// Adds others.
    fn add(&mut self, more: Self);

    /// Whether every count is 0.
    fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl Counts for i64 {
    fn add(&mut self, more: Self) {
        *self = self.saturating_add(more);
    }
}

/// Adds counts under a key.
pub(super) fn add<K: Ord, C: Counts>(sums: &mut Sums<K, C>, key: K, counts: C) {
    sums.entry(key).or_default().add(counts);
}

/// Declares counts as a struct whose fields add up one by one.
macro_rules! counts {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $field:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$of])* pub $field: i64),+
        }

        impl Counts for $name {
            fn add(&mut self, more: Self) {
                $(self.$field.add(more.$field);)+
            }
        }
    };
}

counts! {
    /// Index stays and those readmitted, by definition.
    ReadmissionCounts {
        /// Stays: every one is an index stay of the naive definition.
        naive_index,
        /// Stays followed by another within 30 days.
        naive_readmitted,
        /// Index stays of the all-payer, unplanned definition.
        unplanned_index,
        /// Those of them with an unplanned return.
        unplanned_readmitted,
        /// Index stays of the 65-plus definition.
        hwr_index,
        /// Those of them with an unplanned return.
        hwr_readmitted,
    }
}

counts! {
    /// Stays and deaths, by definition.
    MortalityCounts {
        /// Stays by month of discharge.
        in_hospital_stays,
        /// Those that ended in death.
        in_hospital_deaths,
        /// Stays by month of admission, but those that a transfer led to.
        thirty_day_stays,
        /// Those whose patient died within 30 days of admission.
        thirty_day_deaths,
    }
}

counts! {
    /// Infections by where they began.
    InfectionCounts {
        /// By month of onset.
        hospital_onset,
        /// By month of admission.
        present_on_admission,
    }
}

counts! {
    /// Completed and open encounters.
    LoadCounts {
        /// Of every class.
        encounters,
        /// Emergency encounters.
        emergency,
        /// Inpatient encounters.
        inpatient,
        /// Microseconds of completed encounters.
        micros,
    }
}

counts! {
    /// Stays and outcomes of a group of patients.
    DemographicCounts {
        /// Stays.
        stays,
        /// Index stays of the all-payer, unplanned definition.
        index_stays,
        /// Those of them with an unplanned return.
        readmissions,
        /// Deaths in hospital.
        deaths,
        /// Distinct patients.
        patients,
    }
}

counts! {
    /// Stays for one disease and their outcomes.
    CohortCounts {
        /// Index stays of the 65-plus definition.
        index_stays,
        /// Those of them with an unplanned return.
        readmissions,
        /// Stays of patients from 65 years, but those that a transfer led to.
        stays,
        /// Those whose patient died within 30 days of admission.
        deaths_30d,
    }
}

counts! {
    /// Resources that refer to nothing, or to what the lake does not have.
    UnlinkedCounts {
        /// Encounters that name no patient.
        encounters_without_patient,
        /// Encounters whose patient is not in the lake.
        encounters_with_unknown_patient,
        /// Conditions that name no encounter.
        conditions_without_encounter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_by_field_and_saturate() {
        let mut load = LoadCounts { encounters: 1, micros: i64::MAX, ..LoadCounts::default() };
        load.add(LoadCounts { encounters: 2, emergency: 1, micros: 1, ..LoadCounts::default() });
        assert_eq!(load, LoadCounts { encounters: 3, emergency: 1, inpatient: 0, micros: i64::MAX });
        assert!(!load.is_zero());
        assert!(LoadCounts::default().is_zero());
    }
}
