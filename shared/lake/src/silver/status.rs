//! The status of an encounter in R5's codes, and which of them count.

/// R4's status codes that R5 names otherwise.
pub const RENAMED: &[(&str, &str)] =
    &[("finished", "completed"), ("arrived", "in-progress"), ("triaged", "in-progress"), ("onleave", "on-hold")];

/// R5's status codes.
pub const R5: &[&str] = &[
    "planned",
    "in-progress",
    "on-hold",
    "discharged",
    "completed",
    "cancelled",
    "discontinued",
    "entered-in-error",
    "unknown",
];

/// Whether an encounter counts, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Clinically over: completed or discharged.
    Completed,
    /// Going on: in progress or on hold.
    Open,
    /// Counts nowhere: planned, cancelled, entered in error and the like.
    Uncounted,
}

/// The R5 code of a status of any release; what is in none of them is `unknown`.
pub fn r5_status(status: &str) -> &'static str {
    let status = status.trim();
    let renamed = RENAMED.iter().find(|(old, _)| old.eq_ignore_ascii_case(status)).map(|(_, new)| *new);
    let kept = || R5.iter().find(|code| code.eq_ignore_ascii_case(status)).copied();
    renamed.or_else(kept).unwrap_or("unknown")
}

/// How an R5 status counts.
pub fn phase(status: Option<&str>) -> Phase {
    match status {
        Some("completed" | "discharged") => Phase::Completed,
        Some("in-progress" | "on-hold") => Phase::Open,
        _ => Phase::Uncounted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_releases_become_r5() {
        assert_eq!(r5_status("finished"), "completed");
        assert_eq!(r5_status("discharged"), "discharged");
        assert_eq!(r5_status("triaged"), "in-progress");
        assert_eq!(r5_status("onleave"), "on-hold");
        assert_eq!(r5_status("entered-in-error"), "entered-in-error");
        assert_eq!(r5_status("banana"), "unknown");
    }

    #[test]
    fn only_completed_and_open_count() {
        assert_eq!(phase(Some("discharged")), Phase::Completed);
        assert_eq!(phase(Some("on-hold")), Phase::Open);
        assert_eq!(phase(Some("cancelled")), Phase::Uncounted);
        assert_eq!(phase(None), Phase::Uncounted);
    }
}
