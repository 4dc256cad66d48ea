//! What single references mean, how often an object is read for them, and ids of a source.

use std::{
    io::{self, Cursor, Read},
    num::NonZeroUsize,
};

use super::{
    Limits,
    tests::{Memory, column, flat, source},
};

#[test]
fn an_identifier_is_never_an_id() {
    let encounter = r#"{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient?identifier=urn:mrn|17"}}"#;
    let patient = |id: &str| {
        format!(r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"urn:mrn","value":"17"}}]}}"#)
    };
    let ids = |lines: &[&str]| column(&flat("a.ndjson", &lines.join("\n")), "bronze/encounter", "patient_id");
    assert_eq!(ids(&[encounter]), [None]);
    assert_eq!(ids(&[encounter, &patient("p")]), [Some("p".to_owned())]);
    assert_eq!(ids(&[&patient("p"), encounter, &patient("p")]), [Some("p".to_owned())]);
    assert_eq!(ids(&[&patient("p"), encounter, &patient("q")]), [None]);
    let got = flat("a.ndjson", encounter);
    assert_eq!(got.counts.unresolved.get("Encounter.subject"), Some(&1));
    assert_eq!(got.counts.encounters, 1);
}

#[test]
fn an_object_without_open_references_is_read_once() {
    let readings = |key: &str, text: &str| {
        let mut readings = 0;
        let open = || -> io::Result<Box<dyn Read + Send>> {
            readings += 1;
            Ok(Box::new(Cursor::new(text.as_bytes().to_vec())))
        };
        super::flatten(&source(key), open, &mut Memory, NonZeroUsize::MIN, Limits::default())
            .expect("memory does not fail");
        readings
    };
    let patient = r#"{"resourceType":"Patient","id":"p","identifier":[{"value":"17"}]}"#;
    let by_id = r#"{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient/p"}}"#;
    let by_mrn = r#"{"resourceType":"Encounter","id":"e","subject":{"identifier":{"value":"17"}}}"#;
    let by_other_mrn = r#"{"resourceType":"Encounter","id":"e","subject":{"identifier":{"value":"18"}}}"#;
    let in_bundle = |resources: &[&str], url: &str| {
        let entries: Vec<_> = resources.iter().map(|one| format!(r#"{{"resource":{one}}}"#)).collect();
        let addressed = format!(r#"{{"fullUrl":"{url}","resource":{patient}}}"#);
        format!(r#"{{"resourceType":"Bundle","entry":[{},{addressed}]}}"#, entries.join(","))
    };
    assert_eq!(readings("a.ndjson", &[patient, by_id].join("\n")), 1);
    assert_eq!(readings("a.ndjson", by_mrn), 1, "nobody carries an identifier");
    assert_eq!(readings("a.json", &in_bundle(&[by_id], "urn:uuid:p")), 1);
    assert_eq!(readings("a.json", &in_bundle(&[by_id], "http://a/Patient/p")), 1);
    assert_eq!(readings("a.json", &in_bundle(&[by_other_mrn], "urn:uuid:p")), 1, "all identifiers are known");
    assert_eq!(readings("a.json", &in_bundle(&[by_mrn], "urn:uuid:p")), 2);
    assert_eq!(readings("a.json", &in_bundle(&[by_id], "urn:uuid:q")), 2, "an address that has to be known");
    assert_eq!(readings("a.ndjson", &[patient, by_mrn].join("\n")), 3, "identifiers are looked for once asked for");
}

#[test]
fn an_address_of_several_resources_means_none_of_them() {
    let entry = |id: &str| format!(r#"{{"fullUrl":"urn:uuid:x","resource":{{"resourceType":"Patient","id":"{id}"}}}}"#);
    let encounter = r#"{"resource":{"resourceType":"Encounter","id":"e","subject":{"reference":"urn:uuid:x"}}}"#;
    let bundle = |entries: &[&str]| format!(r#"{{"resourceType":"Bundle","entry":[{}]}}"#, entries.join(","));
    let of = |entries: &[&str]| column(&flat("a.json", &bundle(entries)), "bronze/encounter", "patient_id");
    assert_eq!(of(&[&entry("p"), encounter, &entry("q")]), [None]);
    assert_eq!(of(&[encounter, &entry("p"), &entry("p")]), [Some("p".to_owned())]);
}

#[test]
fn a_clinician_is_looked_up_like_a_patient() {
    let encounter = |who: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"Encounter","id":"e","participant":[{{"individual":{{"reference":"RelatedPerson/r"}}}},{{"individual":{who}}}]}}}}"#
        )
    };
    let doctor = r#"{"fullUrl":"urn:uuid:77","resource":{"resourceType":"Practitioner","id":"d","identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"99"}],"name":[{"text":"x"}]}}"#;
    let of = |who: &str| {
        let bundle = format!(r#"{{"resourceType":"Bundle","entry":[{},{doctor}]}}"#, encounter(who));
        let flat = flat("a.json", &bundle);
        column(&flat, "bronze/encounter", "practitioner_id").remove(0)
    };
    let d = Some("d".to_owned());
    assert_eq!(of(r#"{"reference":"Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|99"}"#), d);
    assert_eq!(of(r#"{"reference":"urn:uuid:77"}"#), d);
    assert_eq!(of(r#"{"reference":"Practitioner/other"}"#), Some("other".to_owned()));
    assert_eq!(of(r#"{"reference":"Practitioner?identifier=98"}"#), None);
}

#[test]
fn ids_of_a_source_begin_with_its_name() {
    let bundle = r#"{"resourceType":"Bundle","entry":[
        {"resource":{"resourceType":"Patient","id":"1"}},
        {"resource":{"resourceType":"Encounter","id":"2","subject":{"reference":"Patient/1"},"participant":[{"individual":{"reference":"Practitioner/3"}}]}},
        {"resource":{"resourceType":"Condition","id":"4","subject":{"reference":"Patient/1"},"encounter":{"reference":"Encounter/2"}}},
        {"request":{"method":"DELETE","url":"Encounter/5"}},
        {"resource":{"resourceType":"Patient","id":"a:b"}},
        {"request":{"method":"DELETE","url":"Encounter/a:b"}}]}"#;
    let flat = flat("source=north/bundle/a.json", bundle);
    let one = |table: &str, name: &str| column(&flat, table, name);
    let some = |id: &str| vec![Some(id.to_owned())];
    assert_eq!(one("bronze/patient", "patient_id"), some("north:1"));
    assert_eq!(one("bronze/encounter", "encounter_id"), some("north:2"));
    assert_eq!(one("bronze/encounter", "patient_id"), some("north:1"));
    assert_eq!(one("bronze/encounter", "patient_ref"), some("Patient/1"));
    assert_eq!(one("bronze/encounter", "practitioner_id"), some("north:3"));
    assert_eq!(one("bronze/condition", "condition_id"), some("north:4"));
    assert_eq!(one("bronze/condition", "patient_id"), some("north:1"));
    assert_eq!(one("bronze/condition", "encounter_id"), some("north:2"));
    assert_eq!(one("bronze/deletion", "resource_id"), some("north:5"));
    assert_eq!(flat.counts.quarantined.get("bad-value"), Some(&2));
}
