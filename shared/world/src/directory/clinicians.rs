//! Clinicians: spread over the hospitals by size, and over the departments of each.

use metriccare_fhir::write::{Gender, Id};

use super::hospitals::Hospital;
use crate::department::Department;
use crate::ids::{IdKind, Ids};
use crate::spec::Spec;
use crate::stream::{Purpose, Stream};
use crate::tables::Tables;

/// A physician.
#[derive(Clone, Debug)]
pub struct Clinician {
    /// The Practitioner's id.
    pub id: Id,
    /// The hospital's index.
    pub hospital: u16,
    /// The department.
    pub department: Department,
    /// The given name.
    pub given: &'static str,
    /// The family name.
    pub family: &'static str,
    /// Given and family name, as references display it.
    pub name: String,
    /// Administrative gender.
    pub gender: Gender,
}

pub(super) fn make(spec: &Spec, ids: &Ids, tables: &Tables, hospitals: &[Hospital]) -> Vec<Clinician> {
    let mut stream = Stream::new(spec.seed, spec.year, 0, Purpose::Directory);
    let mut clinicians: Vec<Clinician> = (0..spec.providers)
        .map(|i| {
            // The first ones go round, so that no hospital is without a clinician while there are enough.
            let hospital = if (i as usize) < hospitals.len() {
                i as usize
            } else {
                stream.weighted(hospitals.iter().map(|h| h.inpatient_share + h.home_share))
            };
            let kind = hospitals[hospital].kind;
            let staffed = |d: Department| d.belongs_to(kind);
            let weights = Department::ALL.into_iter().map(|d| if staffed(d) { d.staff() } else { 0.3 });
            let department = Department::ALL[stream.weighted(weights)];
            let woman = stream.chance(0.45);
            let names = if woman { &tables.names.female } else { &tables.names.male };
            let given = names[stream.index(names.len() as u32) as usize];
            let family = tables.names.family[stream.index(tables.names.family.len() as u32) as usize];
            Clinician {
                id: ids.id(IdKind::Practitioner, u64::from(i), 0),
                hospital: hospital as u16,
                department,
                given,
                family,
                name: format!("{given} {family}"),
                gender: if woman { Gender::Female } else { Gender::Male },
            }
        })
        .collect();
    clinicians.sort_by_key(|clinician| (clinician.hospital, clinician.department));
    clinicians
}

/// For each hospital and department the range of its clinicians in the sorted list.
pub(super) fn ranges(clinicians: &[Clinician], hospitals: usize) -> Vec<[(u32, u32); Department::ALL.len()]> {
    let mut ranges = vec![[(0, 0); Department::ALL.len()]; hospitals];
    for (hospital, row) in ranges.iter_mut().enumerate() {
        for department in Department::ALL {
            let key = (hospital as u16, department);
            let low = clinicians.partition_point(|c| (c.hospital, c.department) < key);
            let high = clinicians.partition_point(|c| (c.hospital, c.department) <= key);
            row[department as usize] = (low as u32, high as u32);
        }
    }
    ranges
}
