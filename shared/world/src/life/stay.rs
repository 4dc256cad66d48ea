//! One hospital stay: how long, through which departments, with which devices, and where the patient goes.
//!
//! The length follows the log-normal distribution of the stay's diagnosis-related group. Midnights are counted first,
//! then the hour of leaving is put into the last day, as hospitals do it.

use metriccare_fhir::calendar::{DAY, HOUR, SECOND, whole_seconds};
use metriccare_fhir::write::{AdmitSource, Date, Disposition, EncounterClass, Instant, Priority};

use super::encounter::{DeviceDays, Encounter, LONGEST_PATH, Segment};
use super::log::Life;
use crate::department::Department;
use crate::stream::Stream;
use crate::tables::{StayKind, StayReason};
use crate::world::World;

/// How a patient comes to a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Emergency,
    Direct,
    Transfer,
}

/// How a stay ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Home,
    Died,
    Transferred,
    AgainstAdvice,
}

/// What is decided about a stay before its length is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) start: Instant,
    pub(super) cause: u16,
    pub(super) hospital: u16,
    pub(super) arrival: Arrival,
    pub(super) ending: Ending,
    /// The fewest and the most midnights.
    pub(super) midnights: (i64, i64),
}

/// Makes a stay from its plan.
pub(super) fn make(world: &World, life: &Life, plan: &Plan, stream: &mut Stream) -> Encounter {
    let reason = &world.tables.stays[usize::from(plan.cause)];
    let drg = reason.drgs[stream.weighted(reason.drgs.iter().map(|&(_, share)| share))].0;
    let disposition = disposition(reason, plan, life.person.age, stream);
    let end = leave(world, plan, drg, disposition, stream);
    let intensive = end.0 - plan.start.0 > 20 * HOUR && stream.chance(intensive_share(reason, plan.ending));
    let (path, path_len) = departments(life, reason, plan, end, intensive, stream);
    let main = path[usize::from(path_len) - 1].department;
    Encounter {
        id: world.ids.encounter(life.person.index, life.encounters.len()),
        class: EncounterClass::Inpatient,
        hospital: plan.hospital,
        clinician: world.directory.clinician(plan.hospital, main, stream),
        start: plan.start,
        end,
        path,
        path_len,
        reason: reason.diagnosis,
        priority: Some(priority(reason, plan)),
        admit_source: Some(admit_source(reason, plan, life.person.age, stream)),
        disposition: Some(disposition),
        drg: Some(drg),
        cause: Some(plan.cause),
        devices: devices(&path[..usize::from(path_len)], plan.start, end, stream),
        acute: false,
        annulled: false,
        filed_under: None,
        deleted: false,
    }
}

/// When the patient leaves.
fn leave(world: &World, plan: &Plan, drg: u16, disposition: Disposition, stream: &mut Stream) -> Instant {
    let drg = &world.tables.drgs[usize::from(drg)];
    let days = libm::exp(drg.mu + drg.sigma * stream.normal());
    // Those who die stay longer than the group's average, and so do those who wait for a place in another facility;
    // those who are moved to another hospital or leave against advice are there for a much shorter time.
    let factor = match (plan.ending, disposition) {
        (Ending::Died, _) => 1.25,
        (Ending::Transferred, _) => 0.3,
        (Ending::AgainstAdvice, _) => 0.45,
        (Ending::Home, Disposition::SkilledNursing | Disposition::Rehabilitation | Disposition::LongTermCare) => 1.5,
        (Ending::Home, _) => 1.02,
    };
    let midnights = (libm::round(days * factor) as i64).clamp(plan.midnights.0, plan.midnights.1);
    let day = plan.start.date().midnight().0 + midnights * DAY;
    let end = match plan.ending {
        Ending::Died | Ending::Transferred => day + stream.between(0, DAY),
        _ => day + 9 * HOUR + stream.between(0, 5 * HOUR) + stream.between(0, 5 * HOUR),
    };
    let earliest = plan.start.0 + 4 * HOUR;
    if end >= earliest { Instant(end) } else { Instant(earliest + stream.between(0, 5 * HOUR)) }
}

fn intensive_share(reason: &StayReason, ending: Ending) -> f64 {
    if ending == Ending::Died { (reason.intensive * 2.0).clamp(0.45, 0.97) } else { reason.intensive }
}

/// The departments: emergency first where the patient came that way, intensive care in the middle or first, the ward last.
fn departments(
    life: &Life,
    reason: &StayReason,
    plan: &Plan,
    end: Instant,
    intensive: bool,
    stream: &mut Stream,
) -> ([Segment; LONGEST_PATH], u8) {
    let ward = match reason.department {
        department if life.person.age >= 18 || department == Department::Maternity => department,
        department if department == Department::Psychiatry => department,
        _ => Department::Pediatrics,
    };
    let mut steps: [(Department, i64); LONGEST_PATH] = [(ward, 0); LONGEST_PATH];
    let mut count = 0;
    let mut left = end.0 - plan.start.0;
    if plan.arrival == Arrival::Emergency {
        let seconds = (libm::exp(1.45 + 0.45 * stream.normal()) * (HOUR / SECOND) as f64) as i64;
        let time = (seconds * SECOND).clamp(HOUR, 12 * HOUR).min(whole_seconds(left / 3));
        steps[count] = (Department::Emergency, time);
        left -= time;
        count += 1;
    }
    if intensive {
        let share = if plan.ending == Ending::Died { 0.75 } else { 0.28 + 0.4 * stream.unit() };
        let time = ((left / SECOND) as f64 * share) as i64 * SECOND;
        steps[count] = (Department::IntensiveCare, time);
        left -= time;
        count += 1;
    }
    // Who dies in intensive care does not reach the ward; where that is not so, the ward is the last step.
    if intensive && plan.ending == Ending::Died && stream.chance(0.75) {
        steps[count - 1].1 += left;
    } else {
        steps[count] = (ward, left);
        count += 1;
    }
    let mut at = plan.start;
    let path = steps.map(|(department, time)| {
        let segment = Segment { department, start: at, end: Instant(at.0 + time) };
        at = segment.end;
        segment
    });
    (path, count as u8)
}

fn priority(reason: &StayReason, plan: &Plan) -> Priority {
    match (reason.priority, plan.arrival) {
        (Priority::Elective, Arrival::Emergency) => Priority::Urgent,
        (priority, _) => priority,
    }
}

fn admit_source(reason: &StayReason, plan: &Plan, age: i32, stream: &mut Stream) -> AdmitSource {
    match plan.arrival {
        Arrival::Transfer => AdmitSource::OtherHospital,
        Arrival::Emergency if age >= 75 && stream.chance(0.12) => AdmitSource::NursingHome,
        Arrival::Emergency => AdmitSource::EmergencyDepartment,
        Arrival::Direct if reason.kind == StayKind::Rehabilitation => AdmitSource::OtherHospital,
        Arrival::Direct => match stream.index(10) {
            0..5 => AdmitSource::Physician,
            5..8 => AdmitSource::Outpatient,
            _ => AdmitSource::GeneralPractitioner,
        },
    }
}

fn disposition(reason: &StayReason, plan: &Plan, age: i32, stream: &mut Stream) -> Disposition {
    match plan.ending {
        Ending::Died => return Disposition::Expired,
        Ending::Transferred => return Disposition::OtherFacility,
        Ending::AgainstAdvice => return Disposition::AgainstAdvice,
        Ending::Home => {}
    }
    // Shares for nursing, rehabilitation, hospice, long-term care, psychiatric hospital, another home.
    let old = match age {
        ..45 => 0,
        45..65 => 1,
        65..75 => 2,
        _ => 3,
    };
    let mut nursing = [0.004, 0.03, 0.12, 0.24][old];
    let mut rehabilitation = [0.004, 0.02, 0.04, 0.05][old];
    if reason.department == Department::Orthopedics || reason.department == Department::Neurology {
        nursing *= 1.6;
        rehabilitation *= 3.0;
    }
    let psychiatric = if reason.kind == StayKind::Psychiatric { 0.05 } else { 0.001 };
    let hospice = [0.001, 0.008, 0.02, 0.04][old] * (reason.death_after / 0.04).min(4.0);
    let shares = [nursing, rehabilitation, hospice, 0.006, psychiatric, 0.006];
    let places = [
        Disposition::SkilledNursing,
        Disposition::Rehabilitation,
        Disposition::Hospice,
        Disposition::LongTermCare,
        Disposition::Psychiatric,
        Disposition::AlternativeHome,
        Disposition::Home,
    ];
    let home = 1.0 - shares.iter().sum::<f64>();
    places[stream.weighted(shares.into_iter().chain(std::iter::once(home)))]
}

/// Days with devices: in intensive care most patients have them, on wards a few for as long as they are there.
fn devices(path: &[Segment], start: Instant, end: Instant, stream: &mut Stream) -> DeviceDays {
    let days = (end.date().0 - start.date().0).max(1);
    let intensive = path.iter().find(|segment| segment.department == Department::IntensiveCare);
    let (u, v, w) = (stream.unit(), stream.unit(), stream.unit());
    let Some(intensive) = intensive else {
        let on = |chance: f64, u: f64| if u < chance { days as u16 } else { 0 };
        return DeviceDays { line: on(0.09, u), catheter: on(0.12, v), ventilator: 0 };
    };
    let there = (intensive.end.date().0 - intensive.start.date().0).max(1);
    // A device put in before or in intensive care often stays until the patient leaves.
    let on = |chance: f64, long: f64, u: f64| match u {
        u if u < chance * long => days as u16,
        u if u < chance => there as u16,
        _ => 0,
    };
    DeviceDays { line: on(0.55, 0.5, u), catheter: on(0.65, 0.4, v), ventilator: on(0.30, 0.0, w) }
}

/// A time of arrival on a date: emergencies peak in the afternoon, planned stays begin in the morning.
pub(super) fn arrival_time(date: Date, planned: bool, stream: &mut Stream) -> Instant {
    const EMERGENCIES: [f64; 24] = [
        2.6, 2.2, 1.9, 1.7, 1.6, 1.7, 2.1, 2.9, 4.0, 5.0, 5.7, 6.0, 6.0, 5.9, 5.8, 5.7, 5.7, 5.7, 5.7, 5.6, 5.2, 4.7,
        4.0, 3.3,
    ];
    let midnight = date.midnight().0;
    if planned {
        return Instant(midnight + 6 * HOUR + stream.between(0, 5 * HOUR));
    }
    let hour = stream.weighted(EMERGENCIES.into_iter()) as i64;
    Instant(midnight + hour * HOUR + stream.between(0, HOUR))
}
