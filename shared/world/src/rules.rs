//! The metrics' rules on one patient's completed stays, as METRICS.md words them.

use metriccare_fhir::write::{Date, Disposition, Instant, Priority};

use crate::life::{Condition, Encounter, Infection, Segment};

/// A stay as the rules see it.
pub(crate) struct Stay<'a> {
    pub(crate) encounter: &'a Encounter,
    pub(crate) code: &'static str,
    pub(crate) days: i64,
    pub(crate) died: bool,
    /// The next stay's place in the list, and the days until it.
    pub(crate) next: Option<(usize, i64)>,
    pub(crate) status: &'static str,
    pub(crate) hwr: &'static str,
}

/// Judges all stays of a patient, given in order.
pub(crate) fn judge<'a>(encounters: &[&'a Encounter], birth: Date, death: Option<Instant>) -> Vec<Stay<'a>> {
    let mut stays: Vec<Stay<'a>> = encounters.iter().map(|encounter| one(encounter, death)).collect();
    for i in 0..stays.len() {
        let out = stays[i].encounter.end;
        let next = (i + 1..stays.len()).find(|&j| stays[j].encounter.start >= out);
        stays[i].next = next.map(|j| (j, between(out.date(), stays[j].encounter.start.date())));
    }
    for i in 0..stays.len() {
        stays[i].status = index_status(&stays, i);
        stays[i].hwr = if stays[i].status == "index" { hwr_status(&stays[i], birth) } else { stays[i].status };
    }
    stays
}

fn one<'a>(encounter: &'a Encounter, death: Option<Instant>) -> Stay<'a> {
    let (start, end) = (encounter.start.date(), encounter.end.date());
    let expired = encounter.disposition == Some(Disposition::Expired);
    let unsaid = matches!(encounter.disposition, None | Some(Disposition::Other));
    let in_it = death.is_some_and(|death| (start..=end).contains(&death.date()));
    Stay {
        encounter,
        code: encounter.reason.icd10.map_or("", |code| code.code),
        days: between(start, end).max(1),
        died: expired || (unsaid && in_it),
        next: None,
        status: "",
        hwr: "",
    }
}

fn index_status(stays: &[Stay<'_>], i: usize) -> &'static str {
    let stay = &stays[i];
    if stay.died {
        return "died";
    }
    if stay.encounter.disposition == Some(Disposition::AgainstAdvice) {
        return "against-advice";
    }
    let Some((next, days)) = stay.next else { return "index" };
    let next = &stays[next];
    let same_hospital = stay.encounter.hospital == next.encounter.hospital;
    if days <= 1 && !same_hospital {
        "transferred"
    } else if days == 0 && same_hospital && cause(stay.code) == cause(next.code) && !stay.code.is_empty() {
        "same-day-same-cause"
    } else {
        "index"
    }
}

fn hwr_status(stay: &Stay<'_>, birth: Date) -> &'static str {
    let code = stay.code;
    let (letter, number) = (code.chars().next(), code.get(1..3).and_then(|n| n.parse::<u32>().ok()));
    let within = |l: char, low: u32, high: u32| letter == Some(l) && number.is_some_and(|n| (low..=high).contains(&n));
    if stay.encounter.start.date().years_since(birth) < 65 {
        "under-65"
    } else if within('F', 20, 99) {
        "psychiatric"
    } else if code.starts_with("Z51.89") {
        "rehabilitation"
    } else if within('C', 0, 96)
        || within('D', 0, 9)
        || within('D', 37, 49)
        || code.starts_with("Z51.0")
        || code.starts_with("Z51.1")
    {
        "cancer-treatment"
    } else if code.starts_with("U07.1") {
        "covid-19"
    } else {
        "index"
    }
}

/// Whether a stay is planned.
pub(crate) fn planned(stay: &Stay<'_>) -> bool {
    const PREFIXES: [&str; 7] = ["Z51.0", "Z51.1", "Z51.89", "O80", "O82", "Z37", "Z49"];
    stay.encounter.priority == Some(Priority::Elective) || PREFIXES.iter().any(|prefix| stay.code.starts_with(prefix))
}

/// The band of an age.
pub(crate) fn age_band(age: i32) -> &'static str {
    match age {
        ..18 => "0-17",
        18..45 => "18-44",
        45..65 => "45-64",
        65..75 => "65-74",
        75..85 => "75-84",
        _ => "85+",
    }
}

/// The department that counts: the one with the longest time, the first of equals.
pub(crate) fn department(path: &[Segment]) -> u8 {
    let mut longest = path[0];
    for segment in path {
        if segment.end.0 - segment.start.0 > longest.end.0 - longest.start.0 {
            longest = *segment;
        }
    }
    longest.department as u8
}

/// The type of infection that a condition's codes say it is.
pub(crate) fn infection(condition: &Condition) -> Option<Infection> {
    if condition.refuted {
        return None;
    }
    let icd = condition.diagnosis.icd10.map_or("", |code| code.code);
    let snomed = condition.diagnosis.snomed.map_or("", |code| code.code);
    let surgical = icd.strip_prefix("T81.4").and_then(|rest| rest.chars().next()).is_some_and(|c| c.is_ascii_digit());
    if icd.starts_with("T80.211") || snomed == "736442006" {
        Some(Infection::Clabsi)
    } else if icd.starts_with("T83.511") || snomed == "700372006" {
        Some(Infection::Cauti)
    } else if icd == "J95.851" || snomed == "429271009" {
        Some(Infection::Vap)
    } else if matches!(icd, "A04.71" | "A04.72") || snomed == "186431008" {
        Some(Infection::Cdi)
    } else if surgical || snomed == "433202001" {
        Some(Infection::Ssi)
    } else if icd == "A41.02" {
        Some(Infection::Mrsa)
    } else if snomed == "40733004" || (icd.is_empty() && snomed.is_empty() && condition.diagnosis.text == "Infection") {
        Some(Infection::Other)
    } else {
        None
    }
}

/// Whether an infection that began so many days after admission is the hospital's.
pub(crate) fn hospital_onset(infection: Infection, days: i64) -> bool {
    match infection {
        Infection::Ssi => true,
        Infection::Cdi | Infection::Mrsa => days >= 3,
        _ => days >= 2,
    }
}

/// The days from one date to another.
pub(crate) fn between(from: Date, to: Date) -> i64 {
    i64::from(to.0) - i64::from(from.0)
}

fn cause(code: &str) -> &str {
    code.get(..3).unwrap_or(code)
}
