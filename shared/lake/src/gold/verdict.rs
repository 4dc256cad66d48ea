//! The verdicts on one stay: planned, index or why not, readmitted, died.
//!
//! Each rule is a function of the stay and its next stay alone, and returns the words that the ledger shows.

/// The status of a stay that counts in a denominator.
pub const INDEX: &str = "index";
/// The patient died in hospital.
pub const DIED: &str = "died";
/// The patient left against medical advice.
pub const AGAINST_ADVICE: &str = "against-advice";
/// The next stay, at another hospital, begins the same or the next day and carries the outcome.
pub const TRANSFERRED: &str = "transferred";
/// The patient came back to the same hospital on the same day for the same cause: one episode, counted at its end.
pub const SAME_DAY_SAME_CAUSE: &str = "same-day-same-cause";
/// Too young for the 65-plus measure.
pub const UNDER_65: &str = "under-65";
/// No age, so not in the 65-plus measure.
pub const AGE_UNKNOWN: &str = "age-unknown";

/// Days after discharge in which a return is a readmission.
pub const WINDOW: i64 = 30;

/// What the verdicts on a stay depend on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The hospital, as a number that equal hospitals share; none where it is not known.
    pub hospital: Option<u32>,
    /// The cause of the stay.
    pub cause: Option<&'a str>,
    /// The HL7 disposition.
    pub disposition: Option<&'a str>,
    /// Whether the patient died in hospital.
    pub died: bool,
    /// The rule by which the stay is planned.
    pub planned_rule: Option<&'static str>,
    /// Why the 65-plus measure leaves the stay's reason out.
    pub exclusion: Option<&'static str>,
    /// The age at admission.
    pub age: Option<i64>,
}

/// The rule by which a stay is planned: elective priority before what the reason says.
pub fn planned_rule(priority: Option<&str>, reason: Option<&'static str>) -> Option<&'static str> {
    if priority.is_some_and(|code| code.trim().eq_ignore_ascii_case("EL")) { Some("priority") } else { reason }
}

/// What the death conditions that are linked to a stay say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeathRecord {
    /// One of them has no time.
    pub undated: bool,
    /// The earliest date of those that lie within the stay.
    pub within: Option<i32>,
}

/// Whether the patient died in hospital: by disposition, or where that says nothing, by the date of death or by a death
/// condition.
pub fn died_in_hospital(
    disposition: Option<&str>,
    deceased: Option<i32>,
    record: DeathRecord,
    admission: i32,
    discharge: i32,
) -> bool {
    match disposition {
        Some("exp") => true,
        None | Some("oth") => {
            let by_date = deceased.is_some_and(|date| admission <= date && date <= discharge);
            by_date || record.undated || record.within.is_some()
        }
        Some(_) => false,
    }
}

/// The date of death that a stay gives which ended in it: that of its earliest dated death condition, else its discharge.
pub fn death_in_stay(died: bool, record: DeathRecord, discharge: i32) -> Option<i32> {
    died.then(|| record.within.unwrap_or(discharge))
}

/// Whether a date of death is within 30 days of admission.
pub fn died_30d(death: Option<i32>, admission: i32) -> bool {
    death.is_some_and(|date| (0..=30).contains(&(i64::from(date) - i64::from(admission))))
}

/// Whether a stay is an index stay of the all-payer, unplanned definition, or why not.
///
/// `next` is the next stay and the days from this discharge to its admission.
pub fn index_status(stay: &Evidence<'_>, next: Option<(&Evidence<'_>, i64)>) -> &'static str {
    if stay.died {
        return DIED;
    }
    if stay.disposition == Some("aadvice") {
        return AGAINST_ADVICE;
    }
    let Some((next, days)) = next else { return INDEX };
    let hospitals = stay.hospital.zip(next.hospital);
    if days <= 1 && hospitals.is_some_and(|(here, there)| here != there) {
        return TRANSFERRED;
    }
    let same_cause = stay.cause.is_some() && stay.cause == next.cause;
    if days == 0 && same_cause && hospitals.is_some_and(|(here, there)| here == there) {
        return SAME_DAY_SAME_CAUSE;
    }
    INDEX
}

/// Whether a stay is an index stay of the 65-plus definition, or why not.
pub fn hwr_status(stay: &Evidence<'_>, index_status: &'static str) -> &'static str {
    if index_status != INDEX {
        return index_status;
    }
    match stay.age {
        None => AGE_UNKNOWN,
        Some(age) if age < 65 => UNDER_65,
        Some(_) => stay.exclusion.unwrap_or(INDEX),
    }
}

/// The age band of an age.
pub fn age_band(age: Option<i64>) -> &'static str {
    match age {
        None => "unknown",
        Some(..=17) => "0-17",
        Some(18..=44) => "18-44",
        Some(45..=64) => "45-64",
        Some(65..=74) => "65-74",
        Some(75..=84) => "75-84",
        Some(85..) => "85+",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAY: Evidence<'static> = Evidence {
        hospital: Some(1),
        cause: Some("I50"),
        disposition: Some("home"),
        died: false,
        planned_rule: None,
        exclusion: None,
        age: Some(70),
    };

    #[test]
    fn the_first_reason_that_applies_is_given() {
        let elsewhere = Evidence { hospital: Some(2), ..STAY };
        let died = Evidence { died: true, disposition: Some("aadvice"), ..STAY };
        let left = Evidence { disposition: Some("aadvice"), ..STAY };
        assert_eq!(index_status(&died, Some((&elsewhere, 0))), DIED);
        assert_eq!(index_status(&left, Some((&elsewhere, 0))), AGAINST_ADVICE);
        assert_eq!(index_status(&STAY, Some((&elsewhere, 1))), TRANSFERRED);
        assert_eq!(index_status(&STAY, Some((&elsewhere, 2))), INDEX);
        assert_eq!(index_status(&STAY, Some((&STAY, 0))), SAME_DAY_SAME_CAUSE);
        assert_eq!(index_status(&STAY, Some((&STAY, 1))), INDEX);
        assert_eq!(index_status(&STAY, None), INDEX);
    }

    #[test]
    fn unknown_hospitals_and_causes_decide_nothing() {
        let nowhere = Evidence { hospital: None, ..STAY };
        let causeless = Evidence { cause: None, ..STAY };
        assert_eq!(index_status(&STAY, Some((&nowhere, 0))), INDEX);
        assert_eq!(index_status(&nowhere, Some((&nowhere, 0))), INDEX);
        assert_eq!(index_status(&causeless, Some((&causeless, 0))), INDEX);
    }

    #[test]
    fn the_65_plus_measure_asks_for_age_then_reason() {
        assert_eq!(hwr_status(&STAY, DIED), DIED);
        assert_eq!(hwr_status(&STAY, INDEX), INDEX);
        assert_eq!(hwr_status(&Evidence { age: None, ..STAY }, INDEX), AGE_UNKNOWN);
        let young = Evidence { age: Some(64), exclusion: Some("psychiatric"), ..STAY };
        assert_eq!(hwr_status(&young, INDEX), UNDER_65);
        assert_eq!(hwr_status(&Evidence { exclusion: Some("psychiatric"), ..STAY }, INDEX), "psychiatric");
    }

    #[test]
    fn death_is_known_by_disposition_date_or_condition() {
        let none = DeathRecord::default();
        let undated = DeathRecord { undated: true, within: None };
        let within = DeathRecord { undated: false, within: Some(2) };
        assert!(died_in_hospital(Some("exp"), None, none, 0, 3));
        assert!(died_in_hospital(None, Some(0), none, 0, 3));
        assert!(died_in_hospital(Some("oth"), Some(3), none, 0, 3));
        assert!(!died_in_hospital(Some("home"), Some(3), none, 0, 3));
        assert!(!died_in_hospital(None, Some(4), none, 0, 3));
        assert!(died_in_hospital(None, None, undated, 0, 3));
        assert!(died_in_hospital(Some("oth"), Some(9), within, 0, 3));
        assert!(!died_in_hospital(Some("home"), None, within, 0, 3));
    }

    #[test]
    fn a_stay_gives_the_date_of_its_death_condition_before_that_of_its_discharge() {
        let within = DeathRecord { undated: true, within: Some(2) };
        assert_eq!(death_in_stay(true, within, 3), Some(2));
        assert_eq!(death_in_stay(true, DeathRecord::default(), 3), Some(3));
        assert_eq!(death_in_stay(false, within, 3), None);
        assert!(died_30d(Some(30), 0));
        assert!(!died_30d(Some(31), 0));
        assert!(!died_30d(Some(-1), 0));
        assert!(!died_30d(None, 0));
    }
}
