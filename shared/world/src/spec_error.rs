//! What is wrong with a spec: every refused field with its value and what it may be.

use std::{borrow::Cow, fmt};

/// A value that a spec refuses, with what would be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// The field's name.
    pub field: &'static str,
    /// The value it had.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

/// All that is impossible in a spec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SpecError {
    /// The refused values.
    pub faults: Vec<InvalidField>,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{} is {}: it must be {}", fault.field, beginning(&fault.value), fault.allowed)?;
        }
        Ok(())
    }
}

/// As much of a field's name or value as a message shows: the first 100 characters.
pub fn beginning(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
