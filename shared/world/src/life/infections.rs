//! Infections in hospital: by type and by exposure.
//!
//! Device infections need days with the device and begin on day 3 or later; C. difficile and MRSA bloodstream
//! infections follow the stay's length; wound infections follow operations. A few of each are brought to hospital and
//! are present on admission.

use metriccare_fhir::calendar::{DAY, HOUR};
use metriccare_fhir::write::Instant;

use super::encounter::Encounter;
use super::infection::Infection;
use crate::stream::Stream;
use crate::tables::StayKind;

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
