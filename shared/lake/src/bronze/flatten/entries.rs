//! How Bundle entries are handled: deletions, requests that failed or only read, and ids and versions from beside the resource.

use super::tests::{column, flat};

fn bundle(entries: &[&str]) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"history","entry":[{}]}}"#, entries.join(","))
}

/// The deletions of a Bundle with these entries: type, id, version.
fn deletions(entries: &[&str]) -> Vec<(String, String, Option<String>)> {
    let flat = flat("a.json", &bundle(entries));
    let of = |name| column(&flat, "bronze/deletion", name);
    let (types, ids, versions) = (of("resource_type"), of("resource_id"), of("version_id"));
    types.into_iter().zip(ids).zip(versions).map(|((t, i), v)| (t.expect("a type"), i.expect("an id"), v)).collect()
}

#[test]
fn a_deletion_is_a_row_with_or_without_its_resource() {
    let found = deletions(&[
        r#"{"request":{"method":"DELETE","url":"Encounter/e1"},"response":{"etag":"W/\"3\"","lastModified":"2023-02-01T00:00:00Z"}}"#,
        r#"{"fullUrl":"http://a/fhir/Patient/p1","request":{"method":"DELETE","url":"http://a/fhir/Patient/p1"}}"#,
        r#"{"request":{"method":"delete","url":"/Condition/c1"},"resource":{"resourceType":"Condition","id":"other","meta":{"versionId":"7"}}}"#,
        r#"{"fullUrl":"urn:uuid:e2","request":{"method":"DELETE"},"resource":{"resourceType":"Encounter"}}"#,
        r#"{"request":{"method":"DELETE"},"resource":{"resourceType":"Encounter","id":"e3"}}"#,
        r#"{"fullUrl":"http://a/fhir/Encounter/e4","request":{"method":"DELETE"}}"#,
    ]);
    let row =
        |kind: &str, id: &str, version: Option<&str>| (kind.to_owned(), id.to_owned(), version.map(str::to_owned));
    assert_eq!(
        found,
        [
            row("Encounter", "e1", Some("3")),
            row("Patient", "p1", None),
            row("Condition", "c1", Some("7")),
            row("Encounter", "e2", None),
            row("Encounter", "e3", None),
            row("Encounter", "e4", None),
        ]
    );
}

#[test]
fn a_deletions_time_is_the_responses_then_the_resources_then_the_landed_one() {
    let flat = flat(
        "a.json",
        &bundle(&[
            r#"{"request":{"method":"DELETE","url":"Encounter/a"},"response":{"lastModified":"2023-02-01T00:00:00Z"},"resource":{"resourceType":"Encounter","id":"a","meta":{"lastUpdated":"2023-01-01T00:00:00Z"}}}"#,
            r#"{"request":{"method":"DELETE","url":"Encounter/b"},"resource":{"resourceType":"Encounter","id":"b","meta":{"lastUpdated":"2023-01-01T00:00:00Z"}}}"#,
            r#"{"request":{"method":"DELETE","url":"Encounter/c"}}"#,
        ]),
    );
    let times = super::tests::times(&flat, "bronze/deletion", "deleted_time");
    assert_eq!(times, [Some(1_675_209_600_000_000), Some(1_672_531_200_000_000), Some(1_700_000_000_000_000)]);
    assert_eq!((flat.counts.records, flat.counts.deletions, flat.counts.accepted()), (3, 3, 3));
}

#[test]
fn deletions_without_id_are_quarantined_and_those_of_other_things_skipped() {
    let flat = flat(
        "a.json",
        &bundle(&[
            r#"{"request":{"method":"DELETE","url":"Encounter?identifier=a|b"},"resource":{"resourceType":"Encounter","id":"e"}}"#,
            r#"{"request":{"method":"DELETE","url":"Encounter/"}}"#,
            r#"{"request":{"method":"DELETE"}}"#,
            r#"{"request":{"method":"DELETE","url":"Observation/o"}}"#,
            r#"{"request":{"method":"DELETE","url":"Observation?code=1"}}"#,
            r#"{"request":{"method":"DELETE","url":"Encounter/e/_history/2"}}"#,
            r#"{"request":{"method":"DELETE","url":"Encounter/e"},"response":{"status":"404 Not Found"}}"#,
            r#"{"request":{"method":"DELETE","url":"Encounter/e"},"response":{"lastModified":"yesterday"}}"#,
        ]),
    );
    let count = |map: &std::collections::BTreeMap<String, u64>, name: &str| map.get(name).copied();
    let counts = &flat.counts;
    assert_eq!(counts.deletions, 0);
    assert_eq!(count(&counts.quarantined, "deletion-without-id"), Some(3));
    assert_eq!(count(&counts.quarantined, "bad-value"), Some(1));
    assert_eq!(count(&counts.skipped, "deletion of another type"), Some(2));
    assert_eq!(count(&counts.skipped, "deletion of one version"), Some(1));
    assert_eq!(count(&counts.skipped, "entry whose request failed"), Some(1));
}

#[test]
fn entries_that_failed_or_only_read_are_skipped() {
    let resource = r#""resource":{"resourceType":"Encounter","id":"e"}"#;
    let flat = flat(
        "a.json",
        &bundle(&[
            &format!(r#"{{{resource},"request":{{"method":"POST","url":"Encounter"}},"response":{{"status":"412"}}}}"#),
            &format!(r#"{{{resource},"request":{{"method":"GET","url":"Encounter/e"}}}}"#),
            &format!(r#"{{{resource},"request":{{"method":"HEAD","url":"Encounter/e"}}}}"#),
            &format!(
                r#"{{{resource},"request":{{"method":"PUT","url":"Encounter/e"}},"response":{{"status":"201 Created"}}}}"#
            ),
        ]),
    );
    assert_eq!((flat.counts.records, flat.counts.encounters, flat.counts.skipped()), (4, 1, 3));
}

#[test]
fn ids_and_versions_that_a_resource_lacks_come_from_its_entry() {
    let flat = flat(
        "a.json",
        &bundle(&[
            r#"{"fullUrl":"urn:uuid:e1","resource":{"resourceType":"Encounter"},"request":{"method":"POST","url":"Encounter"},"response":{"status":"201","etag":"W/\"4\"","lastModified":"2023-02-01T00:00:00Z"}}"#,
            r#"{"fullUrl":"http://a/fhir/Encounter/e2","resource":{"resourceType":"Encounter","meta":{"versionId":"9"}},"response":{"etag":"W/\"4\""}}"#,
            r#"{"resource":{"resourceType":"Encounter"},"request":{"method":"PUT","url":"Encounter/e3"}}"#,
            r#"{"resource":{"resourceType":"Encounter"},"request":{"method":"PUT","url":"Encounter?identifier=a|b"}}"#,
            r#"{"resource":{"resourceType":"Encounter"},"request":{"method":"POST","url":"Encounter/e5"}}"#,
            r#"{"fullUrl":"http://a/fhir/Patient/p","resource":{"resourceType":"Encounter"}}"#,
        ]),
    );
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(column(&flat, "bronze/encounter", "encounter_id"), [some("e1"), some("e2"), some("e3")]);
    assert_eq!(column(&flat, "bronze/encounter", "version_id"), [some("4"), some("9"), None]);
    let updated = super::tests::times(&flat, "bronze/encounter", "last_updated");
    assert_eq!(updated, [Some(1_675_209_600_000_000), None, None]);
    assert_eq!(flat.counts.quarantined.get("no-id"), Some(&3));
}

#[test]
fn times_that_no_record_can_have_are_quarantined() {
    let encounter = |id: &str, status: &str, start: &str, end: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"Encounter","id":"{id}","status":"{status}","period":{{"start":"{start}","end":"{end}"}}}}}}"#
        )
    };
    let updated = |kind: &str, at: &str| {
        format!(r#"{{"resource":{{"resourceType":"{kind}","id":"u","meta":{{"lastUpdated":"{at}"}}}}}}"#)
    };
    // The object landed on 2023-11-14.
    let entries = [
        encounter("a", "finished", "2023-01-01", "9999-12-31"),
        encounter("b", "finished", "1899-12-31", "2023-01-01"),
        encounter("c", "in-progress", "2023-01-01", "9999-12-31"),
        encounter("d", "in-progress", "1066-01-01", "2023-01-01"),
        encounter("e", "entered-in-error", "2023-01-01", "9999-12-31"),
        encounter("f", "planned", "2099-01-01", "2099-01-02"),
        encounter("g", "finished", "1900-01-01", "2024-11-14"),
        encounter("h", "finished", "2023-01-01", "2024-11-15"),
        updated("Patient", "2024-11-14T00:00:00Z"),
        updated("Patient", "2024-11-15T23:00:00Z"),
        updated("Condition", "2024-11-15T23:00:00Z"),
        r#"{"request":{"method":"DELETE","url":"Patient/p"},"response":{"lastModified":"2030-01-01T00:00:00Z"}}"#
            .to_owned(),
    ];
    let flat = flat("a.json", &bundle(&entries.each_ref().map(String::as_str)));
    let kept: Vec<_> = column(&flat, "bronze/encounter", "encounter_id").into_iter().flatten().collect();
    assert_eq!(kept, ["c", "e", "f", "g"]);
    let ends = super::tests::times(&flat, "bronze/encounter", "discharge_time");
    assert_eq!(ends[0], None, "of an open encounter an implausible end is none");
    assert!(ends[1..].iter().all(Option::is_some));
    assert_eq!(flat.counts.quarantined.get("implausible-time"), Some(&7));
    assert_eq!((flat.counts.patients, flat.counts.conditions, flat.counts.deletions), (1, 0, 0));
}
