//! The types of infection that hospitals report, with their codes.

use metriccare_fhir::write::{Code, Diagnosis};

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
