//! All stays of a patient's year: primary admissions, and the chain of transfers, returns and death that each begins.
//!
//! A primary admission comes by age and frailty, with a cause that the patient's age, sex and chronic conditions make
//! likely. After it the patient may be moved to another hospital, return (planned or not) within 30 days, or die.

use metriccare_fhir::calendar::{DAY, HOUR, SECOND};
use metriccare_fhir::write::{Date, Instant};

use super::admission::{pick_cause, pick_unplanned, rate};
use super::condition::FoundInfection;
use super::infection::Infection;
use super::infections;
use super::log::Life;
use super::stay::{Arrival, Ending, Plan, arrival_time, make};
use crate::cohorts::{Demand, Need};
use crate::facility::{FacilityKind, Service};
use crate::stream::{Purpose, Stream};
use crate::tables::{StayKind, StayReason};
use crate::world::World;

/// Scales the returns of the table of reasons, so that with those that happen by chance all together hit the target.
const RETURNS: f64 = 0.84;

/// The share of returns, planned ones included, that a world has whose spec does not ask for another.
const USUAL_RATE: f64 = 0.15;

/// The days at the beginning of the year that stay free of stays where the number of encounters is exact.
pub(super) const FREE_DAYS: i64 = 3;

/// The most midnights of a stay that an exact share demands, and the day of the year on which the first can begin.
const LONGEST_ARRANGED: i64 = 32;
const EARLIEST_ARRANGED: i64 = 4;

/// The most stays of one chain.
const LONGEST_CHAIN: usize = 12;

/// Simulates the stays, and sets the patient's death if there is one.
pub(super) fn simulate(world: &World, life: &mut Life, demand: &Demand) {
    let mut stream = Stream::new(world.spec.seed, world.spec.year, life.person.index, Purpose::Stays);
    let mut chain = Chain { world, demand, left: demand.encounters.unwrap_or(u64::MAX) };
    let mut busy = Instant(i64::MIN);
    let natural = stream.poisson(rate(life));
    let mut dead = false;
    if demand.stay == Need::Must {
        dead = chain.arranged(life, &mut stream);
        busy = life.encounters.last().map_or(busy, |stay| stay.end);
    }
    if demand.stay != Need::Never && !dead {
        let mut starts: [(Instant, u16); 8] = [(Instant(0), 0); 8];
        let natural = (natural as usize).min(starts.len());
        for start in &mut starts[..natural] {
            let cause = pick_cause(world, life, &mut stream);
            let reason = &world.tables.stays[usize::from(cause)];
            let date = world.year.pick(reason.rhythm, &mut stream);
            *start = (arrival_time(date, reason.planned(), &mut stream), cause);
        }
        starts[..natural].sort();
        // Where a readmission may not be, the next stay keeps its distance.
        let distance = if demand.readmission == Need::Never { 32 * DAY } else { DAY };
        // Where the number of encounters is exact, the first days stay free for visits that fit nowhere else.
        let earliest = match demand.encounters {
            Some(_) => Instant(world.year.first().midnight().0 + FREE_DAYS * DAY),
            None => Instant(i64::MIN),
        };
        for &(start, cause) in &starts[..natural] {
            if !dead && start >= earliest && (busy.0 == i64::MIN || start.0 > busy.0 + distance) && chain.left > 0 {
                dead = chain.primary(life, start, cause, &mut stream);
                busy = life.encounters.last().map_or(busy, |stay| stay.end);
            }
        }
    }
    if life.death.is_none() && demand.death != Need::Must {
        background_death(world, life, &mut stream);
    }
}

/// Without a stay behind it: an older person dies at home now and then.
fn background_death(world: &World, life: &mut Life, stream: &mut Stream) {
    let risk = match life.person.age {
        ..45 => 0.0004,
        45..65 => 0.002,
        65..75 => 0.006,
        75..85 => 0.016,
        _ => 0.05,
    };
    if stream.chance(risk) {
        let days = i64::from(world.year.days());
        let time = Instant(world.year.first().midnight().0 + stream.between(FREE_DAYS * DAY, days * DAY));
        if life.encounters.last().is_none_or(|stay| stay.end.0 + DAY < time.0) {
            life.death = Some(time);
        }
    }
}

/// What is decided about the end of a stay and what follows it.
struct Chain<'a> {
    world: &'a World,
    demand: &'a Demand,
    /// How many stays the patient may still have.
    left: u64,
}

impl Chain<'_> {
    /// The stays that an exact share demands; true where the patient dies.
    fn arranged(&mut self, life: &mut Life, stream: &mut Stream) -> bool {
        let first = self.world.year.first();
        let fewest = if self.demand.infection == Need::Must { 4 } else { 0 };
        let returns = self.demand.readmission == Need::Must;
        let dies = self.demand.death == Need::Must;
        // Early enough that all of it is over by the year's end.
        let needed = if returns { 2 * LONGEST_ARRANGED + 26 } else { LONGEST_ARRANGED } + EARLIEST_ARRANGED + 2;
        let room = i64::from(self.world.year.days()) - needed;
        let day = Date(first.0 + EARLIEST_ARRANGED as i32 + stream.index(room as u32) as i32);
        let cause = pick_unplanned(self.world, life, stream);
        let ending = if dies && !returns { Ending::Died } else { Ending::Home };
        let hospital = self.world.directory.with_beds(self.service(life, cause), life.person.home, 0.9, stream);
        let start = arrival_time(day, false, stream);
        let plan =
            Plan { start, cause, hospital, arrival: Arrival::Emergency, ending, midnights: (fewest, LONGEST_ARRANGED) };
        self.push(life, &plan, stream);
        if self.demand.infection == Need::Must {
            self.force_infection(life, stream);
        }
        if returns {
            let end = life.encounters.last().map_or(start, |stay| stay.end);
            let day = Date(end.date().0 + 2 + stream.index(24) as i32);
            let ending = if dies { Ending::Died } else { Ending::Home };
            let cause = pick_unplanned(self.world, life, stream);
            let start = arrival_time(day, false, stream);
            let plan =
                Plan { start, cause, hospital, arrival: Arrival::Emergency, ending, midnights: (0, LONGEST_ARRANGED) };
            self.push(life, &plan, stream);
        }
        if dies {
            life.death = life.encounters.last().map(|stay| stay.end);
        }
        dies
    }

    /// A primary admission and all that follows it; true where the patient dies.
    fn primary(&mut self, life: &mut Life, start: Instant, cause: u16, stream: &mut Stream) -> bool {
        let (mut start, mut cause) = (start, cause);
        let service = self.service(life, cause);
        let mut hospital = self.world.directory.with_beds(service, life.person.home, 0.93, stream);
        let mut transferred = false;
        for _ in 0..LONGEST_CHAIN {
            let reason = &self.world.tables.stays[usize::from(cause)];
            let arrival = match stream.chance(reason.emergency) {
                _ if transferred => Arrival::Transfer,
                true => Arrival::Emergency,
                false => Arrival::Direct,
            };
            let target = self.transfer_target(reason, hospital, transferred, stream);
            let ending = self.ending(life, reason, hospital, target.is_some(), stream);
            let plan = Plan { start, cause, hospital, arrival, ending, midnights: (0, 120) };
            self.push(life, &plan, stream);
            let end = life.encounters.last().map_or(start, |stay| stay.end);
            if ending == Ending::Died {
                life.death = Some(end);
                return true;
            }
            transferred = false;
            match target {
                Some(target) if ending == Ending::Transferred => {
                    hospital = target;
                    start = Instant(end.0 + stream.between(HOUR, 5 * HOUR));
                    transferred = true;
                }
                _ => match self.next(life, reason, cause, end, stream) {
                    Next::Nothing => return false,
                    Next::Death(time) => {
                        life.death = Some(time);
                        return true;
                    }
                    Next::Stay(at, next_cause) => {
                        (start, cause) = (at, next_cause);
                        hospital = self.world.directory.with_beds(self.service(life, cause), hospital, 0.86, stream);
                    }
                },
            }
            if start >= self.world.year.end() || self.left == 0 {
                return false;
            }
        }
        false
    }

    fn service(&self, life: &Life, cause: u16) -> Service {
        match self.world.tables.stays[usize::from(cause)].kind {
            StayKind::Psychiatric => Service::Psychiatric,
            StayKind::Rehabilitation => Service::Rehabilitation,
            _ if life.person.age < 18 => Service::Child,
            _ => Service::General,
        }
    }

    fn transfer_target(&self, reason: &StayReason, from: u16, moved: bool, stream: &mut Stream) -> Option<u16> {
        let share = match self.world.directory.hospitals()[usize::from(from)].kind {
            _ if from < 3 => 0.006,
            FacilityKind::CriticalAccess => 0.12,
            _ => 0.05,
        };
        let wanted = reason.intensive > 0.09 && stream.chance(share * (1.0 + 2.0 * reason.intensive));
        if !wanted || moved || self.left < 2 || self.demand.readmission == Need::Never {
            return None;
        }
        self.world.directory.transfer_target(from, stream)
    }

    fn ending(&self, life: &Life, reason: &StayReason, hospital: u16, moves: bool, stream: &mut Stream) -> Ending {
        let deadlier = self.world.directory.hospitals()[usize::from(hospital)].mortality;
        let by_age = match life.person.age {
            ..18 => 0.12,
            18..45 => 0.42,
            45..65 => 0.82,
            65..75 => 1.08,
            _ => 1.32,
        };
        let leaves = match reason.kind {
            StayKind::Medical if !reason.planned() => 0.017,
            StayKind::Psychiatric => 0.012,
            _ => 0.001,
        };
        let (dies, leaves) = (stream.chance(reason.death * by_age * deadlier), stream.chance(leaves));
        if dies && self.demand.death == Need::Free {
            Ending::Died
        } else if moves {
            Ending::Transferred
        } else if leaves && life.person.age >= 18 {
            Ending::AgainstAdvice
        } else {
            Ending::Home
        }
    }

    /// What follows a stay that the patient left alive and to no other hospital.
    fn next(&self, life: &Life, reason: &StayReason, cause: u16, end: Instant, stream: &mut Stream) -> Next {
        use metriccare_fhir::write::Disposition;
        let disposition = life.encounters.last().and_then(|stay| stay.disposition);
        let hospice = disposition == Some(Disposition::Hospice);
        let frail = libm::exp(0.35 * life.person.frailty - 0.06);
        let left = life.encounters.last().map_or(0, |stay| usize::from(stay.hospital));
        let hospital = &self.world.directory.hospitals()[left];
        if self.demand.readmission == Need::Free {
            if let Some(next) = self.planned_return(reason, cause, end, stream) {
                return next;
            }
            let shape = if hospice {
                0.15
            } else if disposition == Some(Disposition::AgainstAdvice) {
                1.7
            } else {
                1.0
            };
            let wanted = self.world.spec.readmission_rate / USUAL_RATE;
            if stream.chance((reason.readmit * RETURNS * wanted * frail * shape * hospital.readmission).min(0.75)) {
                return self.unplanned_return(life, reason, cause, end, stream);
            }
        }
        let by_age = match life.person.age {
            ..45 => 0.2,
            45..65 => 0.6,
            65..75 => 1.0,
            _ => 1.6,
        };
        let risk = if hospice { 0.72 } else { reason.death_after * 0.56 * by_age * hospital.mortality };
        if stream.chance(risk) {
            let mean = if hospice { 7.0 } else { 12.0 };
            let days = stream.exponential(mean).min(29.0);
            return Next::Death(Instant(end.0 + 8 * HOUR + (days * (DAY / SECOND) as f64) as i64 * SECOND));
        }
        Next::Nothing
    }

    fn planned_return(&self, reason: &StayReason, cause: u16, end: Instant, stream: &mut Stream) -> Option<Next> {
        let u = stream.unit();
        let of_kind = |kind: StayKind| self.world.tables.stays.iter().position(|r| r.kind == kind).map(|at| at as u16);
        let (next, gap) = match reason.kind {
            StayKind::Chemotherapy if u < 0.42 => (cause, 19 + stream.index(5)),
            StayKind::Dialysis if u < 0.30 => (cause, 6 + stream.index(20)),
            StayKind::Colon if u < 0.10 => (of_kind(StayKind::Chemotherapy)?, 24 + stream.index(6)),
            StayKind::Surgical if u < 0.012 => (of_kind(StayKind::Rehabilitation)?, stream.index(2)),
            StayKind::Medical if reason.death_after > 0.07 && u < 0.02 => {
                (of_kind(StayKind::Rehabilitation)?, stream.index(2))
            }
            _ => return None,
        };
        let date = Date(end.date().0 + gap as i32);
        let start = arrival_time(date, true, stream);
        Some(Next::Stay(if start.0 < end.0 + HOUR { Instant(end.0 + 2 * HOUR) } else { start }, next))
    }

    fn unplanned_return(
        &self,
        life: &Life,
        reason: &StayReason,
        cause: u16,
        end: Instant,
        stream: &mut Stream,
    ) -> Next {
        let same = !reason.planned() && stream.chance(0.34);
        let cause = if same { cause } else { pick_unplanned(self.world, life, stream) };
        let days = loop {
            let days = stream.exponential(13.0);
            if days < 30.0 {
                break days as i32;
            }
        };
        let start = arrival_time(Date(end.date().0 + days), false, stream);
        // Back on the same day: a few hours later.
        let start =
            if start.0 < end.0 + 3 * HOUR { Instant(end.0 + stream.between(3 * HOUR, 9 * HOUR)) } else { start };
        Next::Stay(start, cause)
    }

    fn push(&mut self, life: &mut Life, plan: &Plan, stream: &mut Stream) {
        let stay = make(self.world, life, plan, stream);
        let kind = self.world.tables.stays[usize::from(plan.cause)].kind;
        if self.demand.infection != Need::Never {
            let mut found = Vec::new();
            infections::draw(&stay, kind, stream, &mut found);
            let found = found.into_iter();
            let found =
                found.map(|(infection, onset)| FoundInfection { stay: stay.id, infection, onset, refuted: false });
            life.infections.extend(found);
        }
        // Now and then one is suspected that turns out to be none.
        if stream.chance(0.004) {
            let infection = Infection::ALL[stream.index(Infection::ALL.len() as u32) as usize];
            let onset = infections::onset(&stay, infection, stream);
            life.infections.extend(onset.map(|onset| FoundInfection {
                stay: stay.id,
                infection,
                onset,
                refuted: true,
            }));
        }
        self.left = self.left.saturating_sub(1);
        life.encounters.push(stay);
    }

    fn force_infection(&self, life: &mut Life, stream: &mut Stream) {
        let Some(stay) = life.encounters.last() else { return };
        let infection =
            [Infection::Cauti, Infection::Clabsi, Infection::Cdi, Infection::Other][stream.index(4) as usize];
        if let Some(onset) = infections::onset(stay, infection, stream) {
            // Of one type in one stay the earliest counts: one that was brought along would take its place.
            life.infections.retain(|found| found.stay != stay.id || found.infection != infection || found.refuted);
            life.infections.push(FoundInfection { stay: stay.id, infection, onset, refuted: false });
        }
    }
}

/// What follows a stay.
enum Next {
    Nothing,
    Death(Instant),
    Stay(Instant, u16),
}
