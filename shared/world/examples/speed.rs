//! Makes a view in memory, part by part, and says how much it was: `time speed fhir|tables PATIENTS [keys]`.

use std::io::Write as _;

use metriccare_fhir::write::FhirVersion;
use metriccare_world::{Answers, FhirWriter, Known, Measures, Resources, Rows, Spec, TablesWriter, World};

const PART: u64 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let patients: u64 = arguments.get(2).ok_or("usage: speed fhir|tables PATIENTS [keys]")?.parse()?;
    let world = World::new(Spec { patients, ..Spec::default() })?;
    let (mut records, mut bytes) = (0, 0);
    let parts = (0..patients).step_by(PART as usize).map(|from| from..(from + PART).min(patients));
    if arguments[1] == "fhir" {
        let mut writer = FhirWriter::new(&world, FhirVersion::R5, Known::YearEnd);
        let mut key = arguments.get(3).map(|_| Answers::new(&world));
        let mut out = Resources::default();
        for part in parts {
            out.clear();
            writer.write(part, &mut out, key.as_mut());
            records += out.counts.iter().sum::<u64>();
            bytes += out.patient.len() + out.encounter.len() + out.condition.len();
        }
    } else {
        let mut writer = TablesWriter::new(&world);
        let (mut out, mut measures) = (Rows::default(), Measures::new(&world));
        for part in parts {
            out.clear();
            writer.write(part, &mut out, &mut measures);
            records += out.counts.iter().sum::<u64>();
            bytes += out.patients.len() + out.encounters.len() + out.claims.len() + out.registry.len();
        }
    }
    writeln!(std::io::stdout(), "{records} records, {bytes} bytes")?;
    Ok(())
}
