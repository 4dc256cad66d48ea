//! Which infection a condition is, by one of its codings.
//!
//! ICD-10-CM codes are matched with or without their dot, in any case; a code counts in its own code system, or where
//! no system is named. The infections are those of the CDC's surveillance, whose exact rules need devices, procedures
//! and cultures that a condition does not carry.

/// Every infection type, in the order in which tables list them.
pub const TYPES: [&str; 7] = ["clabsi", "cauti", "ssi", "mrsa", "cdi", "vap", "other"];

/// ICD-10-CM codes without their dot: the type, the code, and whether longer codes that begin with it count too.
pub const ICD_10: &[(&str, &str, bool)] = &[
    ("clabsi", "T80211", true),
    ("cauti", "T83511", true),
    ("vap", "J95851", false),
    ("cdi", "A0471", false),
    ("cdi", "A0472", false),
    ("ssi", "T8140", true),
    ("ssi", "T8141", true),
    ("ssi", "T8142", true),
    ("ssi", "T8143", true),
    ("ssi", "T8144", true),
    ("ssi", "T8145", true),
    ("ssi", "T8146", true),
    ("ssi", "T8147", true),
    ("ssi", "T8148", true),
    ("ssi", "T8149", true),
    ("mrsa", "A4102", false),
];

/// SNOMED CT concepts and their types.
pub const SNOMED: &[(&str, &str)] = &[
    ("clabsi", "736442006"),
    ("cauti", "700372006"),
    ("vap", "429271009"),
    ("cdi", "186431008"),
    ("ssi", "433202001"),
    ("other", "40733004"),
];

/// The infection type of a coding; none where the condition is refuted or entered in error.
///
/// Without a code, the text "Infection" is an infection of type `other`.
pub fn infection_type(
    code_system: Option<&str>,
    code: Option<&str>,
    display: Option<&str>,
    verification_status: Option<&str>,
) -> Option<&'static str> {
    if is_withdrawn(verification_status) {
        return None;
    }
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        return display.is_some_and(|text| text.trim().eq_ignore_ascii_case("infection")).then_some("other");
    };
    if code.bytes().all(|byte| byte.is_ascii_digit()) {
        let known = SNOMED.iter().find(|(_, concept)| *concept == code).map(|(kind, _)| *kind);
        return known.filter(|_| is_snomed(code_system));
    }
    let plain = code.replace('.', "").to_ascii_uppercase();
    let matches = |icd: &str, longer: bool| if longer { plain.starts_with(icd) } else { plain == icd };
    let known = ICD_10.iter().find(|(_, icd, longer)| matches(icd, *longer)).map(|(kind, ..)| *kind);
    let system = code_system.map(|system| system.trim().to_ascii_lowercase()).filter(|system| !system.is_empty());
    let is_icd = |system: &str| ["icd-10", "icd10", "2.16.840.1.113883.6.90"].iter().any(|name| system.contains(name));
    known.filter(|_| system.as_deref().is_none_or(is_icd))
}

/// Whether a verification status takes its condition back.
pub(super) fn is_withdrawn(verification_status: Option<&str>) -> bool {
    verification_status
        .map(str::trim)
        .is_some_and(|status| status.eq_ignore_ascii_case("refuted") || status.eq_ignore_ascii_case("entered-in-error"))
}

/// Whether a code system is SNOMED CT, or none is named.
pub(super) fn is_snomed(code_system: Option<&str>) -> bool {
    let system = code_system.map(|system| system.trim().to_ascii_lowercase()).filter(|system| !system.is_empty());
    system.is_none_or(|system| ["snomed", "sct", "2.16.840.1.113883.6.96"].iter().any(|name| system.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ICD: Option<&str> = Some("http://hl7.org/fhir/sid/icd-10-cm");
    const SCT: Option<&str> = Some("http://snomed.info/sct");

    #[test]
    fn codes_of_both_systems_are_known() {
        let icd = |code| infection_type(ICD, Some(code), None, None);
        assert_eq!(icd("T80.211A"), Some("clabsi"));
        assert_eq!(icd("t83511d"), Some("cauti"));
        assert_eq!(icd("J95.851"), Some("vap"));
        assert_eq!(icd("A04.72"), Some("cdi"));
        assert_eq!(icd("A04.7"), None);
        assert_eq!(icd("T81.44XA"), Some("ssi"));
        assert_eq!(icd("T81.4"), None);
        assert_eq!(icd("A41.02"), Some("mrsa"));
        assert_eq!(icd("A49.02"), None);
        assert_eq!(infection_type(SCT, Some("736442006"), None, None), Some("clabsi"));
        assert_eq!(infection_type(SCT, Some("40733004"), None, None), Some("other"));
        assert_eq!(infection_type(SCT, Some("68566005"), None, None), None);
        assert_eq!(infection_type(None, Some("T80.211A"), None, None), Some("clabsi"));
        assert_eq!(infection_type(SCT, Some("T80.211A"), None, None), None);
    }

    #[test]
    fn a_text_alone_is_other_and_a_refuted_one_nothing() {
        assert_eq!(infection_type(None, None, Some("Infection"), None), Some("other"));
        assert_eq!(infection_type(SCT, Some("1"), Some("Infection"), None), None);
        assert_eq!(infection_type(ICD, Some("T80.211A"), None, Some("refuted")), None);
        assert_eq!(infection_type(ICD, Some("T80.211A"), None, Some("entered-in-error")), None);
        assert_eq!(infection_type(ICD, Some("T80.211A"), None, Some("confirmed")), Some("clabsi"));
    }
}
