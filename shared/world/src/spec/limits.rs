//! What each field of a spec may be by itself: one list, from which a value is refused and what would do is said.

use std::fmt;

/// What a field may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    /// A whole number within a range.
    Whole(i128, i128),
    /// A number from 0 up to a greatest.
    UpTo(f64),
    /// A whole number that other fields limit.
    Total(&'static str),
    /// The dial of dirt, which has rates of its own.
    Dial,
}

/// The fields, in their order.
pub(super) const LIMITS: [(&str, Limit); 17] = [
    ("patients", Limit::Whole(1, 100_000_000)),
    ("year", Limit::Whole(1900, 2200)),
    ("seed", Limit::Whole(0, u64::MAX as i128)),
    ("facilities", Limit::Whole(1, 1_000)),
    ("providers", Limit::Whole(1, 1_000_000)),
    ("encounters", Limit::Total("a whole number, at most 200 a patient and enough for the exact shares")),
    ("claims", Limit::Total("a whole number, at most 1000 a patient")),
    ("readmission_rate", Limit::UpTo(0.4)),
    ("high_cost_rate", Limit::UpTo(1.0)),
    ("fraud_rate", Limit::UpTo(0.035)),
    ("late_rate", Limit::UpTo(1.0)),
    ("correction_rate", Limit::UpTo(1.0)),
    ("dirty", Limit::Dial),
    ("mortality_pct", Limit::UpTo(100.0)),
    ("infection_pct", Limit::UpTo(100.0)),
    ("readmission_pct", Limit::UpTo(100.0)),
    ("alos_pct", Limit::UpTo(100.0)),
];

/// The most encounters per patient that an exact total may ask for.
pub(super) const MOST_ENCOUNTERS: u64 = 200;
/// The most claim lines per patient that an exact total may ask for.
pub(super) const MOST_CLAIMS: u64 = 1_000;

/// The limit of a field that there is.
pub(super) fn limit(field: &str) -> Option<Limit> {
    LIMITS.into_iter().find(|(name, _)| *name == field).map(|(_, limit)| limit)
}

impl Limit {
    /// Whether a whole number is inside; one that other fields limit is not refused here.
    pub(super) fn holds(self, value: i128) -> bool {
        match self {
            Limit::Whole(low, high) => (low..=high).contains(&value),
            Limit::UpTo(_) | Limit::Total(_) | Limit::Dial => true,
        }
    }

    /// Whether a number is inside.
    pub(super) fn holds_number(self, value: f64) -> bool {
        match self {
            Limit::UpTo(most) => (0.0..=most).contains(&value),
            Limit::Whole(..) | Limit::Total(_) | Limit::Dial => true,
        }
    }

    /// The range alone, as in "it must be from 1 to 1000".
    pub(super) fn range(self) -> String {
        match self {
            Limit::Whole(low, high) => format!("from {low} to {high}"),
            Limit::UpTo(most) => format!("from 0 to {most}"),
            Limit::Total(words) => words.to_owned(),
            Limit::Dial => "faults such as \"duplicates=2%,late=1%\", or a table of them".to_owned(),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Limit::Whole(..) => "a whole number ",
            Limit::UpTo(_) => "a number ",
            Limit::Total(_) | Limit::Dial => "",
        };
        write!(f, "{kind}{}", self.range())
    }
}
