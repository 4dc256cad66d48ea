//! Genders, ids and dates as the text they are in every row, made once: a run has millions of cells of a few thousand values.

use metriccare_fhir::write::{Date, Gender, Id};

use crate::world::World;

/// The text of an id.
pub(super) type IdText = [u8; 36];

/// The text of a date.
type DateText = [u8; 10];

/// Texts of what many rows have in common.
#[derive(Clone, Debug)]
pub(super) struct CellTexts {
    pub(super) clinicians: Vec<IdText>,
    pub(super) hospitals: Vec<IdText>,
    first: i32,
    dates: Vec<DateText>,
}

impl CellTexts {
    pub(super) fn new(world: &World) -> CellTexts {
        let calendar = &world.year;
        // Claims are filed and procedures reported up to a few months after the year.
        let days = calendar.first().0..calendar.first().0 + calendar.days() + 150;
        CellTexts {
            clinicians: world.directory.clinicians().iter().map(|clinician| id(clinician.id)).collect(),
            hospitals: world.directory.hospitals().iter().map(|hospital| id(hospital.id)).collect(),
            first: days.start,
            dates: days.map(|day| text(|out| Date(day).push(out))).collect(),
        }
    }

    /// The text of a date of the year or soon after; nothing for others.
    pub(super) fn date(&self, date: Date) -> Option<&DateText> {
        self.dates.get(usize::try_from(date.0 - self.first).ok()?)
    }
}

/// The text of an id.
pub(super) fn id(id: Id) -> IdText {
    text(|out| id.push(out))
}

fn text<const N: usize>(push: impl FnOnce(&mut Vec<u8>)) -> [u8; N] {
    let mut out = Vec::with_capacity(N);
    push(&mut out);
    let mut text = [b' '; N];
    text.copy_from_slice(&out);
    text
}

/// A gender in the one letter of the relational tables.
pub(super) fn gender_letter(gender: Gender) -> &'static str {
    match gender {
        Gender::Female => "F",
        Gender::Male => "M",
        Gender::Other | Gender::Unknown => "O",
    }
}
