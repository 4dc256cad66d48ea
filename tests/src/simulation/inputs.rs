//! What lands in a simulated schedule: the feed of a tiny world with all its versions, another source that numbers its
//! resources alike, encounters that move to another patient, deletions, and some of the awkward objects.

use metriccare_world::{Spec, World, view::tables::BY_PATIENT};
use serde_json::{Value, json};

use super::withdrawn::Withdrawable;
use crate::{
    Cloud, LakeContents, Landed,
    crowded::Draw,
    landed::{self, object},
    simulated,
};

/// The hospitals' file of every schedule.
pub const HOSPITALS: &str = "hospital_name,staffed_beds,city,state\nMetricCare Hospital - Raleigh,20,Raleigh,NC\n";

/// Landed objects, and the lake that they make when nothing disturbs them.
#[derive(Debug)]
pub struct Inputs {
    /// What lands.
    pub objects: Vec<Landed>,
    /// What the lake has to be in the end.
    pub lake: LakeContents,
    /// What may be withdrawn.
    pub withdrawals: Vec<Withdrawable>,
}

impl Inputs {
    /// The inputs with this number, which are always the same.
    pub async fn numbered(number: u64) -> Self {
        Self::of(objects(number)).await
    }

    /// These objects, and what they have to end in.
    ///
    /// # Panics
    /// Where anything fails without a fault.
    pub async fn of(objects: Vec<Landed>) -> Self {
        let lake = Cloud::driven(&objects, HOSPITALS).await;
        let withdrawals = Withdrawable::some_of(&objects).await;
        Self { objects, lake, withdrawals }
    }
}

fn objects(number: u64) -> Vec<Landed> {
    let mut draw = Draw(number);
    // As small as it can be: what matters here is how often it is delivered.
    let (patients, facilities) = (2 + draw.number_less_than(2) as u64, 1 + u32::from(draw.percent(30)));
    let spec = Spec { patients, seed: number, facilities, providers: 4, ..Spec::default() };
    let feed = simulated::feed(&World::new(spec).expect("a possible spec"));
    let mut objects = parts(&feed, 2, "", 100);
    // Another server numbers its resources alike: the same ids, and other people.
    let mut elsewhere = parts(&feed, 1, "source=north/", 200);
    elsewhere[0].bytes = String::from_utf8_lossy(&elsewhere[0].bytes).replace("\"female\"", "\"male\"").into();
    objects.append(&mut elsewhere);

    let lines = feed.iter().flat_map(|object| object.bytes.split(|byte| *byte == b'\n'));
    let resources: Vec<Value> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let of_type =
        |name: &str| -> Vec<&Value> { resources.iter().filter(|resource| resource["resourceType"] == name).collect() };
    let (patients, encounters) = (of_type("Patient"), of_type("Encounter"));
    if let (false, false) = (patients.is_empty(), encounters.is_empty()) {
        let mut moved = String::new();
        for step in 0..3 {
            let mut resource = (*draw.one_of(&encounters)).clone();
            let to = draw.one_of(&patients)["id"].as_str().unwrap_or_default().to_owned();
            resource["subject"] = json!({ "reference": format!("Patient/{to}") });
            resource["meta"] = json!({"versionId": (40 + step).to_string(), "lastUpdated": "2026-01-10T00:00:00Z"});
            moved += &format!("{resource}\n");
        }
        objects.push(object("moved/a b+c.ndjson", 50, moved));
        let mut entries = Vec::new();
        for version in [1, 3, 60] {
            let resource = draw.one_of(&encounters);
            let id = resource["id"].as_str().unwrap_or_default();
            let time = if version == 60 { "2026-02-01T00:00:00Z" } else { "2025-03-01T00:00:00Z" };
            entries.push(json!({"fullUrl": format!("urn:uuid:{id}"),
                "request": {"method": "DELETE", "url": format!("Encounter/{id}")},
                "response": {"status": "204", "etag": format!("W/\"{version}\""), "lastModified": time}}));
        }
        let history = json!({"resourceType": "Bundle", "type": "history", "entry": entries});
        objects.push(object("deleted/history.json", 60, history.to_string()));
    }
    let mut others = if draw.percent(50) { landed::awkward() } else { landed::corrected() };
    while others.len() > 3 {
        others.remove(draw.number_less_than(others.len()));
    }
    objects.append(&mut others);
    if draw.percent(20) {
        objects.append(&mut tables(number));
    }
    objects
}

/// One of the relational tables.
fn tables(number: u64) -> Vec<Landed> {
    let name = format!("/{}.csv", BY_PATIENT[0].name);
    let mut tables = simulated::tables(&simulated::world(2, number), 300);
    tables.retain(|object| object.key.ends_with(&name));
    tables
}

/// The feed in so many objects, with all types in each.
fn parts(feed: &[Landed], count: usize, prefix: &str, second: i64) -> Vec<Landed> {
    let size = feed.len().div_ceil(count);
    let part = |(at, months): (usize, &[Landed])| {
        let bytes: Vec<u8> = months.iter().flat_map(|object| object.bytes.iter().copied()).collect();
        object(&format!("{prefix}feed/part {at}.ndjson"), second + at as i64, bytes)
    };
    feed.chunks(size).enumerate().map(part).collect()
}
