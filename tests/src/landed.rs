//! Landed objects written by hand: few for what is tried at every call, and the awkward ones that real feeds bring.
//!
//! Their landed times are part of them, because a landed object's time decides between versions.

use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

/// An object of the landing bucket.
#[derive(Clone, Debug)]
pub struct Landed {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// When it landed, in microseconds since 1970.
    pub micros: i64,
}

/// 2025-02-01, and a second more for every number.
fn at(second: i64) -> i64 {
    (1_738_368_000 + second) * 1_000_000
}

/// An object with this name, landed at this second.
pub fn object(key: &str, second: i64, bytes: impl Into<Bytes>) -> Landed {
    Landed { key: key.to_owned(), bytes: bytes.into(), micros: at(second) }
}

fn lines(values: &[Value]) -> String {
    values.iter().fold(String::new(), |text, value| text + &value.to_string() + "\n")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn patient(id: &str, version: u32, deceased: Option<&str>) -> Value {
    json!({"resourceType": "Patient", "id": id, "meta": {"versionId": version.to_string(),
        "lastUpdated": format!("2025-01-{:02}T00:00:00Z", version)}, "gender": "female", "birthDate": "1950-03-01",
        "deceasedDateTime": deceased, "managingOrganization": {"display": "MetricCare Hospital - Charlotte"}})
}

/// A version of an encounter in R5's spelling.
struct R5<'a> {
    id: &'a str,
    patient: &'a str,
    meta: Value,
    status: &'a str,
    days: (u32, Option<u32>),
    hospital: &'a str,
}

impl R5<'_> {
    fn json(&self) -> Value {
        let day = |day: u32| format!("2025-01-{day:02}T09:30:00+01:00");
        json!({"resourceType": "Encounter", "id": self.id, "meta": self.meta, "status": self.status,
            "class": [{"coding": [{"code": "IMP"}]}], "subject": {"reference": format!("Patient/{}", self.patient)},
            "actualPeriod": {"start": day(self.days.0), "end": self.days.1.map(day)},
            "location": [{"location": {"display": "ICU"}}], "serviceProvider": {"display": self.hospital},
            "reason": [{"value": [{"concept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm",
                "code": "i509", "display": "Heart failure"}]}}]}]})
    }
}

fn meta(version: u32, day: u32) -> Value {
    json!({"versionId": version.to_string(), "lastUpdated": format!("2025-01-{day:02}T12:00:00Z")})
}

/// A stay in R4's spelling.
fn r4(id: &str, subject: &str, status: &str, days: (u32, u32), meta: &Value) -> Value {
    json!({"resourceType": "Encounter", "id": id, "meta": meta, "status": status, "class": {"code": "IMP"},
        "subject": {"reference": subject},
        "period": {"start": format!("2025-01-{:02}", days.0), "end": format!("2025-01-{:02}T18:00:00Z", days.1)},
        "hospitalization": {"dischargeDisposition": {"coding": [{"code": "home"}]}},
        "serviceProvider": {"reference": "Organization/duke"}})
}

fn infection(id: &str, patient: &str, encounter: &str, status: &str, version: u32) -> Value {
    json!({"resourceType": "Condition", "id": id, "meta": meta(version, 20 + version),
        "verificationStatus": {"coding": [{"code": status}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "T80.211A"}]},
        "subject": {"reference": format!("Patient/{patient}")}, "encounter": {"reference": format!("Encounter/{encounter}")},
        "onsetDateTime": "2025-01-08", "recordedDate": "2025-01-08T10:00:00Z"})
}

const CHARLOTTE: &str = "MetricCare Hospital - Charlotte";
const RALEIGH: &str = "MetricCare Hospital - Raleigh";

/// Three objects with every kind of row: small enough to try a fault at every single call.
pub fn few() -> Vec<Landed> {
    let open =
        R5 { id: "e1", patient: "p1", meta: meta(1, 5), status: "in-progress", days: (5, None), hospital: CHARLOTTE };
    let closed =
        R5 { id: "e1", patient: "p1", meta: meta(2, 9), status: "completed", days: (5, Some(9)), hospital: RALEIGH };
    let next =
        R5 { id: "e2", patient: "p1", meta: meta(1, 15), status: "completed", days: (12, Some(15)), hospital: RALEIGH };
    let first = lines(&[open.json(), patient("p1", 1, None)]) + "not json\n";
    let second =
        lines(&[closed.json(), next.json(), infection("c1", "p1", "e1", "confirmed", 1), patient("p3", 1, None)]);
    vec![
        object("encounter/2025/01/05/a.ndjson", 1, first.clone()),
        object("encounter/2025/01/15/b.ndjson", 2, second),
        object("encounter/2025/01/05/a again.ndjson", 3, first),
    ]
}

/// Corrections of the subject, one object a version, in no order: stays and a condition that were filed under the wrong
/// patient. In two buckets `p1` and `p3` live apart.
pub fn corrected() -> Vec<Landed> {
    let stay = |id, patient, version: u32, days: (u32, u32)| {
        let days = (days.0, Some(days.1));
        R5 { id, patient, meta: meta(version, 10 + version), status: "completed", days, hospital: CHARLOTTE }.json()
    };
    let mut unknown = stay("e3", "", 1, (8, 9));
    unknown["subject"] = Value::Null;
    vec![
        object(
            "corrected/1/filed wrongly.ndjson",
            1,
            lines(&[stay("e1", "p1", 1, (2, 4)), infection("c1", "p1", "e1", "confirmed", 1), patient("p1", 1, None)]),
        ),
        object(
            "corrected/2/filed rightly.ndjson",
            2,
            lines(&[stay("e1", "p3", 2, (2, 4)), infection("c1", "p3", "e1", "confirmed", 2), patient("p3", 1, None)]),
        ),
        // There and back.
        object("corrected/3/third.json", 3, stay("e2", "p1", 3, (5, 6)).to_string()),
        object("corrected/4/second.json", 4, stay("e2", "p3", 2, (5, 6)).to_string()),
        object("corrected/5/first.json", 5, stay("e2", "p1", 1, (5, 6)).to_string()),
        // Nobody's, then somebody's; and the version in between late.
        object("corrected/6/unknown.json", 6, unknown.to_string()),
        object("corrected/7/known.json", 7, stay("e3", "p1", 3, (8, 9)).to_string()),
        object("corrected/8/known, wrongly.json", 8, stay("e3", "p3", 2, (8, 9)).to_string()),
    ]
}

/// Every awkward thing that a feed of real systems brings.
pub fn awkward() -> Vec<Landed> {
    let e1 = |version, day, status, end, hospital| {
        R5 { id: "e1", patient: "p1", meta: meta(version, day), status, days: (5, end), hospital }.json()
    };
    let unversioned = |hospital| {
        R5 { id: "e5", patient: "p2", meta: Value::Null, status: "completed", days: (20, Some(24)), hospital }.json()
    };
    let completed = lines(&[e1(2, 9, "completed", Some(9), CHARLOTTE)]);
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": r4("e2", "urn:uuid:p2", "finished", (10, 14), &meta(1, 14))},
        {"fullUrl": "urn:uuid:p2", "resource": {"resourceType": "Patient", "birthDate": "1980"}},
        {"resource": {"resourceType": "Organization", "id": "duke", "name": "Duke & Söhne 100 %"}},
        {"resource": infection("c2", "p2", "e2", "confirmed", 1)}, {"request": {"method": "DELETE"}},
        {"resource": {"resourceType": "Observation", "id": "o"}}]});
    // The same resource bytes at the same time, with another Organization beside them.
    let same = r4("e6", "Patient/p2", "finished", (26, 27), &Value::Null);
    let named =
        |name: &str| lines(&[same.clone(), json!({"resourceType": "Organization", "id": "duke", "name": name})]);
    let mixed =
        json!([r4("e3", "Patient/p3", "finished", (2, 4), &meta(1, 4)), e1(1, 5, "in-progress", None, CHARLOTTE)]);
    let broken = lines(&[patient("p4", 1, None)])
        + "{\"resourceType\":\"Encounter\",\"id\":\n{}\n[]\n{\"resourceType\":\"Patient\"}\n\u{0}\u{1}\n"
        + &lines(&[json!({"resourceType": "Encounter", "id": "e9", "period": {"start": "yesterday"}})]);
    let homeless = json!({"resourceType": "Encounter", "id": "e7", "status": "finished", "class": {"code": "IMP"},
        "period": {"start": "2025-01-01", "end": "2025-01-03"}});
    let packed = gzip(lines(&[patient("p5", 1, None), patient("p6", 1, None), patient("p7", 1, None)]).as_bytes());
    vec![
        object("encounter/1/in progress.ndjson", 1, lines(&[e1(1, 5, "in-progress", None, CHARLOTTE)])),
        object("encounter/2/completed.ndjson", 2, completed.clone()),
        object("encounter/3/completed+again.ndjson", 3, completed),
        // Corrected at the same instant: version 10 is later than 2, though "10" sorts below "2".
        object("encounter/4/corrected.json", 4, e1(10, 9, "completed", Some(9), RALEIGH).to_string()),
        // Landed last, and yet older.
        object("encounter/5/late.json", 99, e1(3, 8, "completed", Some(8), CHARLOTTE).to_string()),
        object("bundle/6/transaction.json", 6, bundle.to_string()),
        object("encounter/7/mixed.json", 7, mixed.to_string()),
        object(
            "encounter/8/wrong.ndjson.gz",
            8,
            gzip(lines(&[r4("e3", "Patient/p3", "entered-in-error", (2, 4), &meta(2, 6))]).as_bytes()),
        ),
        object(
            "encounter/9/before its patient.ndjson",
            9,
            lines(&[
                R5 {
                    id: "e4",
                    patient: "p3",
                    meta: meta(1, 12),
                    status: "completed",
                    days: (8, Some(12)),
                    hospital: CHARLOTTE,
                }
                .json(),
                R5 {
                    id: "e8",
                    patient: "p3",
                    meta: meta(1, 22),
                    status: "completed",
                    days: (14, Some(22)),
                    hospital: RALEIGH,
                }
                .json(),
            ]),
        ),
        object("patient/10/p3.ndjson", 10, lines(&[patient("p3", 2, Some("2025-01-22T09:00:00Z"))])),
        object("patient/11/p3 as it was.ndjson", 11, lines(&[patient("p3", 1, None), patient("p1", 1, None)])),
        object("encounter/12/unversioned.ndjson", 12, lines(&[unversioned(CHARLOTTE)])),
        object("encounter/12/unversioned too.ndjson", 12, lines(&[unversioned(RALEIGH)])),
        object("encounter/13/named.ndjson", 13, named("Duke")),
        object("encounter/13/named otherwise.ndjson", 13, named("Wake")),
        object("condition/14/refuted.ndjson", 14, lines(&[infection("c1", "p1", "e1", "confirmed", 1)])),
        object("condition/15/refuted.ndjson", 15, lines(&[infection("c1", "p1", "e1", "refuted", 2)])),
        object("patient/16/broken.ndjson", 16, broken),
        object("patient/17/cut.ndjson.gz", 17, packed[..packed.len() - 9].to_vec()),
        object("encounter/18/homeless.json", 18, homeless.to_string()),
        object("encounter/19/nothing good.ndjson", 19, "a,b,c\n1,2,3\n"),
        object("encounter/20/empty.ndjson", 20, ""),
        object("encounter/21/_SUCCESS", 21, "done"),
    ]
}
