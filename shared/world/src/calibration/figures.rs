//! The figures of a calibration with their bands and sources.

use super::ratio::Ratio;
use super::sums::Calibration;
use crate::life::Infection;

/// One figure: what it is meant to be, and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What is measured, with its unit.
    pub name: &'static str,
    /// The lower end of the band.
    pub low: f64,
    /// The upper end of the band.
    pub high: f64,
    /// What the world has; nothing where there is no case.
    pub got: Option<f64>,
    /// Where the band comes from.
    pub source: &'static str,
}

impl Figure {
    /// Whether the figure is inside its band.
    pub fn holds(&self) -> bool {
        self.got.is_some_and(|got| (self.low..=self.high).contains(&got))
    }
}

const CARE_COMPARE: &str = "CMS Care Compare, July 2024";
const DEATHS: &str = "CMS Care Compare: 9-18 % by cause at 65+, less for all ages and causes";
const HCUP: &str = "HCUP SB248: all-payer 30-day readmission 13.9-14.2 %";
const NHSN: &str = "CMS PPS-exempt cancer hospitals, July 2024 (numerators and device days)";
const BRFSS: &str = "BRFSS 2023, PCD 2025;22:240539";

impl Calibration {
    /// All figures.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let mut add = |name, (low, high): (f64, f64), got: Option<f64>, source| {
            figures.push(Figure { name, low, high, got, source });
        };
        let percent = |ratio: Ratio| over(ratio.events as f64 * 100.0, ratio.of as f64);
        let cause = |at: usize| percent(self.readmission_by_cause[at]);
        add("readmission within 30 days, all payers, unplanned, %", (13.0, 15.5), percent(self.readmission), HCUP);
        add("readmission after heart failure, %", (18.0, 22.0), cause(0), CARE_COMPARE);
        add("readmission after pneumonia, %", (15.0, 18.0), cause(1), CARE_COMPARE);
        add("readmission after COPD, %", (16.5, 21.6), cause(2), CARE_COMPARE);
        add("readmission after heart attack, %", (11.4, 16.5), cause(3), CARE_COMPARE);
        add("death in hospital, %", (1.8, 2.5), percent(self.death), "NCHS: 2 % of hospitalizations end in death");
        let sepsis = percent(self.death_by_cause[4]);
        add("death in hospital with sepsis, %", (14.0, 18.0), sepsis, "MMWR QuickStats 2010: septicemia 16 %");
        let attack = percent(self.death_by_cause[3]);
        add("death in hospital with heart attack, %", (4.0, 8.0), attack, "MMWR QuickStats 2010: 8 %, falling since");
        add("death within 30 days of admission, %", (4.0, 7.0), percent(self.death_30), DEATHS);
        let (mean, median, ninetieth) = self.lengths();
        add("length of adult stays, mean days", (4.3, 5.0), mean, "HCUP SB180: 4.5 days; NCHS DB118: 4.8");
        add("length of adult stays, median days", (2.5, 4.0), median, "MS-DRG Table 5, FY 2026");
        add("length of adult stays, 90th percentile", (8.0, 11.0), ninetieth, "MS-DRG Table 5, FY 2026");
        let days = self.patient_days as f64;
        let occupied = over(days * 100.0, self.bed_days as f64);
        add("occupancy of staffed beds, %", (65.0, 80.0), occupied, "Leuchter, JAMA Netw Open: 75.3 % in 2023-24");
        let acquired = |kind: Infection| self.acquired[kind as usize] as f64;
        let [line, catheter, ventilator] = self.device_days.map(|days| days as f64);
        add("CLABSI per 1000 line days", (0.8, 1.2), over(acquired(Infection::Clabsi) * 1e3, line), NHSN);
        add("CAUTI per 1000 catheter days", (0.8, 1.5), over(acquired(Infection::Cauti) * 1e3, catheter), NHSN);
        let vap = over(acquired(Infection::Vap) * 1e3, ventilator);
        add("VAP per 1000 ventilator days", (0.5, 3.0), vap, "NHSN 2018-20: 1.5");
        add("C. difficile per 10,000 patient days", (4.0, 8.0), over(acquired(Infection::Cdi) * 1e4, days), NHSN);
        add("MRSA bacteremia per 1000 patient days", (0.03, 0.15), over(acquired(Infection::Mrsa) * 1e3, days), NHSN);
        let infected = over(self.infected_stays as f64 * 100.0, self.stays as f64);
        add("stays with a hospital-onset infection, %", (1.5, 3.5), infected, "Magill, NEJM 2018: 3.2 % of inpatients");
        let emergency = over(self.through_emergency as f64 * 100.0, self.stays as f64);
        add(
            "stays that began in the emergency department, %",
            (55.0, 75.0),
            emergency,
            "plausible, not published here",
        );
        let per_patient = over(self.encounters as f64, self.patients as f64);
        add("encounters per patient", (4.9, 5.1), per_patient, "the spec's default");
        let lines = over(self.claims.of as f64, self.patients as f64);
        add("claim lines per patient", (9.8, 10.2), lines, "the spec's default");
        add("claims denied, %", (10.0, 18.0), percent(self.claims), "KFF: 14-19 % of in-network claims, 2017-20");
        add(
            "spending of the costliest 5 % of patients, %",
            (45.0, 55.0),
            self.top_share(),
            "MEPS SB560, 2022: about half",
        );
        let names = [
            ["one or more chronic conditions at 18-34, %", "two or more chronic conditions at 18-34, %"],
            ["one or more chronic conditions at 35-64, %", "two or more chronic conditions at 35-64, %"],
            ["one or more chronic conditions at 65+, %", "two or more chronic conditions at 65+, %"],
        ];
        let targets = [[59.5, 27.1], [78.4, 52.7], [93.0, 78.8]];
        for ((names, targets), ratios) in names.into_iter().zip(targets).zip(self.chronic) {
            for ((name, target), ratio) in names.into_iter().zip(targets).zip(ratios) {
                add(name, (target - 3.0, target + 3.0), percent(ratio), BRFSS);
            }
        }
        figures
    }

    /// The share of all spending that falls to the costliest twentieth of the patients, in per cent.
    fn top_share(&self) -> Option<f64> {
        let mut paid = self.paid.clone();
        paid.sort_unstable_by(|a, b| b.cmp(a));
        let top: i64 = paid.iter().take(paid.len() / 20).sum();
        over(top as f64 * 100.0, paid.iter().sum::<i64>() as f64)
    }

    /// Mean, median and 90th percentile of the adult stays.
    fn lengths(&self) -> (Option<f64>, Option<f64>, Option<f64>) {
        let stays: u64 = self.adult_lengths.iter().sum();
        let days: u64 = self.adult_lengths.iter().zip(0u64..).map(|(count, days)| count * days).sum();
        let quantile = |share: f64| {
            let mut left = share * stays as f64;
            self.adult_lengths.iter().position(|&count| {
                left -= count as f64;
                left < 0.0
            })
        };
        let as_days = |days: Option<usize>| days.map(|days| days as f64);
        (over(days as f64, stays as f64), as_days(quantile(0.5)), as_days(quantile(0.9)))
    }
}

fn over(events: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| events / of)
}
