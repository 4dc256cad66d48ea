//! Infections in hospital: by type, by exposure, with their codes.
//!
//! Device infections need days with the device and begin on day 3 or later; C. difficile and MRSA bloodstream
//! infections follow the stay's length; wound infections follow operations. A few of each are brought to hospital and
//! are present on admission.

use metriccare_fhir::write::{Code, Diagnosis, Instant};

use super::Encounter;
use crate::calendar::{DAY, HOUR};
use crate::stream::Stream;
use crate::tables::StayKind;

/// A type of infection that hospitals report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Infection {
    /// Central line-associated bloodstream infection.
    Clabsi,
    /// Catheter-associated urinary tract infection.
    Cauti,
    /// Surgical site infection.
    Ssi,
    /// MRSA bloodstream infection.
    Mrsa,
    /// Clostridioides difficile infection.
    Cdi,
    /// Ventilator-associated pneumonia.
    Vap,
    /// Another infection, coded without its kind.
    Other,
}

impl Infection {
    /// All types, in the order of their numbers.
    pub const ALL: [Infection; 7] = [
        Infection::Clabsi,
        Infection::Cauti,
        Infection::Ssi,
        Infection::Mrsa,
        Infection::Cdi,
        Infection::Vap,
        Infection::Other,
    ];

    /// The name that the metrics use.
    pub fn name(self) -> &'static str {
        match self {
            Infection::Clabsi => "clabsi",
            Infection::Cauti => "cauti",
            Infection::Ssi => "ssi",
            Infection::Mrsa => "mrsa",
            Infection::Cdi => "cdi",
            Infection::Vap => "vap",
            Infection::Other => "other",
        }
    }

    /// The codes, the recurrent or deeper form of some by chance.
    pub(crate) fn diagnosis(self, variant: bool) -> Diagnosis<'static> {
        let (icd10, snomed) = match (self, variant) {
            (Infection::Clabsi, _) => (
                Some(("T80.211A", "Bloodstream infection due to central venous catheter, initial encounter")),
                Some(("736442006", "Central line associated bloodstream infection")),
            ),
            (Infection::Cauti, _) => (
                Some((
                    "T83.511A",
                    "Infection and inflammatory reaction due to indwelling urethral catheter, initial encounter",
                )),
                Some(("700372006", "Catheter associated urinary tract infection")),
            ),
            (Infection::Ssi, true) => (
                Some(("T81.42XA", "Infection following a procedure, deep incisional surgical site, initial encounter")),
                Some(("433202001", "Surgical site infection")),
            ),
            (Infection::Ssi, false) => (
                Some((
                    "T81.41XA",
                    "Infection following a procedure, superficial incisional surgical site, initial encounter",
                )),
                Some(("433202001", "Surgical site infection")),
            ),
            (Infection::Mrsa, _) => {
                (Some(("A41.02", "Sepsis due to Methicillin resistant Staphylococcus aureus")), None)
            }
            (Infection::Cdi, true) => (
                Some(("A04.71", "Enterocolitis due to Clostridium difficile, recurrent")),
                Some(("186431008", "Clostridioides difficile infection")),
            ),
            (Infection::Cdi, false) => (
                Some(("A04.72", "Enterocolitis due to Clostridium difficile, not specified as recurrent")),
                Some(("186431008", "Clostridioides difficile infection")),
            ),
            (Infection::Vap, _) => (
                Some(("J95.851", "Ventilator associated pneumonia")),
                Some(("429271009", "Ventilator-acquired pneumonia")),
            ),
            (Infection::Other, _) => (None, Some(("40733004", "Infectious disease"))),
        };
        let code = |pair: Option<(&'static str, &'static str)>| pair.map(|(code, display)| Code { code, display });
        let text = icd10.or(snomed).map_or("Infection", |(_, display)| display);
        Diagnosis { icd10: code(icd10), snomed: code(snomed), text }
    }
}

/// Days of stay on which an infection of the type can begin: from the third, for laboratory types from the fourth.
fn first_day(infection: Infection) -> i64 {
    if matches!(infection, Infection::Cdi | Infection::Mrsa) { 3 } else { 2 }
}

/// Hazards per exposed day; an infection can only begin on the later days of an exposure, so they stand above the rates.
const PER_LINE_DAY: f64 = 0.001_75;
const PER_CATHETER_DAY: f64 = 0.002_20;
const PER_VENTILATOR_DAY: f64 = 0.004_50;
const CDI_PER_DAY: f64 = 0.001_20;
const MRSA_PER_DAY: f64 = 0.000_20;
const OTHER_PER_DAY: f64 = 0.006_50;

/// Draws a stay's infections: type and onset.
pub(super) fn draw(stay: &Encounter, kind: StayKind, stream: &mut Stream, found: &mut Vec<(Infection, Instant)>) {
    let days = i64::from(stay.end.date().0 - stay.start.date().0);
    let on_admission = match stream.unit() {
        u if u < 0.0028 => Some(Infection::Cdi),
        u if u < 0.0036 => Some(Infection::Cauti),
        u if u < 0.0042 => Some(Infection::Clabsi),
        u if u < 0.0110 => Some(Infection::Other),
        _ => None,
    };
    if let Some(infection) = on_admission {
        found.push((infection, Instant(stay.start.0 + stream.between(HOUR / 2, 3 * HOUR))));
    }
    if days < 2 {
        return;
    }
    let operation = match kind {
        StayKind::Colon => 0.034,
        StayKind::Hysterectomy => 0.011,
        kind if kind.operates() => 0.009,
        _ => 0.0,
    };
    let devices = stay.devices;
    let eligible = |infection, exposed: u16| (i64::from(exposed).min(days) - first_day(infection)).max(0) as f64;
    let all = days as u16;
    let risks = [
        (Infection::Clabsi, PER_LINE_DAY * eligible(Infection::Clabsi, devices.line)),
        (Infection::Cauti, PER_CATHETER_DAY * eligible(Infection::Cauti, devices.catheter)),
        (Infection::Vap, PER_VENTILATOR_DAY * eligible(Infection::Vap, devices.ventilator)),
        (Infection::Cdi, CDI_PER_DAY * eligible(Infection::Cdi, all)),
        (Infection::Mrsa, MRSA_PER_DAY * eligible(Infection::Mrsa, all)),
        (Infection::Other, OTHER_PER_DAY * eligible(Infection::Other, all)),
        (Infection::Ssi, operation),
    ];
    for (infection, risk) in risks {
        // What was brought to hospital does not begin there again.
        if risk > 0.0 && stream.chance(risk.min(0.5)) && Some(infection) != on_admission {
            found.extend(onset(stay, infection, stream).map(|time| (infection, time)));
        }
    }
}

/// A time within the stay at which an infection of the type counts as hospital-onset, if the stay is long enough.
pub(super) fn onset(stay: &Encounter, infection: Infection, stream: &mut Stream) -> Option<Instant> {
    let begin = stay.start.date().midnight().0 + first_day(infection) * DAY;
    (stay.end.0 - begin > 2 * HOUR).then(|| Instant(stream.between(begin, stay.end.0 - HOUR)))
}
