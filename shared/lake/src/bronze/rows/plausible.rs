//! Times that no record can have: they are refused, so that one wrong year does not make a lake of centuries.
//!
//! An Encounter may neither begin nor end before 1900, nor more than a year after its object landed; the limits are wide
//! enough for what is planned. A version of the far future is refused of any resource: nothing could correct it.

use metriccare_fhir::read::{Fault, Rule};

use crate::silver::status::{Phase, phase, r5_status};

const DAY: i64 = 86_400_000_000;
/// 1900-01-01 in days since 1970-01-01.
const EARLIEST: i64 = -25_567;
/// Days after the landed date.
const LATEST: i64 = 366;

/// The end of an encounter, where it is plausible or is not looked at; of an open encounter an implausible end is none.
///
/// An encounter whose status counts nowhere may have any times: it may be the correction that takes wrong ones back.
pub(super) fn encounter_end(
    status: Option<&str>,
    admission: Option<i64>,
    discharge: Option<i64>,
    landed_micros: i64,
) -> Result<Option<i64>, Fault> {
    let phase = phase(status.map(r5_status));
    if phase == Phase::Uncounted {
        return Ok(discharge);
    }
    if admission.is_some_and(|time| !is_plausible(time, landed_micros)) {
        return Err(fault("period.start"));
    }
    match discharge {
        Some(time) if !is_plausible(time, landed_micros) => match phase {
            Phase::Open => Ok(None),
            Phase::Completed | Phase::Uncounted => Err(fault("period.end")),
        },
        other => Ok(other),
    }
}

/// Refuses a version that came to be more than a year after it landed.
pub(in crate::bronze) fn updated(element: &str, time: Option<i64>, landed_micros: i64) -> Result<(), Fault> {
    if time.is_some_and(|time| time > landed_micros.saturating_add(LATEST * DAY)) {
        let reason = format!("{element}: more than {LATEST} days after the object landed, it could never be corrected");
        return Err(Fault::new(Rule::ImplausibleTime, reason));
    }
    Ok(())
}

fn is_plausible(time: i64, landed_micros: i64) -> bool {
    let day = time.div_euclid(DAY);
    day >= EARLIEST && day - landed_micros.div_euclid(DAY) <= LATEST
}

fn fault(element: &str) -> Fault {
    let reason = format!("{element}: before 1900, or more than {LATEST} days after the object landed");
    Fault::new(Rule::ImplausibleTime, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-06-30, 18:00.
    const LANDED: i64 = 20_269 * DAY + 18 * 3_600_000_000;

    #[test]
    fn the_limits_are_dates_and_lie_within() {
        for (day, plausible) in [(EARLIEST, true), (EARLIEST - 1, false), (20_269 + 366, true), (20_269 + 367, false)] {
            let end = encounter_end(Some("finished"), Some(0), Some(day * DAY), LANDED);
            assert_eq!(end.is_ok(), plausible, "an end on day {day}");
            let begin = encounter_end(Some("in-progress"), Some(day * DAY + DAY - 1), None, LANDED);
            assert_eq!(begin.is_ok(), plausible, "a begin on day {day}");
        }
    }

    #[test]
    fn an_open_encounter_loses_its_implausible_end_and_no_other_is_asked_for_its_times() {
        let far = 9_000_000 * DAY;
        assert_eq!(encounter_end(Some("in-progress"), Some(0), Some(far), LANDED), Ok(None));
        assert_eq!(encounter_end(Some("onleave"), None, Some(far), LANDED), Ok(None));
        for status in [Some("entered-in-error"), Some("planned"), Some("cancelled"), Some("what"), None] {
            assert_eq!(encounter_end(status, Some(far), Some(far), LANDED), Ok(Some(far)), "{status:?}");
        }
        let fault = encounter_end(Some("finished"), Some(0), Some(far), LANDED).expect_err("9,000,000 days");
        assert_eq!(fault.rule, Rule::ImplausibleTime);
    }

    #[test]
    fn a_version_of_the_far_future_is_refused() {
        let latest = LANDED + 366 * DAY;
        assert_eq!(updated("meta.lastUpdated", Some(latest), LANDED), Ok(()));
        assert!(updated("meta.lastUpdated", Some(latest + 1), LANDED).is_err());
        assert_eq!(updated("meta.lastUpdated", Some(i64::MIN), LANDED), Ok(()));
        assert_eq!(updated("meta.lastUpdated", None, LANDED), Ok(()));
    }
}
