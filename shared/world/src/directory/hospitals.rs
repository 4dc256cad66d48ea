//! Hospitals: names, places, the towns around them, their share of the patients, and their staffed beds.
//!
//! The first three hold four fifths of the inpatients, so that a small world's figures are not spread over fifty
//! hospitals; from the 21st on they are clinics without beds.

use metriccare_fhir::write::Id;

use crate::cohorts::Cohorts;
use crate::facility::{FacilityKind, Service};
use crate::ids::{IdKind, Ids};
use crate::spec::Spec;
use crate::tables::{HospitalRow, Town};

/// Inpatient days per patient and year that a world without exact shares makes, on average.
const DAYS_PER_PATIENT: f64 = 1.42;

/// The share of staffed beds that is meant to be taken.
const TARGET_OCCUPANCY: f64 = 0.725;

/// How much of a hospital's beds may be taken, on average, after it gave one to a hospital that has none: five of six.
const MOST_OCCUPANCY: f64 = 5.0 / 6.0;

/// A hospital, or a clinic.
#[derive(Clone, Debug)]
pub struct Hospital {
    /// The Organization's id.
    pub id: Id,
    /// The name.
    pub name: String,
    /// What kind of facility it is.
    pub kind: FacilityKind,
    /// The city it stands in.
    pub city: &'static str,
    /// The state, two letters.
    pub state: &'static str,
    /// The towns around it.
    pub towns: Vec<Town>,
    /// The staffed inpatient beds: at least 1, and 0 for a clinic.
    pub staffed_beds: u32,
    /// The licensed beds: no fewer than are staffed.
    pub licensed_beds: u32,
    /// The share of the stays of the services that it has, relative to the other hospitals; 0 for a clinic.
    pub(super) inpatient_share: f64,
    /// The share of patients who are at home here, relative to the other hospitals.
    pub(super) home_share: f64,
    /// How often its patients are readmitted, relative to the average hospital.
    pub(crate) readmission: f64,
    /// How often its patients die, relative to the average hospital.
    pub(crate) mortality: f64,
}

impl Hospital {
    /// Whether it admits inpatients.
    pub fn admits(&self) -> bool {
        self.kind != FacilityKind::Clinic
    }

    /// Its share of the stays of a service, relative to the other hospitals.
    pub(super) fn share(&self, service: Service) -> f64 {
        if self.kind.takes(service) { self.inpatient_share } else { 0.0 }
    }
}

/// The services, in the order of their numbers.
pub(super) const SERVICES: [Service; Service::COUNT] =
    [Service::General, Service::Child, Service::Psychiatric, Service::Rehabilitation];

/// The share of patients who are at home in a facility other than a general hospital.
const ELSEWHERE_HOME_SHARE: f64 = 0.35;

pub(super) fn make(spec: &Spec, ids: &Ids, known: &[HospitalRow]) -> Vec<Hospital> {
    let mut hospitals: Vec<Hospital> = (0..spec.facilities as usize)
        .map(|i| {
            // Where more are asked for than the table has, the rest are clinics in the same towns.
            let (row, round) = (&known[i % known.len()], i / known.len());
            let kind = if round == 0 { row.kind } else { FacilityKind::Clinic };
            let inpatient_share = if round == 0 { row.inpatient } else { 0.0 };
            Hospital {
                id: ids.id(IdKind::Organization, i as u64, 0),
                name: if round == 0 { row.name.to_owned() } else { format!("{} Outpatient Center {round}", row.city) },
                kind,
                city: row.city,
                state: row.state,
                towns: row.towns.clone(),
                staffed_beds: 0,
                licensed_beds: 0,
                inpatient_share,
                home_share: if kind.general() { inpatient_share } else { ELSEWHERE_HOME_SHARE },
                readmission: row.readmission,
                mortality: row.mortality,
            }
        })
        .collect();
    staff_beds(&mut hospitals, spec);
    for hospital in &mut hospitals {
        hospital.licensed_beds = hospital.kind.licensed_beds(hospital.staffed_beds);
    }
    hospitals
}

/// The share of all inpatient days that each hospital is to expect; together 1.
fn expected_days(hospitals: &[Hospital]) -> Vec<f64> {
    let mut expected = vec![0.0; hospitals.len()];
    let mut all = 0.0;
    for (service, days) in SERVICES.into_iter().zip(Service::DAYS) {
        let shares: f64 = hospitals.iter().map(|hospital| hospital.share(service)).sum();
        for (sum, hospital) in expected.iter_mut().zip(hospitals) {
            *sum += days * hospital.share(service) / shares;
        }
        all += days;
    }
    expected.iter_mut().for_each(|sum| *sum /= all);
    expected
}

/// Inpatient days per patient and year to expect, with the stays that exact shares ask for.
fn days_per_patient(spec: &Spec) -> f64 {
    let cohorts = Cohorts::of(&spec.cohort_shares());
    let of_patients = |count: u64| count as f64 / spec.patients as f64;
    let (first, second) = (of_patients(cohorts.stays()), of_patients(cohorts.encounters_needed() - cohorts.stays()));
    // Where only the cohort may have stays, nobody else's days come on top.
    if spec.alos_pct.is_some() { 5.6 * first + 5.0 * second } else { DAYS_PER_PATIENT + 5.0 * (first + second) }
}

/// Staffs every hospital with inpatients, so that about the target is taken of all beds.
///
/// Beds are shared out by largest remainder; a hospital that gets none that way is given one. Those come out of the
/// hospitals that can spare one and stay below [`MOST_OCCUPANCY`]. What a world is too small to take from anybody stays
/// on top: it then has more beds than patients need, as small hospitals do.
fn staff_beds(hospitals: &mut [Hospital], spec: &Spec) {
    let census = spec.patients as f64 * days_per_patient(spec) / 365.0;
    let beds = libm::round(census / TARGET_OCCUPANCY).max(1.0);
    let expected = expected_days(hospitals);
    let mut left = beds as u32;
    let mut remainders: Vec<(f64, usize)> = Vec::new();
    for (i, hospital) in hospitals.iter_mut().enumerate() {
        let exact = beds * expected[i];
        hospital.staffed_beds = exact as u32;
        left -= hospital.staffed_beds.min(left);
        remainders.push((exact - f64::from(hospital.staffed_beds), i));
    }
    remainders.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, i) in remainders.into_iter().take(left as usize) {
        hospitals[i].staffed_beds += 1;
    }
    let mut given = 0;
    for hospital in hospitals.iter_mut().filter(|hospital| hospital.admits() && hospital.staffed_beds == 0) {
        hospital.staffed_beds = 1;
        given += 1;
    }
    let with_one_less = |i: usize, hospital: &Hospital| census * expected[i] / f64::from(hospital.staffed_beds - 1);
    for _ in 0..given {
        let spare = (0..hospitals.len())
            .filter(|&i| hospitals[i].staffed_beds > 1 && with_one_less(i, &hospitals[i]) <= MOST_OCCUPANCY)
            .min_by(|&a, &b| with_one_less(a, &hospitals[a]).total_cmp(&with_one_less(b, &hospitals[b])));
        let Some(i) = spare else { break };
        hospitals[i].staffed_beds -= 1;
    }
}
