//! One Encounter as a person reads it: what the first source document's generator prints on the console.

use metriccare_fhir::write::FhirVersion;
use metriccare_world::{FhirWriter, Known, Resources, World};

use crate::output::failure::Failure;

/// The first patient's first Encounter, indented, below a line that says what it is; empty if there is none.
pub(super) fn show(world: &World, version: FhirVersion) -> Result<String, Failure> {
    let mut resources = Resources::default();
    FhirWriter::new(world, version, Known::YearEnd).write(0..1, &mut resources, None);
    let lines = resources.encounter.split(|byte| *byte == b'\n');
    let Some(encounter) = lines.into_iter().find(|line| !line.is_empty()) else { return Ok(String::new()) };
    Ok(format!("Patient 'Encounter' data\n{}\n\n", indented(encounter)?))
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
    fn the_first_encounter_is_the_one_that_is_written() {
        let world = World::new(metriccare_world::Spec { patients: 1, ..Default::default() }).expect("possible");
        let text = show(&world, FhirVersion::R5).expect("an encounter");
        let json = text.strip_prefix("Patient 'Encounter' data\n").expect("a title");
        let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(value["resourceType"], "Encounter");
        assert!(value["actualPeriod"]["start"].is_string() && value["subject"]["reference"].is_string(), "{json}");
    }
}
