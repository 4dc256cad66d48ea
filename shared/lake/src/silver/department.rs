//! One name for each department, whatever the hospital writes.

/// Names that departments go by, in lower case, and the name that silver gives them.
pub const DEPARTMENTS: &[(&str, &str)] = &[
    ("ed", "Emergency"),
    ("er", "Emergency"),
    ("emergency", "Emergency"),
    ("emergency room", "Emergency"),
    ("emergency department", "Emergency"),
    ("emergency dept", "Emergency"),
    ("a&e", "Emergency"),
    ("accident and emergency", "Emergency"),
    ("icu", "Intensive Care"),
    ("intensive care", "Intensive Care"),
    ("intensive care unit", "Intensive Care"),
    ("critical care", "Intensive Care"),
    ("critical care unit", "Intensive Care"),
    ("nicu", "Neonatal Intensive Care"),
    ("neonatal icu", "Neonatal Intensive Care"),
    ("neonatal intensive care", "Neonatal Intensive Care"),
    ("neonatal intensive care unit", "Neonatal Intensive Care"),
    ("picu", "Pediatric Intensive Care"),
    ("pediatric icu", "Pediatric Intensive Care"),
    ("pediatric intensive care", "Pediatric Intensive Care"),
    ("pediatric intensive care unit", "Pediatric Intensive Care"),
    ("ward", "General Ward"),
    ("general ward", "General Ward"),
    ("med", "Medicine"),
    ("medicine", "Medicine"),
    ("general medicine", "Medicine"),
    ("internal medicine", "Medicine"),
    ("medical ward", "Medicine"),
    ("surgery", "Surgery"),
    ("surgical", "Surgery"),
    ("general surgery", "Surgery"),
    ("surgical ward", "Surgery"),
    ("cardio", "Cardiology"),
    ("cardiac", "Cardiology"),
    ("cardiology", "Cardiology"),
    ("onc", "Oncology"),
    ("oncology", "Oncology"),
    ("neuro", "Neurology"),
    ("neurology", "Neurology"),
    ("ortho", "Orthopedics"),
    ("orthopedics", "Orthopedics"),
    ("orthopaedics", "Orthopedics"),
    ("peds", "Pediatrics"),
    ("pediatrics", "Pediatrics"),
    ("paediatrics", "Pediatrics"),
    ("l&d", "Maternity"),
    ("labor and delivery", "Maternity"),
    ("maternity", "Maternity"),
    ("obstetrics", "Maternity"),
    ("psych", "Psychiatry"),
    ("psychiatry", "Psychiatry"),
    ("behavioral health", "Psychiatry"),
    ("rehab", "Rehabilitation"),
    ("rehabilitation", "Rehabilitation"),
    ("outpatient", "Outpatient"),
    ("outpatient clinic", "Outpatient"),
    ("clinic", "Outpatient"),
    ("virtual", "Telehealth"),
    ("telehealth", "Telehealth"),
    ("telemedicine", "Telehealth"),
];

/// The department's one name; an unknown name passes through trimmed, an empty one is none.
pub fn department(name: &str) -> Option<&str> {
    let name = name.trim();
    let known = DEPARTMENTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, one)| *one);
    known.or((!name.is_empty()).then_some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_meet_and_unknown_names_pass() {
        assert_eq!(department("ER"), Some("Emergency"));
        assert_eq!(department(" emergency room "), Some("Emergency"));
        assert_eq!(department("ICU"), Some("Intensive Care"));
        assert_eq!(department(" Burns Unit "), Some("Burns Unit"));
        assert_eq!(department("  "), None);
    }

    #[test]
    fn every_name_is_its_own_synonym_or_unknown() {
        // Otherwise normalising a second time would change a name.
        for (_, one) in DEPARTMENTS {
            assert_eq!(department(one), Some(*one));
        }
        assert!(DEPARTMENTS.iter().all(|(name, _)| *name == name.to_lowercase()));
    }
}
