//! The stay ledger's verdicts as text, and times in a readable form.

use metriccare_lake::cells::Cell;

use crate::output::counted;

/// Why a stay is in no denominator, in the order in which the reasons are asked: the verdict, the step, the reason.
pub(super) const REASONS: [(&str, &str, &str); 10] = [
    ("died", "died in hospital", "the patient died in hospital, so there can be no readmission"),
    ("against-advice", "left against medical advice", "the patient left against medical advice"),
    (
        "transferred",
        "transferred to another hospital",
        "the next stay began at another hospital on the same or the next day: that one carries the outcome",
    ),
    (
        "same-day-same-cause",
        "back the same day for the same cause",
        "the patient came back to the same hospital on the same day for the same cause: one episode, counted at its end",
    ),
    ("under-65", "under 65 years at admission", "the patient was under 65 at admission"),
    ("age-unknown", "age unknown", "the patient's birth date is not known"),
    ("psychiatric", "psychiatric", "the reason is psychiatric (F20 to F99)"),
    ("rehabilitation", "rehabilitation", "the reason is rehabilitation (Z51.89)"),
    (
        "cancer-treatment",
        "cancer treatment",
        "the reason is cancer or its treatment (C00 to C96, D00 to D09, D37 to D49, Z51.0, Z51.1)",
    ),
    ("covid-19", "COVID-19", "the reason is COVID-19 (U07.1)"),
];

/// Why a stay is in no denominator; a verdict that is not known here goes by its own name.
pub(super) fn reason(status: &str) -> &str {
    REASONS.iter().find(|(name, _, _)| *name == status).map_or(status, |(_, _, reason)| reason)
}

/// The rule by which a stay is planned.
pub(super) fn planned(rule: &str) -> &str {
    match rule {
        "priority" => "elective priority (EL)",
        "chemotherapy" => "chemotherapy or radiotherapy (Z51.0, Z51.1)",
        "rehabilitation" => "rehabilitation (Z51.89)",
        "delivery" => "delivery (O80, O82, Z37)",
        "dialysis" => "dialysis (Z49)",
        other => other,
    }
}

/// A time to the minute: `2025-03-02 11:05`.
pub(super) fn time(micros: i64) -> String {
    let text = Cell::<String>::Timestamp(micros).to_string();
    match text.split_once('T') {
        Some((date, clock)) => format!("{date} {}", clock.get(..5).unwrap_or(clock)),
        None => text,
    }
}

/// A date: `2025-03-02`.
pub(super) fn date(days: i32) -> String {
    Cell::<String>::Date(days).to_string()
}

/// `1 day`, `2 days`.
pub(super) fn days(days: i64) -> String {
    counted(days.unsigned_abs(), "day")
}
