//! The class of an encounter in six words: inpatient, emergency, outpatient, virtual, home, other.
//!
//! The class decides, whatever code system it names; only without a class does the text of the type. A class that
//! is not listed, such as NONAC (non-acute inpatient), is `other`: it is never guessed to be a stay.

/// The class of encounters that are stays once completed.
pub const INPATIENT: &str = "inpatient";

/// The class of emergency visits.
pub const EMERGENCY: &str = "emergency";

/// Class codes and class or type texts, in lower case, and the class of each.
///
/// Observation (OBSENC) and short stay (SS) are outpatient, as payers and CMS count them.
pub const CLASSES: &[(&str, &str)] = &[
    ("imp", INPATIENT),
    ("acute", INPATIENT),
    ("inpatient", INPATIENT),
    ("inpatient encounter", INPATIENT),
    ("inpatient acute", INPATIENT),
    ("emer", EMERGENCY),
    ("emergency", EMERGENCY),
    ("amb", "outpatient"),
    ("obsenc", "outpatient"),
    ("ss", "outpatient"),
    ("ambulatory", "outpatient"),
    ("outpatient", "outpatient"),
    ("vr", "virtual"),
    ("virtual", "virtual"),
    ("hh", "home"),
    ("home", "home"),
    ("home health", "home"),
];

/// The class of an encounter from its class code (or class text) and its type text.
pub fn encounter_class(class: Option<&str>, type_text: Option<&str>) -> &'static str {
    let given = |text: Option<&'_ str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let Some(word) = given(class).or_else(|| given(type_text)) else { return "other" };
    CLASSES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&word)).map_or("other", |(_, class)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_decides_and_the_type_stands_in() {
        assert_eq!(encounter_class(Some("IMP"), Some("Outpatient")), "inpatient");
        assert_eq!(encounter_class(Some("NONAC"), Some("Inpatient")), "other");
        assert_eq!(encounter_class(None, Some("Inpatient")), "inpatient");
        assert_eq!(encounter_class(Some(" "), Some("Virtual")), "virtual");
        assert_eq!(encounter_class(None, Some("Consultation")), "other");
        assert_eq!(encounter_class(None, None), "other");
    }
}
