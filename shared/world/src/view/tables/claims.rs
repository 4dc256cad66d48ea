//! claims.csv: what is billed, allowed and paid for every contact and for drugs, line by line.
//!
//! Fraud is a pattern that can be found: a few clinicians bill the highest level for ordinary visits, bill visits twice,
//! or bill more visits on one day than it has hours. Paid is never above allowed, allowed never above claimed; a denied
//! line pays nothing; a correction is a reversal with negative amounts and a new line.

use metriccare_fhir::calendar::DAY;
use metriccare_fhir::write::{Date, EncounterClass, Instant};

use super::cell_texts::{CellTexts, IdText};
use super::csv::Row;
use super::procedure::procedure;
use super::rows::Rows;
use crate::department::Department;
use crate::ids::mix;
use crate::life::{Encounter, Life};
use crate::stream::{Purpose, Stream};
use crate::world::World;

/// How a line was adjudicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Paid,
    Denied,
    Pending,
    Reversed,
    Adjusted,
}

impl Status {
    /// The word of the column `adjudication_status`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::Paid => "Paid",
            Status::Denied => "Denied",
            Status::Pending => "Pending",
            Status::Reversed => "Reversed",
            Status::Adjusted => "Adjusted",
        }
    }
}

/// A line of a claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    claim: u32,
    number: u32,
    clinician: u32,
    service: Date,
    filed: Date,
    code: &'static str,
    /// Claimed, allowed and paid, in cents.
    pub(super) amounts: [i64; 3],
    pub(super) status: Status,
    pub(super) fraudulent: bool,
    /// Why it was denied; empty for any other line.
    pub(super) denial: &'static str,
}

/// Drugs by HCPCS level II and own short codes, with dollars per fill.
const DRUGS: [(&str, f64); 8] = [
    ("RX-METFORMIN", 14.0),
    ("RX-LISINOPRIL", 11.0),
    ("RX-ATORVASTATIN", 13.0),
    ("RX-ALBUTEROL", 48.0),
    ("RX-APIXABAN", 540.0),
    ("RX-SERTRALINE", 12.0),
    ("RX-INSULIN", 310.0),
    ("RX-SEMAGLUTIDE", 930.0),
];

/// The group's base payment per relative weight, in dollars.
const BASE: f64 = 10_800.0;

/// Draws the claims of a life into `lines`; what was paid for the patient in all, in cents.
pub(super) fn draw(world: &World, life: &Life, lines: &mut Vec<Line>) -> i64 {
    lines.clear();
    let mut stream = Stream::new(world.spec.seed, world.spec.year, life.person.index, Purpose::Claims);
    let now = world.year.end();
    let mut builder = ClaimBuilder { world, lines, claim: 0 };
    for encounter in life.encounters.iter().filter(|e| e.end < now) {
        builder.contact(encounter, &mut stream);
    }
    for _ in 0..stream.poisson(0.25 + 1.30 * f64::from(life.chronic_count)) {
        builder.drug(life, &mut stream);
    }
    if let Some(quota) = world.population.claims(life.person.index) {
        while (builder.lines.len() as u64) < quota {
            builder.drug(life, &mut stream);
        }
        lines.truncate(quota as usize);
    }
    lines.iter().map(|line| line.amounts[2]).sum()
}

/// How many of the lines were denied.
pub(super) fn denied(lines: &[Line]) -> usize {
    lines.iter().filter(|line| line.status == Status::Denied).count()
}

/// Writes the lines that were drawn.
pub(super) fn write(life: &Life, lines: &[Line], (texts, patient): (&CellTexts, &IdText), out: &mut Rows) {
    for line in lines {
        let mut row = Row::with(&mut out.claims, texts);
        row.numbered("C", life.person.mrn, u64::from(line.claim) + 1).known(patient);
        row.known(&texts.clinicians[line.clinician as usize]).date(line.filed).date(line.service);
        row.word(line.code);
        for cents in line.amounts {
            row.amount(cents);
        }
        row.word(line.status.name());
        row.flag(line.fraudulent).word(line.denial).number(i64::from(line.number)).end();
    }
    out.counts[2] += lines.len() as u64;
}

/// Claims under construction.
struct ClaimBuilder<'a> {
    world: &'a World,
    lines: &'a mut Vec<Line>,
    claim: u32,
}

impl ClaimBuilder<'_> {
    fn contact(&mut self, encounter: &Encounter, stream: &mut Stream) {
        let date = encounter.start.date();
        let by = encounter.clinician;
        match encounter.class {
            EncounterClass::Inpatient => {
                let (code, weight) = encounter.drg(self.world).unwrap_or(("", 1.0));
                let extra = 1.0 + 0.03 * f64::from(encounter.devices.line + encounter.devices.ventilator);
                self.line(by, date, code, BASE * weight * extra, 0.4, stream);
                self.line(by, date, "99223", 205.0, 0.15, stream);
                if let Some(procedure) = procedure(self.world, encounter) {
                    self.line(by, date, procedure.code, 1_450.0, 0.4, stream);
                }
            }
            EncounterClass::Emergency => {
                self.visit(by, date, "99284", "99285", 560.0, stream);
                if stream.chance(0.35) {
                    self.line(by, date, "71046", 92.0, 0.5, stream);
                }
            }
            EncounterClass::Ambulatory => {
                self.visit(by, date, "99213", "99215", 104.0, stream);
                if stream.chance(0.42) {
                    self.line(by, date, "80053", 23.0, 0.6, stream);
                }
            }
            EncounterClass::Virtual => self.visit(by, date, "99213", "99215", 88.0, stream),
            EncounterClass::HomeHealth => self.visit(by, date, "99348", "99350", 128.0, stream),
        }
        self.claim += 1;
    }

    /// A visit's line, honest or not.
    fn visit(
        &mut self,
        by: u32,
        date: Date,
        code: &'static str,
        highest: &'static str,
        dollars: f64,
        stream: &mut Stream,
    ) {
        let id = self.world.directory.clinicians()[by as usize].id;
        let fraudulent = mix(id.0 as u64 ^ mix(11)) % 1_000 < 75;
        let tempted = stream.chance(self.world.spec.fraud_rate * 28.0);
        if !fraudulent || !tempted {
            return self.line(by, date, code, dollars, 0.35, stream);
        }
        let from = self.lines.len();
        match stream.index(10) {
            0..5 => self.line(by, date, highest, dollars * 1.9, 0.1, stream),
            5..8 => {
                self.line(by, date, code, dollars, 0.35, stream);
                self.line(by, date, code, dollars, 0.35, stream);
                self.lines[from].fraudulent = false;
            }
            _ => {
                // The clinician's busy day of the month, whenever the visit was.
                let (year, month, _) = date.ymd();
                let busy = 1 + (mix(id.0 as u64 ^ mix(u64::from(month))) % 28) as u32;
                self.line(by, Date::from_ymd(year, month, busy), highest, dollars * 1.9, 0.1, stream);
            }
        }
        for (i, line) in self.lines[from..].iter_mut().enumerate() {
            // Of a visit billed twice the first line is honest.
            line.fraudulent = line.code == highest || i > 0;
        }
    }

    fn drug(&mut self, life: &Life, stream: &mut Stream) {
        let calendar = &self.world.year;
        let days = match life.death {
            Some(death) => (death.date().0 - calendar.first().0).clamp(1, calendar.days()),
            None => calendar.days(),
        };
        let date = Date(calendar.first().0 + stream.index(days as u32) as i32);
        let (code, dollars) = DRUGS[stream.weighted([18.0, 20.0, 22.0, 12.0, 5.0, 14.0, 4.0, 2.5].into_iter())];
        let by = life.encounters.first().map_or_else(
            || self.world.directory.clinician(life.person.home, Department::PrimaryCare, stream),
            |encounter| encounter.clinician,
        );
        self.line(by, date, code, dollars, 0.2, stream);
        self.claim += 1;
    }

    /// A line, adjudicated; now and then with a reversal and a corrected line behind it.
    fn line(&mut self, by: u32, service: Date, code: &'static str, dollars: f64, sigma: f64, stream: &mut Stream) {
        // Three draws decide a line: its amount and delay, what is claimed and paid, and how it is adjudicated.
        let (factor, delay) = self.world.quantiles.of(sigma, stream.bits());
        let (claim, pay) = halves(stream.bits());
        let (outcome, corrected) = halves(stream.bits());
        let allowed = cents(dollars * 100.0 * factor);
        let claimed = cents(allowed as f64 * (1.25 + 1.9 * claim));
        let paid = cents(allowed as f64 * (0.72 + 0.28 * pay));
        let filed = Date(service.0 + 2 + delay);
        let late = filed.midnight() > Instant(self.world.year.end().0 - 12 * DAY);
        let (status, amounts, denial) = match outcome {
            u if u < 0.138 => (Status::Denied, [claimed, 0, 0], denial(stream)),
            u if u < if late { 0.7 } else { 0.155 } => (Status::Pending, [claimed, allowed, 0], ""),
            _ => (Status::Paid, [claimed, allowed, paid], ""),
        };
        let number = 1 + self.lines.iter().rev().take_while(|line| line.claim == self.claim).count() as u32;
        let line = Line {
            claim: self.claim,
            number,
            clinician: by,
            service,
            filed,
            code,
            amounts,
            status,
            fraudulent: false,
            denial,
        };
        self.lines.push(line);
        if status == Status::Paid && corrected < 0.012 {
            let later = Date(filed.0 + 14);
            let back = amounts.map(|cents| -cents);
            self.lines.push(Line { number: number + 1, filed: later, amounts: back, status: Status::Reversed, ..line });
            let less = amounts.map(|cents| cents * 9 / 10);
            self.lines.push(Line { number: number + 2, filed: later, amounts: less, status: Status::Adjusted, ..line });
        }
    }
}

/// A draw as two values in [0, 1).
fn halves(draw: u32) -> (f64, f64) {
    (f64::from(draw >> 16) / 65_536.0, f64::from(draw & 0xffff) / 65_536.0)
}

/// The nearest whole number of cents of a positive amount.
fn cents(amount: f64) -> i64 {
    (amount + 0.5) as i64
}

fn denial(stream: &mut Stream) -> &'static str {
    match stream.index(100) {
        0..17 => "Service not covered",
        17..27 => "Prior authorization or referral missing",
        27..29 => "Not medically necessary",
        29..52 => "Claim incomplete",
        52..68 => "Out of network",
        _ => "Other",
    }
}
