//! Whether a condition says that the patient died.
//!
//! Some systems record a death as a Condition, with one of two SNOMED CT concepts or with nothing but a word.

/// The SNOMED CT concepts: "death" and "died".
pub const SNOMED: [&str; 2] = ["419620001", "419099009"];

/// Whether a coding, or without a code the text, says that the patient died; not where that is refuted or entered in error.
pub fn is_death(
    code_system: Option<&str>,
    code: Option<&str>,
    text: Option<&str>,
    verification_status: Option<&str>,
) -> bool {
    if super::infection::is_withdrawn(verification_status) {
        return false;
    }
    match code.map(str::trim).filter(|code| !code.is_empty()) {
        Some(code) => SNOMED.contains(&code) && super::infection::is_snomed(code_system),
        None => text.is_some_and(|text| text.trim().eq_ignore_ascii_case("death")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCT: Option<&str> = Some("http://snomed.info/sct");

    #[test]
    fn concepts_and_the_bare_word_are_deaths() {
        assert!(is_death(SCT, Some("419620001"), None, None));
        assert!(is_death(SCT, Some(" 419099009 "), None, Some("confirmed")));
        assert!(is_death(None, Some("419099009"), None, None));
        assert!(is_death(None, None, Some(" DEATH "), None));
        assert!(!is_death(Some("http://loinc.org"), Some("419099009"), None, None));
        assert!(!is_death(SCT, Some("40733004"), Some("Death"), None));
        assert!(!is_death(None, None, Some("Death of a parent"), None));
        assert!(!is_death(None, None, None, None));
    }

    #[test]
    fn what_was_taken_back_is_no_death() {
        for status in ["refuted", "entered-in-error", " Refuted "] {
            assert!(!is_death(SCT, Some("419620001"), None, Some(status)), "{status}");
            assert!(!is_death(None, None, Some("Death"), Some(status)), "{status}");
        }
    }
}
