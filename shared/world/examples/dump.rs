//! Writes a world as NDJSON into a folder, for the validators: `dump DIR SPEC [r4|r5]`, the spec as JSON.

use std::path::Path;

use metriccare_fhir::write::FhirVersion;
use metriccare_world::{Answers, FhirWriter, Known, Resources, Spec, World, fhir_directory};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let usage = "usage: dump DIR SPEC [r4|r5]";
    let folder = Path::new(arguments.get(1).ok_or(usage)?);
    let spec: Spec = serde_json::from_str(arguments.get(2).ok_or(usage)?)?;
    let patients = spec.patients;
    let version = if arguments.get(3).is_some_and(|v| v == "r4") { FhirVersion::R4 } else { FhirVersion::R5 };
    let world = World::new(spec)?;
    let (mut out, mut key) = (Resources::default(), Answers::new(&world));
    FhirWriter::new(&world, version, Known::YearEnd).write(0..patients, &mut out, Some(&mut key));
    let directory = fhir_directory(&world, version);
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("hospitals.csv"), world.directory().hospitals_csv())?;
    std::fs::write(folder.join("answers.json"), key.to_json())?;
    let expected: Vec<String> = key.expected().iter().map(|row| format!("{row:?}\n")).collect();
    std::fs::write(folder.join("expected.txt"), expected.concat())?;
    let files = [
        ("patient", &out.patient),
        ("encounter", &out.encounter),
        ("condition", &out.condition),
        ("organization", &directory.organization),
        ("location", &directory.location),
        ("practitioner", &directory.practitioner),
    ];
    for (name, bytes) in files {
        std::fs::write(folder.join(format!("{name}.ndjson")), bytes)?;
    }
    Ok(())
}
