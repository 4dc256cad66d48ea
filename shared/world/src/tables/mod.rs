//! The figures that the world is built on, read from the small tables in `data/`.
//!
//! Each file names its source in its first lines. They are compiled into the program; a malformed line is a fault of
//! the program and stops it in its tests, never at a user's.

mod chronic;
mod drg;
mod procedures;
mod reasons;

pub(crate) use chronic::{Chronic, band as chronic_band};
pub(crate) use drg::Drg;
pub(crate) use procedures::Procedure;
pub(crate) use reasons::{Setting, StayKind, StayReason, VisitReason};

use metriccare_fhir::write::{Code, Diagnosis};

/// All tables of the world but the directory's.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(crate) drgs: Vec<Drg>,
    pub(crate) chronic: Vec<Chronic>,
    pub(crate) stays: Vec<StayReason>,
    pub(crate) visits: Vec<VisitReason>,
    /// The places in `visits` and their weights, by setting and age band.
    visit_choices: [[Vec<(u16, f64)>; 3]; 4],
    pub(crate) procedures: Vec<Procedure>,
    pub(crate) female: Vec<&'static str>,
    pub(crate) male: Vec<&'static str>,
    pub(crate) family: Vec<&'static str>,
}

impl Tables {
    /// Reads the tables.
    pub(crate) fn read() -> Tables {
        let drgs = drg::read();
        let chronic = chronic::read();
        let stays = reasons::read_stays(&drgs, &chronic);
        let names = |kind: &str| -> Vec<&'static str> {
            let row = rows(include_str!("../../data/names.tsv")).find(|row| row[0] == kind);
            row.expect("names.tsv has a line for each kind")[1].split(' ').collect()
        };
        let visits = reasons::read_visits();
        let choices = |setting: Setting, band: usize| -> Vec<(u16, f64)> {
            let of =
                (0u16..).zip(&visits).filter(|(_, reason)| reason.setting == setting && reason.weights[band] > 0.0);
            of.map(|(at, reason)| (at, reason.weights[band])).collect()
        };
        let settings = [Setting::Clinic, Setting::Virtual, Setting::Emergency, Setting::Home];
        Tables {
            visit_choices: settings.map(|setting| [0, 1, 2].map(|band| choices(setting, band))),
            visits,
            procedures: procedures::read(),
            female: names("female"),
            male: names("male"),
            family: names("family"),
            drgs,
            chronic,
            stays,
        }
    }
}

impl Tables {
    /// The reasons for a visit of a setting at an age, as places in `visits` with their weights.
    pub(crate) fn visit_choices(&self, setting: Setting, band: usize) -> &[(u16, f64)] {
        &self.visit_choices[setting as usize][band]
    }
}

/// The rows of a table: lines split at tabs, without comments and the header.
pub(crate) fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split('\t').collect())
}

/// A number in a table.
fn number(text: &str) -> f64 {
    text.parse().expect("the tables hold numbers where numbers belong")
}

/// A diagnosis from four columns: ICD-10-CM code and display, SNOMED CT code and display.
fn diagnosis(columns: &[&'static str]) -> Diagnosis<'static> {
    let snomed = (!columns[2].is_empty()).then_some(Code { code: columns[2], display: columns[3] });
    Diagnosis { icd10: Some(Code { code: columns[0], display: columns[1] }), snomed, text: columns[1] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_read_and_every_mix_adds_up() {
        let tables = Tables::read();
        assert!(tables.drgs.len() > 60 && tables.stays.len() > 40 && tables.visits.len() > 30);
        assert_eq!(tables.chronic.len(), 18);
        for reason in &tables.stays {
            let sum: f64 = reason.drgs.iter().map(|&(_, share)| share).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{}: {sum}", reason.diagnosis.text);
        }
        assert!(tables.drgs.iter().all(|drg| drg.sigma > 0.0 || drg.mu > 0.0));
    }
}
