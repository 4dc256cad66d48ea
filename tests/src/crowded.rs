//! A crowd of made-up histories in which everything happens to everybody at once: overlaps, transfers, same-day stays,
//! ties at midnight, planned returns, deaths, open stays, unknown hospitals, corrections, infections of every code.
//!
//! Times are drawn from a few days and a few hours, so that what is rare among real patients is the rule here. Every
//! word that silver's tables know comes up at least once.

use metriccare_lake::silver::{class::CLASSES, department::DEPARTMENTS, disposition, infection, status};
use serde_json::{Value, json};

use crate::{Landed, landed::object};

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    /// A number from 0 up to, and without, the end.
    pub(crate) fn number_less_than(&mut self, end: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.number_less_than(choices.len())]
    }

    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.number_less_than(100) < percent
    }
}

const PATIENTS: usize = 24;
const HOURS: [&str; 5] = ["00:00:00Z", "06:30:00Z", "12:15:30.123456Z", "23:59:59.9999Z", "23:30:00-05:00"];
const HOSPITALS: [&str; 4] = ["St. Mary's", "Söhne & Co = 100 % / West", "2025", "  Duke  "];
const PLACES: [&str; 5] = ["ICU", "er", " Burns Unit ", "Söhne's Ward", "Cardiology"];
const ICD_10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const SNOMED: &str = "http://snomed.info/sct";
const REASONS: [(&str, &str); 22] = [
    (ICD_10, "I50.9"),
    (ICD_10, "i5023"),
    (ICD_10, "I50"),
    (ICD_10, "Z51.11"),
    (ICD_10, "Z51.0"),
    (ICD_10, "Z51.89"),
    (ICD_10, "O80"),
    (ICD_10, "O82"),
    (ICD_10, "Z37.0"),
    (ICD_10, "Z49.01"),
    (ICD_10, "F20.0"),
    (ICD_10, "F99"),
    (ICD_10, "F19.20"),
    (ICD_10, "C7A.1"),
    (ICD_10, "C96.9"),
    (ICD_10, "D3A.00"),
    (ICD_10, "D37.1"),
    (ICD_10, "D49.9"),
    (ICD_10, "U07.1"),
    (ICD_10, "NOT A CODE"),
    (SNOMED, "84114007"),
    ("urn:local", "F20"),
];
const PRACTITIONERS: [&str; 9] = [
    "Practitioner/dr-1",
    "Practitioner/dr-1/_history/3",
    "https://example.org/fhir/Practitioner/dr-2/",
    "urn:uuid:0c6a",
    "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|99",
    "Practitioner?active=true&identifier=urn%3Ax%7Ca%2Bb+c",
    "Practitioner?name=x",
    "#contained",
    "PractitionerRole/r#part",
];
const VERSIONS: [Option<&str>; 7] = [None, Some("1"), Some("2"), Some("007"), Some("10"), Some("1a"), Some("W/\"3\"")];

/// Objects that land at different times, some at the same one, each with resources of many patients.
pub fn crowd(seed: u64) -> Vec<Landed> {
    let mut draw = Draw(seed);
    let mut objects: Vec<String> = vec![String::new(); 12];
    let mut land = |draw: &mut Draw, resource: &Value| {
        let place = draw.number_less_than(objects.len());
        objects[place] += &format!("{resource}\n");
        if draw.percent(5) {
            // The same bytes again: in another object, or in the same one.
            let place = draw.number_less_than(objects.len());
            objects[place] += &format!("{resource}\n");
        }
    };
    for patient in 0..PATIENTS {
        // Every seventh patient never arrives.
        for _ in 0..if patient % 7 == 6 { 0 } else { 1 + draw.number_less_than(3) } {
            let resource = patient_of(&mut draw, patient);
            land(&mut draw, &resource);
        }
    }
    let words = every_word();
    for number in 0..900 {
        let subject = subject(&mut draw);
        for _ in 0..1 + draw.number_less_than(3) {
            // An id with another patient is another encounter.
            let subject = if draw.percent(3) { self::subject(&mut draw) } else { subject.clone() };
            let mut resource = encounter(&mut draw, number, subject.as_deref());
            if let Some(word) = words.get(number) {
                merge(&mut resource, word);
            }
            land(&mut draw, &resource);
        }
        for nth in 0..draw.number_less_than(3) {
            for _ in 0..1 + draw.number_less_than(2) {
                let resource = condition(&mut draw, &format!("c{number}-{nth}"), number, subject.as_deref());
                land(&mut draw, &resource);
            }
        }
    }
    for (number, coding) in every_infection().into_iter().enumerate() {
        let subject = subject(&mut draw);
        let stay = encounter(&mut draw, 1000 + number, subject.as_deref());
        land(&mut draw, &stay);
        let mut resource = condition(&mut draw, &format!("i{number}"), 1000 + number, subject.as_deref());
        resource["code"] = coding;
        land(&mut draw, &resource);
    }
    let landed = |(place, lines): (usize, String)| object(&format!("mixed/{place:02}.ndjson"), place as i64 / 3, lines);
    objects.into_iter().enumerate().map(landed).collect()
}

fn subject(draw: &mut Draw) -> Option<String> {
    let number = draw.number_less_than(PATIENTS);
    (!draw.percent(3)).then(|| format!("p{number}"))
}

fn meta(draw: &mut Draw) -> Value {
    let day = 1 + draw.number_less_than(3);
    let updated = draw.percent(80).then(|| format!("2025-03-{day:02}T00:00:00Z"));
    json!({"versionId": draw.one_of(&VERSIONS), "lastUpdated": updated})
}

/// A moment from eight days before the new year to seven weeks after it.
fn moment(draw: &mut Draw, day: i64) -> String {
    let (month, day) = match day {
        ..=-1 => ("2024-12", 32 + day),
        0..=30 => ("2025-01", day + 1),
        31..=58 => ("2025-02", day - 30),
        _ => ("2025-03", (day - 58).min(31)),
    };
    // A date alone is its midnight.
    if draw.percent(15) { format!("{month}-{day:02}") } else { format!("{month}-{day:02}T{}", draw.one_of(&HOURS)) }
}

fn patient_of(draw: &mut Draw, number: usize) -> Value {
    let births = ["1950-01-05", "1936-02-29", "2007-01-20", "1960", "2025-06-01", "1980-01"];
    let deceased = 20 + draw.number_less_than(40) as i64;
    json!({
        "resourceType": "Patient", "id": format!("p{number}"), "meta": meta(draw),
        "gender": draw.one_of(&[Some("female"), Some("male"), Some("unknown"), None]),
        "birthDate": if draw.percent(85) { Some(draw.one_of(&births)) } else { None },
        "deceasedDateTime": if draw.percent(20) { Some(moment(draw, deceased)) } else { None },
        "address": [{"city": "Durham", "state": draw.one_of(&[Some("NC"), Some("VA"), None])}],
        "communication": [{"language": {"text": draw.one_of(&["English", "Español", ""])}}],
        "managingOrganization": {"display": draw.one_of(&HOSPITALS)},
    })
}

fn encounter(draw: &mut Draw, number: usize, subject: Option<&str>) -> Value {
    let day = draw.number_less_than(50) as i64 - 8;
    let length = draw.one_of(&[0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 5, 9, 31, -1]);
    let statuses = ["finished", "finished", "finished", "completed", "discharged", "in-progress", "onleave", "planned"];
    // Causes have to meet again on the same day.
    let coding = if draw.percent(60) {
        REASONS[draw.number_less_than(3)]
    } else {
        REASONS[draw.number_less_than(REASONS.len())]
    };
    let disposition = draw.one_of(&["home", "01", "1", "exp", "20", "7", "oth", "made-up", "HOSP"]);
    let reasons = match draw.number_less_than(4) {
        0 => Value::Null,
        // Of several codings the ICD-10 one counts, wherever it stands.
        1 => json!([{"coding": [{"system": SNOMED, "code": "1"}, {"system": coding.0, "code": coding.1}]}]),
        _ => json!([{"coding": [{"system": coding.0, "code": coding.1, "display": "as told"}]}]),
    };
    // Most people come back to the hospital that they know.
    let usual = subject.map_or(0, str::len) % 2 + 2;
    let hospital = if draw.percent(60) { HOSPITALS[usual] } else { draw.one_of(&HOSPITALS) };
    json!({
        "resourceType": "Encounter", "id": format!("e{number}"), "meta": meta(draw),
        "status": if draw.percent(4) { "entered-in-error" } else { draw.one_of(&statuses) },
        "class": {"code": draw.one_of(&["IMP", "IMP", "IMP", "ACUTE", "EMER", "AMB"])},
        "subject": subject.map(|id| json!({"reference": format!("Patient/{id}")})),
        "period": {
            "start": if draw.percent(97) { Some(moment(draw, day)) } else { None },
            "end": if draw.percent(95) { Some(moment(draw, day + length)) } else { None },
        },
        "priority": draw.one_of(&[None, None, Some("EL"), Some("el"), Some("EM")])
            .map(|code| json!({"coding": [{"code": code}]})),
        "hospitalization": if draw.percent(70) {
            json!({"dischargeDisposition": {"coding": [{"code": disposition}]}})
        } else {
            Value::Null
        },
        "reasonCode": reasons,
        "serviceProvider": if draw.percent(85) { json!({"display": hospital}) } else { Value::Null },
        "location": if draw.percent(90) { json!([{"location": {"display": draw.one_of(&PLACES)}}]) } else { Value::Null },
        "participant": [{"individual": {"reference": draw.one_of(&PRACTITIONERS)}}],
    })
}

fn condition(draw: &mut Draw, id: &str, encounter: usize, subject: Option<&str>) -> Value {
    let day = draw.number_less_than(60) as i64 - 8;
    let known = infection::ICD_10[draw.number_less_than(infection::ICD_10.len())].1;
    // Now and then the condition is another patient's than the encounter.
    let stranger = draw.percent(5).then_some("p0");
    json!({
        "resourceType": "Condition", "id": id, "meta": meta(draw),
        "verificationStatus": {"coding": [{"code": draw.one_of(&["confirmed", "confirmed", "confirmed", "refuted"])}]},
        "code": {"coding": [{"system": SNOMED, "code": "1"}, {"system": ICD_10, "code": known}]},
        "subject": stranger.or(subject).map(|id| json!({"reference": format!("Patient/{id}")})),
        "encounter": {"reference": format!("Encounter/e{encounter}")},
        "onsetDateTime": if draw.percent(70) { Some(moment(draw, day)) } else { None },
        "recordedDate": if draw.percent(80) { Some(moment(draw, day + 1)) } else { None },
    })
}

/// Parts of encounters with every word of silver's tables, in capitals too, and some that they do not know.
fn every_word() -> Vec<Value> {
    let class = |code: &str| json!({"class": {"code": code}});
    let text = |text: &str| json!({"class": null, "type": [{"text": text}]});
    let place = |name: &str| json!({"location": [{"location": {"display": name}}]});
    let left = |code: &str| json!({"hospitalization": {"dischargeDisposition": {"coding": [{"code": code}]}}});
    let state = |code: &str| json!({"status": code});
    let mut words = vec![class("NONAC"), text("Consultation"), json!({"class": null, "type": null}), state("banana")];
    words.push(json!({"status": null}));
    for (word, _) in CLASSES {
        words.extend([class(&word.to_uppercase()), text(&format!(" {word} "))]);
    }
    words.extend(DEPARTMENTS.iter().flat_map(|(name, _)| [place(name), place(&name.to_uppercase())]));
    words.extend(disposition::HL7.iter().flat_map(|code| [left(code), left(&code.to_uppercase())]));
    words.extend(disposition::NUBC.iter().flat_map(|(code, _)| [left(code), left(code.trim_start_matches('0'))]));
    words.extend(status::RENAMED.iter().map(|(old, _)| state(old)));
    words.extend(status::R5.iter().flat_map(|code| [state(code), state(&code.to_uppercase())]));
    words
}

/// Codes of conditions with every infection's code, and neighbours that are none.
fn every_infection() -> Vec<Value> {
    let coded = |system: Option<&str>, code: &str| json!({"coding": [{"system": system, "code": code}]});
    let mut codes = Vec::new();
    for (_, code, longer) in infection::ICD_10 {
        let dotted = format!("{}.{}", &code[..3], &code[3..]);
        codes.extend(
            [Some(ICD_10), Some("urn:oid:2.16.840.1.113883.6.90"), Some(SNOMED), None].map(|s| coded(s, &dotted)),
        );
        codes.extend([coded(Some(ICD_10), &code.to_lowercase()), coded(Some(ICD_10), &format!("{dotted}XA"))]);
        assert!(*longer || code.len() <= 6, "short codes stand alone");
    }
    for (_, code) in infection::SNOMED {
        codes.extend([Some(SNOMED), Some(ICD_10), None].map(|system| coded(system, code)));
    }
    codes.extend(["A04.7", "T81.4", "68566005", "A49.02"].map(|code| coded(None, code)));
    codes.extend([json!({"text": "INFECTION"}), json!({"text": "Infection of skin"}), Value::Null]);
    codes
}

fn merge(resource: &mut Value, part: &Value) {
    for (name, value) in part.as_object().into_iter().flatten() {
        resource[name] = value.clone();
    }
}
