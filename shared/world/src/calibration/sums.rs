//! Sums over lives, which the figures are made from.

use super::ratio::Ratio;
use crate::department::Department;
use crate::life::{ConditionKind, Infection, Life};
use crate::rules::{age_band, between, hospital_onset, judge, planned};
use crate::view::tables::ClaimTotals;
use crate::world::World;

/// The diagnoses whose outcomes are followed, by the beginning of their ICD-10-CM codes.
pub(crate) const CAUSES: [&str; 5] = ["I50", "J18", "J44", "I21", "A41"];

/// The days up to which lengths are distinguished.
const LONGEST: usize = 200;

/// Sums over the lives that were added.
#[derive(Clone, Debug)]
pub struct Calibration {
    pub(crate) patients: u64,
    pub(crate) encounters: u64,
    pub(crate) conditions: u64,
    pub(crate) stays: u64,
    pub(crate) through_emergency: u64,
    pub(crate) readmission: Ratio,
    pub(crate) naive: Ratio,
    pub(crate) readmission_by_cause: [Ratio; CAUSES.len()],
    pub(crate) death: Ratio,
    pub(crate) death_by_cause: [Ratio; CAUSES.len()],
    pub(crate) death_30: Ratio,
    pub(crate) transferred: u64,
    pub(crate) against_advice: u64,
    pub(crate) patient_days: u64,
    pub(crate) bed_days: u64,
    pub(crate) device_days: [u64; 3],
    pub(crate) acquired: [u64; Infection::ALL.len()],
    pub(crate) infected_stays: u64,
    pub(crate) adult_lengths: Vec<u64>,
    /// Claim lines, and the denied ones.
    pub(crate) claims: Ratio,
    /// What was paid for each patient, in cents.
    pub(crate) paid: Vec<i64>,
    bill: ClaimTotals,
    /// At least one and at least two chronic conditions at 18–34, 35–64, 65 and older.
    pub(crate) chronic: [[Ratio; 2]; 3],
}

impl Calibration {
    /// Sums of nothing, for a world.
    pub fn new(world: &World) -> Calibration {
        let beds: u64 = world.directory.hospitals().iter().map(|h| u64::from(h.staffed_beds)).sum();
        Calibration {
            patients: 0,
            encounters: 0,
            conditions: 0,
            stays: 0,
            through_emergency: 0,
            readmission: Ratio::default(),
            naive: Ratio::default(),
            readmission_by_cause: Default::default(),
            death: Ratio::default(),
            death_by_cause: Default::default(),
            death_30: Ratio::default(),
            transferred: 0,
            against_advice: 0,
            patient_days: 0,
            bed_days: beds * world.year.days() as u64,
            device_days: [0; 3],
            acquired: [0; Infection::ALL.len()],
            infected_stays: 0,
            adult_lengths: vec![0; LONGEST],
            claims: Ratio::default(),
            paid: Vec::new(),
            bill: ClaimTotals::default(),
            chronic: Default::default(),
        }
    }

    /// Adds a life.
    pub fn add(&mut self, world: &World, life: &Life) {
        let now = world.year.end();
        self.patients += 1;
        self.encounters += life.encounters.iter().filter(|e| e.start < now).count() as u64;
        self.conditions += life.conditions.iter().filter(|c| c.recorded < now).count() as u64;
        let stage = match life.person.age {
            ..18 => None,
            18..35 => Some(0),
            35..65 => Some(1),
            _ => Some(2),
        };
        if let Some(stage) = stage {
            self.chronic[stage][0].count(life.chronic_count >= 1);
            self.chronic[stage][1].count(life.chronic_count >= 2);
        }
        for stay in life.encounters.iter().filter(|e| e.is_stay() && e.start < now) {
            let until = if stay.end < now { stay.end } else { now };
            self.patient_days += between(stay.start.date(), until.date()) as u64;
        }
        let (paid, lines, denied) = self.bill.of(world, life);
        self.claims.add(Ratio { of: lines, events: denied });
        self.paid.push(paid);
        self.outcomes(world, life);
    }

    fn outcomes(&mut self, world: &World, life: &Life) {
        let now = world.year.end();
        let completed: Vec<_> = life.encounters.iter().filter(|e| e.is_stay() && e.end < now).collect();
        let stays = judge(&completed, life.person.birth, life.death);
        for stay in &stays {
            let encounter = stay.encounter;
            let cause = CAUSES.iter().position(|cause| stay.code.starts_with(cause));
            self.stays += 1;
            self.through_emergency += u64::from(encounter.path()[0].department == Department::Emergency);
            self.transferred += u64::from(stay.status == "transferred");
            self.against_advice += u64::from(stay.status == "against-advice");
            let soon = stay.next.filter(|&(_, days)| days <= 30);
            self.naive.count(soon.is_some());
            // Stays whose 30 days are not over yet would look better than they are.
            if stay.status == "index" && between(encounter.end.date(), now.date()) > 30 {
                let returned = soon.is_some_and(|(next, _)| !planned(&stays[next]));
                self.readmission.count(returned);
                if let Some(cause) = cause {
                    self.readmission_by_cause[cause].count(returned);
                }
            }
            self.death.count(stay.died);
            if let Some(cause) = cause {
                self.death_by_cause[cause].count(stay.died);
            }
            let came = encounter.start.date();
            self.death_30.count(life.death.is_some_and(|d| (0..=30).contains(&between(came, d.date()))));
            let devices = encounter.devices;
            for (sum, days) in self.device_days.iter_mut().zip([devices.line, devices.catheter, devices.ventilator]) {
                *sum += u64::from(days);
            }
            if age_band(came.years_since(life.person.birth)) != "0-17" {
                self.adult_lengths[(stay.days as usize).min(LONGEST - 1)] += 1;
            }
        }
        let mut infected = None;
        for condition in &life.conditions {
            let (ConditionKind::Infection(kind), Some(at)) = (condition.kind, condition.encounter) else { continue };
            let encounter = &life.encounters[at as usize];
            let days = between(encounter.start.date(), condition.onset.date());
            if encounter.end < now && !condition.refuted && hospital_onset(kind, days) {
                self.acquired[kind as usize] += 1;
                self.infected_stays += u64::from(infected != Some(at));
                infected = Some(at);
            }
        }
    }

    /// Adds another shard's sums; the beds, which are the whole world's, stay as they are.
    pub fn merge(&mut self, other: &Calibration) {
        let pairs = [
            (&mut self.patients, other.patients),
            (&mut self.encounters, other.encounters),
            (&mut self.conditions, other.conditions),
            (&mut self.stays, other.stays),
            (&mut self.through_emergency, other.through_emergency),
            (&mut self.transferred, other.transferred),
            (&mut self.against_advice, other.against_advice),
            (&mut self.patient_days, other.patient_days),
            (&mut self.infected_stays, other.infected_stays),
        ];
        for (sum, more) in pairs {
            *sum += more;
        }
        self.readmission.add(other.readmission);
        self.naive.add(other.naive);
        self.death.add(other.death);
        self.death_30.add(other.death_30);
        self.claims.add(other.claims);
        self.paid.extend_from_slice(&other.paid);
        let sums = |a: &mut [u64], b: &[u64]| a.iter_mut().zip(b).for_each(|(sum, more)| *sum += more);
        sums(&mut self.device_days, &other.device_days);
        sums(&mut self.acquired, &other.acquired);
        sums(&mut self.adult_lengths, &other.adult_lengths);
        let ratios = |a: &mut [Ratio], b: &[Ratio]| a.iter_mut().zip(b).for_each(|(sum, more)| sum.add(*more));
        ratios(&mut self.readmission_by_cause, &other.readmission_by_cause);
        ratios(&mut self.death_by_cause, &other.death_by_cause);
        ratios(self.chronic.as_flattened_mut(), other.chronic.as_flattened());
    }
}
