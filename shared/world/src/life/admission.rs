//! How often a patient is admitted, and why: by age, sex, frailty and chronic conditions.

use metriccare_fhir::write::Gender;

use super::log::Life;
use crate::stream::Stream;
use crate::tables::StayReason;
use crate::world::World;

/// Expected primary admissions in the year.
pub(super) fn rate(life: &Life) -> f64 {
    let base = match life.person.age {
        ..5 => 0.105,
        5..18 => 0.035,
        18..45 => {
            if life.person.gender == Gender::Female {
                0.16
            } else {
                0.075
            }
        }
        45..65 => 0.20,
        65..75 => 0.34,
        75..85 => 0.52,
        _ => 0.68,
    };
    1.22 * base * libm::exp(0.5 * life.person.frailty - 0.125)
}

/// Picks the cause of a primary admission.
pub(super) fn pick_cause(world: &World, life: &Life, stream: &mut Stream) -> u16 {
    let band = match life.person.age {
        ..18 => 0,
        18..45 => 1,
        45..65 => 2,
        65..75 => 3,
        _ => 4,
    };
    let weight = |reason: &StayReason| {
        let linked = match reason.chronic {
            Some(chronic) if life.chronic & (1 << chronic) != 0 => 3.0,
            Some(_) => 0.75,
            None => 1.0,
        };
        if reason.women_only && life.person.gender != Gender::Female { 0.0 } else { reason.weights[band] * linked }
    };
    stream.weighted(world.tables.stays.iter().map(weight)) as u16
}

/// Picks a cause that nobody plans.
pub(super) fn pick_unplanned(world: &World, life: &Life, stream: &mut Stream) -> u16 {
    let mut cause = pick_cause(world, life, stream);
    for _ in 0..20 {
        if !world.tables.stays[usize::from(cause)].planned() {
            return cause;
        }
        cause = pick_cause(world, life, stream);
    }
    0
}
