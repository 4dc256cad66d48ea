//! What the reason of a stay says: its cause, whether it is planned, and whether the 65-plus measure leaves it out.
//!
//! Reasons carry no code system in silver, so an ICD-10 code is known by its shape: a letter, a digit, a letter or
//! digit, then perhaps a dot and up to four more. Prefixes and ranges are those of ICD-10-CM.

/// What follows from a reason code alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The first three characters of an ICD-10 code, the whole of another code.
    pub cause: &'a str,
    /// The rule by which a stay for this reason is planned.
    pub planned_rule: Option<&'static str>,
    /// Why the 65-plus measure leaves a stay for this reason out.
    pub exclusion: Option<&'static str>,
}

/// Rules by which a stay is planned: the first whose prefix fits. `dialysis` is our own, CMS has none.
pub const PLANNED: &[(&str, &[&str])] = &[
    ("chemotherapy", &["Z51.0", "Z51.1"]),
    ("rehabilitation", &["Z51.89"]),
    ("delivery", &["O80", "O82", "Z37"]),
    ("dialysis", &["Z49"]),
];

impl<'a> Reason<'a> {
    /// Reads a reason code; an empty one says nothing.
    pub fn of(code: &'a str) -> Option<Reason<'a>> {
        if code.is_empty() {
            return None;
        }
        let category = icd_10_category(code);
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
        let planned_rule = PLANNED.iter().find(|(_, prefixes)| begins(prefixes)).map(|(rule, _)| *rule);
        let within = |first: &str, last: &str| category.is_some_and(|category| first <= category && category <= last);
        // D3A, benign neuroendocrine tumours, sorts among D37–D49 as text but stands before them in the classification.
        let cancer = within("C00", "C96")
            || within("D00", "D09")
            || (within("D37", "D49") && category != Some("D3A"))
            || begins(&["Z51.0", "Z51.1"]);
        let exclusion = if within("F20", "F99") {
            Some("psychiatric")
        } else if begins(&["Z51.89"]) {
            Some("rehabilitation")
        } else if cancer {
            Some("cancer-treatment")
        } else if begins(&["U07.1"]) {
            Some("covid-19")
        } else {
            None
        };
        Some(Reason { cause: category.unwrap_or(code), planned_rule, exclusion })
    }
}

/// The three-character category of a code with the shape of ICD-10's.
pub fn icd_10_category(code: &str) -> Option<&str> {
    let upper = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let shaped = match code.as_bytes() {
        [letter, digit, third, rest @ ..] => {
            letter.is_ascii_uppercase()
                && digit.is_ascii_digit()
                && upper(third)
                && match rest {
                    [] => true,
                    [b'.', more @ ..] => (1..=4).contains(&more.len()) && more.iter().all(upper),
                    _ => false,
                }
        }
        _ => false,
    };
    shaped.then(|| &code[..3])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exclusion(code: &str) -> Option<&str> {
        Reason::of(code).unwrap().exclusion
    }

    #[test]
    fn codes_are_known_by_their_shape() {
        assert_eq!(icd_10_category("I50.9"), Some("I50"));
        assert_eq!(icd_10_category("C4A"), Some("C4A"));
        assert_eq!(icd_10_category("T81.44XA"), Some("T81"));
        assert_eq!(icd_10_category("I509"), None);
        assert_eq!(icd_10_category("22298006"), None);
        assert_eq!(icd_10_category("I5é"), None);
        assert_eq!(Reason::of("22298006").unwrap().cause, "22298006");
        assert_eq!(Reason::of(""), None);
    }

    #[test]
    fn planned_rules_go_by_prefix() {
        let rule = |code| Reason::of(code).unwrap().planned_rule;
        assert_eq!(rule("Z51.11"), Some("chemotherapy"));
        assert_eq!(rule("Z51.89"), Some("rehabilitation"));
        assert_eq!(rule("Z51.5"), None);
        assert_eq!(rule("O80"), Some("delivery"));
        assert_eq!(rule("Z37.0"), Some("delivery"));
        assert_eq!(rule("Z49.31"), Some("dialysis"));
    }

    #[test]
    fn the_65_plus_measure_leaves_four_kinds_out() {
        assert_eq!(exclusion("F20.9"), Some("psychiatric"));
        assert_eq!(exclusion("F10.20"), None);
        assert_eq!(exclusion("Z51.89"), Some("rehabilitation"));
        assert_eq!(exclusion("C7B.00"), Some("cancer-treatment"));
        assert_eq!(exclusion("D05.1"), Some("cancer-treatment"));
        assert_eq!(exclusion("D47.Z1"), Some("cancer-treatment"));
        assert_eq!(exclusion("D3A.0"), None);
        assert_eq!(exclusion("D25.9"), None);
        assert_eq!(exclusion("Z51.11"), Some("cancer-treatment"));
        assert_eq!(exclusion("U07.1"), Some("covid-19"));
        assert_eq!(exclusion("I50.9"), None);
    }
}
