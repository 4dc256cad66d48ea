//! The hospitals, departments and clinicians as FHIR resources.

use metriccare_fhir::write as fhir;
use metriccare_fhir::write::{FhirVersion, Meta, Named, write_location, write_organization, write_practitioner};

use crate::department::Department;
use crate::directory::location_id;
use crate::world::World;

/// NDJSON of the directory: what patients' resources refer to.
#[derive(Clone, Debug, Default)]
pub struct DirectoryResources {
    /// Organization lines, one per hospital.
    pub organization: Vec<u8>,
    /// Location lines, one per hospital and department.
    pub location: Vec<u8>,
    /// Practitioner lines.
    pub practitioner: Vec<u8>,
}

/// Writes the hospitals, departments and clinicians of a world.
pub fn directory(world: &World, version: FhirVersion) -> DirectoryResources {
    let meta = Meta { version: 1, last_updated: world.year.first().midnight() };
    let mut out = DirectoryResources::default();
    for (i, hospital) in world.directory.hospitals().iter().enumerate() {
        let (id, name) = (hospital.id, hospital.name.as_str());
        let organization = fhir::Organization { id, meta, name, city: hospital.city, state: hospital.state };
        write_organization(&mut out.organization, &organization, version);
        for department in Department::ALL {
            let location = fhir::Location {
                id: location_id(&world.ids, i as u16, department),
                meta,
                name: department.name(),
                managing_organization: Named { id, display: name },
            };
            write_location(&mut out.location, &location);
        }
    }
    for clinician in world.directory.clinicians() {
        let practitioner = fhir::Practitioner {
            id: clinician.id,
            meta,
            family: clinician.family,
            given: clinician.given,
            gender: clinician.gender,
            specialty: clinician.department.name(),
        };
        write_practitioner(&mut out.practitioner, &practitioner);
    }
    out
}
