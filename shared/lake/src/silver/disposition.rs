//! Discharge dispositions in HL7's codes, from HL7's own and from NUBC's numbers.

/// HL7's discharge dispositions, which stay as they are.
pub const HL7: &[&str] =
    &["home", "alt-home", "other-hcf", "hosp", "long", "aadvice", "exp", "psy", "rehab", "snf", "oth"];

/// NUBC's patient discharge status codes that have an HL7 code.
pub const NUBC: &[(&str, &str)] = &[
    ("01", "home"),
    ("06", "home"),
    ("81", "home"),
    ("86", "home"),
    ("02", "hosp"),
    ("05", "hosp"),
    ("43", "hosp"),
    ("66", "hosp"),
    ("82", "hosp"),
    ("03", "snf"),
    ("61", "snf"),
    ("83", "snf"),
    ("04", "other-hcf"),
    ("64", "other-hcf"),
    ("62", "rehab"),
    ("90", "rehab"),
    ("63", "long"),
    ("91", "long"),
    ("65", "psy"),
    ("93", "psy"),
    ("07", "aadvice"),
    ("20", "exp"),
    ("40", "exp"),
    ("41", "exp"),
    ("42", "exp"),
];

/// The HL7 code of a disposition that the tables know: HL7's in any case, NUBC's with or without the leading zero.
pub fn hl7_disposition(code: &str) -> Option<&'static str> {
    let code = code.trim();
    let same = |number: &str| number == code || number.strip_prefix('0') == Some(code);
    let hl7 = HL7.iter().find(|known| known.eq_ignore_ascii_case(code)).copied();
    hl7.or_else(|| NUBC.iter().find(|(number, _)| same(number)).map(|(_, known)| *known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_code_systems_are_known() {
        assert_eq!(hl7_disposition("EXP"), Some("exp"));
        assert_eq!(hl7_disposition("01"), Some("home"));
        assert_eq!(hl7_disposition("1"), Some("home"));
        assert_eq!(hl7_disposition("7"), Some("aadvice"));
        assert_eq!(hl7_disposition("41"), Some("exp"));
        assert_eq!(hl7_disposition("0"), None);
        assert_eq!(hl7_disposition("50"), None);
        assert_eq!(hl7_disposition(""), None);
    }
}
