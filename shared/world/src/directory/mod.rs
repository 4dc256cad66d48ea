//! The directory: hospitals, their departments and their clinicians.
//!
//! It depends on the spec alone and is made once per world. Hospital i and its towns are the same whatever the number
//! of patients; only the staffed beds grow with the population, so that about 72 % of them are taken. Every hospital
//! that admits inpatients has a bed, however small the world is.

mod clinicians;
mod hospitals;

pub use clinicians::Clinician;
pub use hospitals::Hospital;

use crate::department::Department;
use crate::facility::Service;
use crate::ids::{IdKind, Ids};
use crate::spec::Spec;
use crate::stream::Stream;
use crate::tables::Tables;

/// How much less patients keep to their hospital where others have a department, or all their beds, for what they have.
const SPECIAL_LOYALTY: f64 = 0.25;

/// All hospitals and clinicians of a world.
#[derive(Clone, Debug)]
pub struct Directory {
    hospitals: Vec<Hospital>,
    clinicians: Vec<Clinician>,
    /// For each hospital and department the range of its clinicians, which are sorted that way.
    ranges: Vec<[(u32, u32); Department::ALL.len()]>,
    /// The hospitals' shares of the stays of each service.
    inpatient: [Vec<f64>; Service::COUNT],
    homes: Vec<f64>,
}

impl Directory {
    pub(crate) fn new(spec: &Spec, ids: &Ids, tables: &Tables) -> Directory {
        let hospitals = hospitals::make(spec, ids, &tables.hospitals);
        let clinicians = clinicians::make(spec, ids, tables, &hospitals);
        let ranges = clinicians::ranges(&clinicians, hospitals.len());
        let inpatient =
            hospitals::SERVICES.map(|service| hospitals.iter().map(|hospital| hospital.share(service)).collect());
        let homes = hospitals.iter().map(|hospital| hospital.home_share).collect();
        Directory { hospitals, clinicians, ranges, inpatient, homes }
    }

    /// The hospitals, in order.
    pub fn hospitals(&self) -> &[Hospital] {
        &self.hospitals
    }

    /// The clinicians, by hospital and department.
    pub fn clinicians(&self) -> &[Clinician] {
        &self.clinicians
    }

    /// Picks the hospital that a patient goes to by habit.
    pub(crate) fn home(&self, stream: &mut Stream) -> u16 {
        stream.weighted(self.homes.iter().copied()) as u16
    }

    /// Picks a hospital that takes stays of a service: the preferred one where it does and no reason speaks against it.
    pub(crate) fn with_beds(&self, service: Service, preferred: u16, loyalty: f64, stream: &mut Stream) -> u16 {
        let shares = &self.inpatient[service as usize];
        let loyalty = if service == Service::General { loyalty } else { loyalty * SPECIAL_LOYALTY };
        if shares[usize::from(preferred)] > 0.0 && stream.chance(loyalty) {
            return preferred;
        }
        stream.weighted(shares.iter().copied()) as u16
    }

    /// Picks another hospital than `from`, if there is one: one of the large ones, which take transfers.
    pub(crate) fn transfer_target(&self, from: u16, stream: &mut Stream) -> Option<u16> {
        let shares = &self.inpatient[Service::General as usize];
        let large = shares.iter().take(3).enumerate();
        let weights = large.map(|(i, &share)| if i == usize::from(from) { 0.0 } else { share });
        let at = stream.weighted(weights) as u16;
        (at != from && shares[usize::from(at)] > 0.0).then_some(at)
    }

    /// Picks a clinician of a department, of the hospital where the department has none, of all where the hospital has none.
    pub(crate) fn clinician(&self, hospital: u16, department: Department, stream: &mut Stream) -> u32 {
        let ranges = &self.ranges[usize::from(hospital)];
        let (mut low, mut high) = ranges[department as usize];
        if low == high {
            (low, high) = (ranges[0].0, ranges[Department::ALL.len() - 1].1);
        }
        if low == high {
            (low, high) = (0, self.clinicians.len() as u32);
        }
        low + stream.index(high - low)
    }

    /// The text of `reference/hospitals.csv`: hospital_name, staffed_beds, city, state.
    pub fn hospitals_csv(&self) -> String {
        let mut text = String::from("hospital_name,staffed_beds,city,state\n");
        for hospital in &self.hospitals {
            text.push_str(&format!(
                "{},{},{},{}\n",
                hospital.name, hospital.staffed_beds, hospital.city, hospital.state
            ));
        }
        text
    }
}

/// The id of a department of a hospital as a Location.
pub(crate) fn location_id(ids: &Ids, hospital: u16, department: Department) -> metriccare_fhir::write::Id {
    ids.id(IdKind::Location, u64::from(hospital), department as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(spec: &Spec) -> Directory {
        Directory::new(spec, &Ids::new(spec.seed, spec.year), &Tables::shipped())
    }

    #[test]
    fn the_first_three_hospitals_are_the_named_ones() {
        let directory = directory(&Spec::default());
        let names: Vec<&str> = directory.hospitals().iter().map(|h| h.name.as_str()).collect();
        assert_eq!(
            names[..3],
            ["MetricCare Hospital - Charlotte", "MetricCare Hospital - Raleigh", "MetricCare Hospital - Durham"]
        );
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!((names.len(), distinct.len(), directory.clinicians().len()), (50, 50, 500));
        assert!(directory.hospitals_csv().lines().nth(1).unwrap().starts_with("MetricCare Hospital - Charlotte,"));
    }

    #[test]
    fn hospitals_have_staffed_beds_and_clinics_none() {
        for patients in [1, 300, 1_000, 10_000, 30_000, 100_000, 5_000_000] {
            let directory = directory(&Spec { patients, ..Spec::default() });
            for hospital in directory.hospitals() {
                assert_eq!(hospital.staffed_beds > 0, hospital.admits(), "{} of {patients}", hospital.name);
            }
        }
        let beds = |patients| -> u32 {
            let directory = directory(&Spec { patients, ..Spec::default() });
            directory.hospitals().iter().map(|hospital| hospital.staffed_beds).sum()
        };
        assert_eq!(beds(100_000), 537, "days of 100,000 patients over the year, 72.5 % taken");
        assert!((54..=58).contains(&beds(10_000)), "small hospitals' beds come out of large ones: {}", beds(10_000));
    }

    #[test]
    fn any_number_of_hospitals_and_clinicians_works() {
        for (facilities, providers) in [(1, 1), (2, 500), (3, 2), (400, 100)] {
            let directory = directory(&Spec { facilities, providers, ..Spec::default() });
            assert_eq!(directory.hospitals().len(), facilities as usize);
            assert_eq!(directory.clinicians().len(), providers as usize);
            let mut stream = Stream::new(1, 2025, 0, crate::stream::Purpose::Directory);
            for hospital in 0..facilities as u16 {
                for department in Department::ALL {
                    assert!(directory.clinician(hospital, department, &mut stream) < providers);
                }
            }
        }
    }
}
