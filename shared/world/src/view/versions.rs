//! The versions of a resource, and the day of the feed that delivers each.
//!
//! A resource is first known as it is at its beginning, later as it is at its end. Some are wrong at first: another
//! version corrects them within a fortnight. What would be corrected after the year's end is right from the beginning,
//! so the last version that the year knows is always the truth. Some versions are delivered late, the last day delivers
//! all that is left; neither changes a version's number or time.

use metriccare_fhir::calendar::{DAY, HOUR};
use metriccare_fhir::write::{Date, Instant, Meta};

use crate::stream::{Purpose, Stream};
use crate::world::World;

/// The longest time until a correction, in days.
const CORRECTED_WITHIN: u32 = 14;

/// How long an encounter entered in error stands before its last version says so.
const NOTICED_AFTER: i64 = 5 * HOUR;

/// How long an encounter with one version stays filed under the wrong patient.
const MISFILED_FOR: i64 = 2 * DAY;

/// The mean delay of what is late, in days.
const MEAN_DELAY: f64 = 7.0;

/// One version of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// Its number and its time.
    pub(crate) meta: Meta,
    /// Whether it shows the resource as it is at its end.
    pub(crate) last: bool,
    /// Whether something in it is wrong, which the next version corrects.
    pub(crate) wrong: bool,
    /// Whether it says that the resource should never have been.
    pub(crate) annulled: bool,
    /// Whether it names the patient under whom the encounter was filed by mistake.
    pub(crate) misfiled: bool,
    /// Whether it says that the resource is deleted.
    pub(crate) deleted: bool,
    /// The day of the feed that delivers it.
    pub(crate) delivered: Date,
}

/// All versions that the year knows, in order.
pub(crate) type Versions = [Option<Version>; 3];

/// What happens to a patient's records on their way; the draws depend on nothing but the life.
pub(crate) struct Records {
    corrections: Stream,
    /// None where nobody asks for the days.
    delivery: Option<Stream>,
    correction_rate: f64,
    late_rate: f64,
    last_day: Date,
    end: Instant,
}

impl Records {
    /// The records of one patient; without `feed`, every version is delivered on its own day.
    pub(crate) fn new(world: &World, patient: u64, feed: bool) -> Records {
        let spec = &world.spec;
        let end = world.year.end();
        Records {
            corrections: Stream::new(spec.seed, spec.year, patient, Purpose::Corrections),
            delivery: (feed && spec.late_rate > 0.0)
                .then(|| Stream::new(spec.seed, spec.year, patient, Purpose::Delivery)),
            correction_rate: spec.correction_rate,
            late_rate: spec.late_rate,
            last_day: Date(end.date().0 - 1),
            end,
        }
    }

    /// The versions of the next resource, which is so since `since` and otherwise since `later`. Where both fall on
    /// one day there is only one version of the two.
    pub(crate) fn versions(&mut self, since: Instant, later: Option<Instant>) -> Versions {
        let correction = self.correction_after();
        let mut versions = Versions::default();
        if since >= self.end {
            return versions;
        }
        let later = later.filter(|&later| later < self.end);
        let stages = match later {
            Some(later) if later.date() == since.date() => [None, Some((later, true))],
            later => [Some((since, false)), later.map(|later| (later, true))],
        };
        let truth = later.unwrap_or(since);
        let corrected = correction.map(|after| Instant(truth.0 + after)).filter(|&at| at < self.end);
        let mut at = 0;
        for (time, last) in stages.into_iter().flatten() {
            let wrong = corrected.is_some() && time == truth;
            versions[at] = Some(self.version(at, time, last, wrong));
            at += 1;
        }
        if let Some(time) = corrected {
            versions[at] = Some(self.version(at, time, later.is_some(), false));
        }
        versions
    }

    fn version(&mut self, at: usize, time: Instant, last: bool, wrong: bool) -> Version {
        let late = self.late_rate;
        let delay = self.delivery.as_mut().and_then(|stream| {
            let mean = MEAN_DELAY - 0.5;
            stream.chance(late).then(|| 1 + stream.exponential(mean) as i32)
        });
        let delay = delay.unwrap_or(0);
        let delivered = Date((time.date().0 + delay).min(self.last_day.0));
        Version {
            meta: Meta { version: at as u32 + 1, last_updated: time },
            last,
            wrong,
            annulled: false,
            misfiled: false,
            deleted: false,
            delivered,
        }
    }

    /// The versions of an encounter entered in error: as if it had taken place, and another one that says so.
    pub(crate) fn annulled(&mut self, since: Instant, later: Instant) -> Versions {
        let mut versions = self.versions(since, Some(later));
        let truth = versions.iter().flatten().position(|version| version.last);
        if let Some(last) = truth.and_then(|at| versions[at]) {
            let at = last.meta.version as usize;
            let time = Instant(later.0 + NOTICED_AFTER);
            versions[at] = Some(Version { annulled: true, ..self.version(at, time, true, false) });
            versions.iter_mut().flatten().for_each(|version| version.wrong = false);
        }
        versions
    }

    /// The versions of an encounter that was filed under another patient: all but the last one that the year knows.
    ///
    /// Where there would be one version only, another one corrects it, unless the year ends before that.
    pub(crate) fn moved(&mut self, since: Instant, later: Option<Instant>) -> Versions {
        let mut versions = self.versions(since, later);
        if let [Some(only), None, None] = versions {
            let time = Instant(only.meta.last_updated.0 + MISFILED_FOR);
            if time < self.end {
                versions[1] = Some(self.version(1, time, only.last, false));
            }
        }
        if let Some(last) = versions.iter().rposition(Option::is_some) {
            versions[..last].iter_mut().flatten().for_each(|version| version.misfiled = true);
        }
        versions
    }

    /// The versions of a resource that was entered by mistake: as if it were right, and another one that deletes it.
    pub(crate) fn deleted(&mut self, since: Instant, later: Option<Instant>) -> Versions {
        let mut versions = self.versions(since, later);
        let right = versions.iter().flatten().position(|version| version.last || later.is_none());
        if let Some(last) = right.and_then(|at| versions[at]) {
            let at = last.meta.version as usize;
            let time = Instant(last.meta.last_updated.0 + NOTICED_AFTER);
            versions[at] = Some(Version { deleted: true, ..self.version(at, time, true, false) });
            versions[at + 1..].fill(None);
            versions.iter_mut().flatten().for_each(|version| version.wrong = false);
        }
        versions
    }

    /// How long after its last version a resource is corrected, if it is, in microseconds.
    fn correction_after(&mut self) -> Option<i64> {
        let rate = self.correction_rate;
        let corrected = rate > 0.0 && self.corrections.chance(rate);
        corrected.then(|| i64::from(1 + self.corrections.index(CORRECTED_WITHIN)) * DAY)
    }
}

#[cfg(test)]
mod tests {
    use metriccare_fhir::calendar::MINUTE;

    use super::*;
    use crate::spec::Spec;

    fn records(late_rate: f64, correction_rate: f64) -> (Records, Instant) {
        let world = World::new(Spec { late_rate, correction_rate, ..Spec::default() }).unwrap();
        (Records::new(&world, 7, true), world.year.first().midnight())
    }

    #[test]
    fn without_faults_there_are_two_versions_each_delivered_on_its_day() {
        let (mut records, start) = records(0.0, 0.0);
        let later = Instant(start.0 + 3 * DAY);
        let [Some(first), Some(last), None] = records.versions(start, Some(later)) else { panic!() };
        assert_eq!((first.meta.version, first.last, first.delivered), (1, false, start.date()));
        assert_eq!((last.meta.version, last.last, last.delivered), (2, true, later.date()));
        let [Some(only), None, None] = records.versions(start, Some(Instant(start.0 + MINUTE))) else { panic!() };
        assert_eq!((only.meta.version, only.last), (1, true));
    }

    #[test]
    fn a_correction_comes_last_and_never_after_the_year() {
        let (mut records, start) = records(0.0, 1.0);
        let [Some(first), Some(last), Some(right)] = records.versions(start, Some(Instant(start.0 + 3 * DAY))) else {
            panic!()
        };
        assert!(!first.wrong && last.wrong && !right.wrong && right.last && right.meta.version == 3);
        assert!(right.meta.last_updated > last.meta.last_updated);
        let end = records.end.0 - 60;
        let [Some(only), None, None] = records.versions(Instant(end), None) else { panic!() };
        assert!(!only.wrong);
        assert_eq!(records.versions(records.end, None), Versions::default());
    }

    #[test]
    fn what_is_late_arrives_by_the_last_day() {
        let (mut records, start) = records(1.0, 0.0);
        let (mut days, mut on_the_last) = (0, 0);
        for _ in 0..1_000 {
            let [Some(version), ..] = records.versions(start, None) else { panic!() };
            days += version.delivered.0 - start.date().0;
            let near = Instant(records.end.0 - 2 * DAY);
            let [Some(version), ..] = records.versions(near, None) else { panic!() };
            assert!(version.delivered > near.date() && version.delivered <= records.last_day);
            on_the_last += i32::from(version.delivered == records.last_day);
        }
        assert!((6_000..8_000).contains(&days), "{days}");
        assert_eq!(on_the_last, 1_000);
    }

    #[test]
    fn a_moved_encounter_ends_under_its_own_patient() {
        let (mut records, start) = records(0.0, 0.0);
        let [Some(first), Some(last), None] = records.moved(start, Some(Instant(start.0 + 3 * DAY))) else { panic!() };
        assert!(first.misfiled && !last.misfiled && last.last);
        let [Some(first), Some(last), None] = records.moved(start, None) else { panic!() };
        assert!(first.misfiled && !last.misfiled && !last.last && last.meta.version == 2);
        let late = Instant(records.end.0 - DAY);
        let [Some(only), None, None] = records.moved(late, None) else { panic!() };
        assert!(!only.misfiled, "nothing corrects it before the year ends");
    }

    #[test]
    fn a_deletion_is_the_last_version() {
        for correction_rate in [0.0, 1.0] {
            let (mut records, start) = records(0.0, correction_rate);
            let [Some(first), Some(last), Some(gone)] = records.deleted(start, Some(Instant(start.0 + 3 * DAY))) else {
                panic!()
            };
            assert!(!first.deleted && last.last && gone.deleted && gone.meta.version == 3);
            let [Some(only), Some(gone), None] = records.deleted(start, None) else { panic!() };
            assert!(!only.deleted && gone.deleted && gone.meta.last_updated > only.meta.last_updated);
        }
    }
}
