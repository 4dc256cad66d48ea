//! All tables of a world together.

use std::sync::{Arc, LazyLock};

use super::chronic::{self, Chronic};
use super::drg::{self, Drg};
use super::hospitals::{self, HospitalRow};
use super::names::{self, Names};
use super::procedures::{self, Procedure};
use super::reasons::{self, Setting, StayReason, VisitReason};
use super::texts::TableTexts;
use super::tsv::TableError;

/// All tables that a world is made from.
#[derive(Clone, Debug)]
pub struct Tables {
    pub(crate) hospitals: Vec<HospitalRow>,
    pub(crate) drgs: Vec<Drg>,
    pub(crate) chronic: Vec<Chronic>,
    pub(crate) stays: Vec<StayReason>,
    pub(crate) visits: Vec<VisitReason>,
    /// The places in `visits` and their weights, by setting and age band.
    visit_choices: reasons::VisitChoices,
    pub(crate) procedures: Vec<Procedure>,
    pub(crate) names: Names,
    /// A digest of the texts, where they are not the shipped ones.
    pub(crate) digest: Option<u64>,
}

static SHIPPED: LazyLock<Arc<Tables>> =
    LazyLock::new(|| Arc::new(Tables::from_texts(&TableTexts::default()).expect("the shipped tables are valid")));

impl Tables {
    /// The shipped tables, read once.
    pub(crate) fn shipped() -> Arc<Tables> {
        Arc::clone(&SHIPPED)
    }

    /// Reads the tables; the first thing that is wrong is an error with its file, line and column.
    pub fn from_texts(texts: &TableTexts) -> Result<Tables, TableError> {
        let drgs = drg::read(texts.of("drg.tsv"))?;
        let chronic = chronic::read(texts.of("chronic.tsv"))?;
        let visits = reasons::read_visits(texts.of("visit_reasons.tsv"))?;
        Ok(Tables {
            hospitals: hospitals::read(texts.of("hospitals.tsv"))?,
            stays: reasons::read_stays(texts.of("stay_reasons.tsv"), &drgs, &chronic)?,
            visit_choices: reasons::visit_choices(&visits)?,
            visits,
            procedures: procedures::read(texts.of("procedures.tsv"))?,
            names: names::read(texts.of("names.tsv"))?,
            drgs,
            chronic,
            digest: texts.digest(),
        })
    }

    /// The reasons for a visit of a setting at an age, as places in `visits` with their weights.
    pub(crate) fn visit_choices(&self, setting: Setting, band: usize) -> &[(u16, f64)] {
        &self.visit_choices[setting as usize][band]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(file: &str, from: &str, to: &str) -> String {
        let mut texts = TableTexts::default();
        let text = texts.of(file).replacen(from, to, 1);
        assert_ne!(text, texts.of(file), "{from} is in {file}");
        assert!(texts.replace(file, text));
        Tables::from_texts(&texts).unwrap_err().to_string()
    }

    #[test]
    fn every_table_is_read() {
        let tables = Tables::shipped();
        assert!(tables.drgs.len() > 60 && tables.stays.len() > 40 && tables.visits.len() > 30);
        assert_eq!((tables.chronic.len(), tables.digest), (18, None));
        assert!(tables.drgs.iter().all(|drg| drg.sigma > 0.0 || drg.mu > 0.0));
    }

    #[test]
    fn a_replaced_table_is_checked_and_changes_the_digest() {
        let mut texts = TableTexts::default();
        assert!(!texts.replace("hospital.tsv", String::new()));
        let names = "kind\tnames\nfemale\tAda\nmale\tAlan\nfamily\tLovelace Turing\n";
        assert!(texts.replace("names.tsv", names.into()));
        let tables = Tables::from_texts(&texts).unwrap();
        assert_eq!((&tables.names.female[..], &tables.names.family[..2]), (&["Ada"][..], &["Lovelace", "Turing"][..]));
        assert!(tables.digest.is_some());
        assert_eq!(
            refusal("stay_reasons.tsv", "871:62,", "871:61,").split(':').next(),
            Some("stay_reasons.tsv, line 6, column drgs")
        );
        assert!(refusal("stay_reasons.tsv", "871:62,", "999:62,").contains("999 is no DRG of drg.tsv"));
        assert!(refusal("stay_reasons.tsv", "\tmedical\t", "\tmagical\t").contains("magical"));
        assert!(refusal("chronic.tsv", "copd\t", "lungs\t").contains("column chronic: copd is no key of chronic.tsv"));
        assert!(refusal("hospitals.tsv", "Cary:16", "Cary").contains("column towns: Cary is not a town"));
        assert!(refusal("names.tsv", "female\t", "women\t").contains("women"));
    }
}
