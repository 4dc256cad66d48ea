//! Who a patient is: age, sex, race, language, home, and the frailty that their conditions and stays share.
//!
//! The ages are those of people whom hospitals know: older than the population. Race and language go together, and the
//! town is one of the home hospital's.

use metriccare_fhir::write::{Date, Gender, Id, Race};

use crate::cohorts::Demand;
use crate::ids::{IdKind, mix};
use crate::stream::{Purpose, Stream};
use crate::world::World;

/// A preferred language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language {
    /// The code of BCP 47.
    pub code: &'static str,
    /// The name in English.
    pub name: &'static str,
}

const ENGLISH: Language = Language { code: "en", name: "English" };
const SPANISH: Language = Language { code: "es", name: "Spanish" };
const ASIAN: [(Language, f64); 6] = [
    (ENGLISH, 48.0),
    (Language { code: "zh", name: "Chinese" }, 16.0),
    (Language { code: "vi", name: "Vietnamese" }, 12.0),
    (Language { code: "hi", name: "Hindi" }, 12.0),
    (Language { code: "ko", name: "Korean" }, 7.0),
    (Language { code: "tl", name: "Tagalog" }, 5.0),
];
const OTHERS: [(Language, f64); 5] = [
    (ENGLISH, 966.0),
    (SPANISH, 8.0),
    (Language { code: "fr", name: "French" }, 9.0),
    (Language { code: "ar", name: "Arabic" }, 9.0),
    (Language { code: "ru", name: "Russian" }, 8.0),
];

/// Who a patient is.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// The patient's place in the population, from 0.
    pub index: u64,
    /// The logical id.
    pub id: Id,
    /// The number in the medical record number.
    pub mrn: u64,
    /// The given name.
    pub given: &'static str,
    /// The family name.
    pub family: &'static str,
    /// Administrative gender.
    pub gender: Gender,
    /// Date of birth.
    pub birth: Date,
    /// Race category.
    pub race: Race,
    /// Whether Hispanic or Latino.
    pub hispanic: bool,
    /// Preferred language.
    pub language: Language,
    /// The index of the hospital that keeps the record.
    pub home: u16,
    /// City of the home address.
    pub city: &'static str,
    /// State of the home address.
    pub state: &'static str,
    /// Age in years on the year's first day.
    pub age: i32,
    /// How frail: a standard normal value that chronic conditions and stays share.
    pub(crate) frailty: f64,
}

/// Ages: the upper end of a band, and how many of a hospital's patients are in it.
const AGES: [(i32, f64); 9] =
    [(5, 5.0), (18, 8.0), (25, 8.0), (35, 12.0), (45, 11.5), (55, 13.0), (65, 15.5), (75, 14.5), (85, 9.0)];
const OLDEST: (i32, f64) = (100, 3.5);

pub(super) fn draw(world: &World, index: u64, demand: &Demand) -> Person {
    let spec = &world.spec;
    let mut stream = Stream::new(spec.seed, spec.year, index, Purpose::Person);
    let frailty = demand.frailty.unwrap_or_else(|| stream.normal());
    let band = stream.weighted(AGES.iter().chain(std::iter::once(&OLDEST)).map(|&(_, share)| share));
    let (low, high) = (if band == 0 { 0 } else { AGES[band - 1].0 }, AGES.get(band).unwrap_or(&OLDEST).0);
    // Within the last band the older are fewer.
    let within = if band == AGES.len() { stream.unit() * stream.unit() } else { stream.unit() };
    let age = low + (within * f64::from(high - low)) as i32;
    let first = world.year.first();
    let (year, ..) = first.ymd();
    let birthday = stream.index(365) as i32;
    let birth = Date(Date::from_ymd(year - age - 1, 1, 2).0 + birthday.min(363));
    let gender = match stream.unit() {
        u if u < 0.525 => Gender::Female,
        u if u < 0.998 => Gender::Male,
        _ => Gender::Other,
    };
    let hispanic = stream.chance(0.105);
    let race = match stream.unit() {
        u if hispanic && u < 0.75 => Race::White,
        _ if hispanic => Race::Other,
        u if u < 0.690 => Race::White,
        u if u < 0.915 => Race::Black,
        u if u < 0.955 => Race::Asian,
        u if u < 0.970 => Race::Native,
        u if u < 0.972 => Race::Pacific,
        _ => Race::Other,
    };
    let language = match race {
        _ if hispanic => {
            if stream.chance(0.58) {
                SPANISH
            } else {
                ENGLISH
            }
        }
        Race::Asian => ASIAN[stream.weighted(ASIAN.iter().map(|&(_, share)| share))].0,
        _ => OTHERS[stream.weighted(OTHERS.iter().map(|&(_, share)| share))].0,
    };
    let names = match gender {
        Gender::Male => &world.tables.names.male,
        _ => &world.tables.names.female,
    };
    let given = names[stream.index(names.len() as u32) as usize];
    let family = world.tables.names.family[stream.index(world.tables.names.family.len() as u32) as usize];
    let home = world.directory.home(&mut stream);
    let towns = &world.directory.hospitals()[usize::from(home)].towns;
    let town = towns[stream.weighted(towns.iter().map(|town| town.weight))];
    Person {
        index,
        id: world.ids.id(IdKind::Patient, index, 0),
        mrn: 1_000_000_000 + mix(mix(spec.seed) ^ spec.year as u64) % 8_000 * 1_000_000 + index,
        given,
        family,
        gender,
        birth,
        race,
        hispanic,
        language,
        home,
        city: town.city,
        state: town.state,
        age: first.years_since(birth),
        frailty,
    }
}

impl Person {
    /// What stands in a log before its first simulation.
    pub(super) fn placeholder() -> Person {
        Person {
            index: 0,
            id: Id(0),
            mrn: 0,
            given: "",
            family: "",
            gender: Gender::Unknown,
            birth: Date(0),
            race: Race::Other,
            hispanic: false,
            language: ENGLISH,
            home: 0,
            city: "",
            state: "",
            age: 0,
            frailty: 0.0,
        }
    }
}
