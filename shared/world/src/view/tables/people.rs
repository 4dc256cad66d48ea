//! patients.csv, providers.csv and facilities.csv.

use metriccare_fhir::write::{Date, Race};

use super::cell_texts::gender_letter;
use super::columns::{FACILITIES, PROVIDERS};
use super::csv::Row;
use super::procedure::codes;
use super::rows::Rows;
use super::totals::Tally;
use crate::ids::mix;
use crate::life::Life;
use crate::world::World;

/// The spending, in dollars, above which a share of the patients lies; measured on a hundred thousand of them.
const SPENDING: [(f64, f64); 9] = [
    (0.0, 1e9),
    (0.01, 44_400.0),
    (0.05, 21_300.0),
    (0.10, 12_850.0),
    (0.20, 2_350.0),
    (0.30, 1_240.0),
    (0.50, 637.0),
    (0.80, 203.0),
    (1.0, -1.0),
];

pub(super) fn patient(world: &World, life: &Life, spent: i64, tally: &mut Tally, out: &mut Rows) {
    let person = &life.person;
    let years = (mix(person.id.0 as u64) % 12) as i32;
    let (year, ..) = world.year.first().ymd();
    let enrolled = Date::from_ymd(year - 1 - years, 1 + (mix(person.mrn) % 12) as u32, 1);
    let race = match person.race {
        _ if person.hispanic => "Hispanic",
        Race::Other => "Other",
        race => race.code().display,
    };
    let high_cost = spent as f64 / 100.0 > threshold(world.spec.high_cost_rate);
    tally.patient(world, life, high_cost);
    out.counts[0] += 1;
    Row::new(&mut out.patients)
        .id(person.id)
        .text(person.given)
        .text(person.family)
        .date(person.birth)
        .number(i64::from(person.age))
        .text(gender_letter(person.gender))
        .text(race)
        .list(codes(world, life))
        .flag(high_cost)
        .date(enrolled.max(person.birth))
        .flag(life.death.is_none_or(|death| death >= world.year.end()))
        .end();
}

/// The spending above which the wanted share of patients lies.
fn threshold(share: f64) -> f64 {
    let upper = SPENDING.iter().position(|&(at, _)| at >= share).unwrap_or(SPENDING.len() - 1).max(1);
    let ((low, more), (high, less)) = (SPENDING[upper - 1], SPENDING[upper]);
    if upper == 1 || less <= 0.0 {
        return if share >= high { less } else { more };
    }
    // Between two known shares the logarithm of the spending falls evenly.
    let part = (share - low) / (high - low);
    libm::exp(libm::log(more) * (1.0 - part) + libm::log(less) * part)
}

/// The text of providers.csv.
pub fn providers_csv(world: &World) -> Vec<u8> {
    let mut out = PROVIDERS.header().into_bytes();
    for clinician in world.directory.clinicians() {
        Row::new(&mut out)
            .id(clinician.id)
            .text(clinician.given)
            .text(clinician.family)
            .text(gender_letter(clinician.gender))
            .text(clinician.department.name())
            .text(if mix(clinician.id.0 as u64).is_multiple_of(9) { "DO" } else { "MD" })
            .id(world.directory.hospitals()[usize::from(clinician.hospital)].id)
            .flag(true)
            .end();
    }
    out
}

/// The text of facilities.csv.
pub fn facilities_csv(world: &World) -> Vec<u8> {
    let mut out = FACILITIES.header().into_bytes();
    for (i, hospital) in world.directory.hospitals().iter().enumerate() {
        Row::new(&mut out)
            .id(hospital.id)
            .text(&hospital.name)
            .text(hospital.kind.name())
            .text(hospital.city)
            .text(hospital.state)
            .number(i64::from(hospital.licensed_beds))
            .flag(i < 3)
            .end();
    }
    out
}
