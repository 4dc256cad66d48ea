//! One Patient and one Encounter as a person reads them: what the generators of the source documents print on the console.

use metriccare_fhir::write::{Date, FhirVersion};
use metriccare_world::{FhirWriter, Known, Resources, World};

use crate::{lake::landing_key::landing_key, output::failure::Failure};

/// The first patient and its first Encounter, indented, each below a line that says what it is and above the key that it could
/// land under. A patient without encounters is shown alone.
pub(super) fn show(world: &World, version: FhirVersion) -> Result<String, Failure> {
    let mut resources = Resources::default();
    FhirWriter::new(world, version, Known::YearEnd).write(0..1, &mut resources, None);
    let date = Date::from_ymd(world.spec().year, 12, 31).to_string().replace('-', "/");
    let mut text = String::new();
    for (title, kind, lines) in [
        ("Patient data", "patient", &resources.patient),
        ("Patient 'Encounter' data", "encounter", &resources.encounter),
    ] {
        let Some(resource) = lines.split(|byte| *byte == b'\n').find(|line| !line.is_empty()) else { continue };
        let value: serde_json::Value =
            serde_json::from_slice(resource).map_err(|error| Failure::failed(error.to_string()))?;
        let name = format!("{kind}_{}.json", value["id"].as_str().unwrap_or_default());
        let key = landing_key(None, &name, &date);
        text += &format!("{title}\n{}\nSuggested S3 path: s3://<landing bucket>/{key}\n\n", indented(resource)?);
    }
    Ok(text)
}

/// JSON with line breaks and two spaces a level, its fields in their order.
fn indented(json: &[u8]) -> Result<String, Failure> {
    let mut text = Vec::new();
    let mut from = serde_json::Deserializer::from_slice(json);
    let mut to = serde_json::Serializer::pretty(&mut text);
    serde_transcode::transcode(&mut from, &mut to).map_err(|error| Failure::failed(error.to_string()))?;
    String::from_utf8(text).map_err(|error| Failure::failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order() {
        let json = br#"{"resourceType":"Encounter","id":"e","length":{"value":1.50}}"#;
        let text =
            "{\n  \"resourceType\": \"Encounter\",\n  \"id\": \"e\",\n  \"length\": {\n    \"value\": 1.5\n  }\n}";
        assert_eq!(indented(json).expect("JSON"), text);
    }

    #[test]
    fn the_first_patient_and_encounter_are_those_that_are_written() {
        let world = World::new(metriccare_world::Spec { patients: 1, ..Default::default() }).expect("possible");
        let text = show(&world, FhirVersion::R5).expect("resources");
        let (patient, encounter) = text.split_once("Patient 'Encounter' data\n").expect("two titles");
        let value_and_path = |text: &str| -> (serde_json::Value, String) {
            let (json, path) = text.trim_end().split_once("\nSuggested S3 path: ").expect("a path");
            (serde_json::from_str(json).expect("JSON"), path.to_owned())
        };
        let (patient, path) = value_and_path(patient.strip_prefix("Patient data\n").expect("a title"));
        let id = patient["id"].as_str().expect("an id");
        assert_eq!(path, format!("s3://<landing bucket>/patient/2025/12/31/patient_{id}.json"));
        let (value, path) = value_and_path(encounter);
        assert_eq!(value["resourceType"], "Encounter");
        assert!(value["actualPeriod"]["start"].is_string(), "{value}");
        assert_eq!(value["subject"]["reference"], format!("Patient/{id}"));
        assert!(path.starts_with("s3://<landing bucket>/encounter/2025/12/31/encounter_"), "{path}");
    }
}
