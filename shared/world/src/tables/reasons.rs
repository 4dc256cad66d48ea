//! Why people come: reasons for hospital stays, and for visits without a bed.

use metriccare_fhir::write::{Diagnosis, Priority};

use serde::Deserialize;

use super::chronic::Chronic;
use super::drg::Drg;
use super::tsv::{Line, TableError, diagnosis, refuse, rows};
use crate::department::Department;
use crate::year::Rhythm;

/// What kind of stay a reason leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StayKind {
    Medical,
    Surgical,
    Colon,
    Hysterectomy,
    Delivery,
    Psychiatric,
    Chemotherapy,
    Rehabilitation,
    Dialysis,
}

impl StayKind {
    /// Whether an operation is done.
    pub(crate) fn operates(self) -> bool {
        matches!(self, StayKind::Surgical | StayKind::Colon | StayKind::Hysterectomy)
    }
}

/// A reason for a hospital stay.
#[derive(Clone, Debug)]
pub(crate) struct StayReason {
    pub(crate) diagnosis: Diagnosis<'static>,
    /// Indices into the DRG table with their shares, which add up to 1.
    pub(crate) drgs: Vec<(u16, f64)>,
    pub(crate) kind: StayKind,
    pub(crate) priority: Priority,
    /// Probabilities: through the emergency department, with intensive care, of death in the stay and within 30 days
    /// after it, of an unplanned return.
    pub(crate) emergency: f64,
    pub(crate) department: Department,
    pub(crate) intensive: f64,
    pub(crate) death: f64,
    pub(crate) death_after: f64,
    pub(crate) readmit: f64,
    /// Relative weights of primary admissions: children, 18–44, 45–64, 65–74, 75 and older.
    pub(crate) weights: [f64; 5],
    pub(crate) women_only: bool,
    pub(crate) rhythm: Rhythm,
    /// The chronic condition that makes this reason more likely.
    pub(crate) chronic: Option<u8>,
}

impl StayReason {
    /// Whether the stay is planned by its nature: an elective, or one of the kinds that are always planned.
    pub(crate) fn planned(&self) -> bool {
        self.priority == Priority::Elective
            || matches!(
                self.kind,
                StayKind::Delivery | StayKind::Chemotherapy | StayKind::Rehabilitation | StayKind::Dialysis
            )
    }
}

/// Where a visit without a bed takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Setting {
    Clinic,
    Virtual,
    Emergency,
    Home,
}

/// A reason for a visit without a bed.
#[derive(Clone, Debug)]
pub(crate) struct VisitReason {
    pub(crate) setting: Setting,
    pub(crate) diagnosis: Diagnosis<'static>,
    pub(crate) department: Department,
    /// Relative weights: children, adults below 65, 65 and older.
    pub(crate) weights: [f64; 3],
    /// Whether the visit leaves a condition behind that goes away.
    pub(crate) acute: bool,
}

const STAYS: &str = "stay_reasons.tsv";
const VISITS: &str = "visit_reasons.tsv";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StayRow {
    icd: String,
    display: String,
    snomed: Option<String>,
    snomed_display: Option<String>,
    drgs: String,
    kind: StayKind,
    priority: PriorityCode,
    ed: f64,
    department: Department,
    icu: f64,
    death: f64,
    death_after: f64,
    readmit: f64,
    w_child: f64,
    w_18_44: f64,
    w_45_64: f64,
    w_65_74: f64,
    w_75: f64,
    sex: Sex,
    season: Season,
    chronic: Option<String>,
}

/// How urgent a stay is, by the code of v3-ActPriority.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum PriorityCode {
    #[serde(rename = "EM")]
    Emergency,
    #[serde(rename = "UR")]
    Urgent,
    #[serde(rename = "EL")]
    Elective,
    #[serde(rename = "R")]
    Routine,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum Sex {
    #[serde(rename = "any")]
    Any,
    #[serde(rename = "f")]
    Female,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Season {
    Flat,
    Winter,
    Summer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VisitRow {
    setting: Setting,
    icd: String,
    display: String,
    snomed: Option<String>,
    snomed_display: Option<String>,
    department: Department,
    w_child: f64,
    w_adult: f64,
    w_65: f64,
    condition: Leaves,
}

/// Whether a visit leaves a condition behind.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Leaves {
    None,
    Acute,
}

pub(super) fn read_stays(text: &str, drgs: &[Drg], chronic: &[Chronic]) -> Result<Vec<StayReason>, TableError> {
    let lines = rows::<StayRow>(STAYS, text)?;
    let stays: Vec<StayReason> = lines.iter().map(|line| stay(line, drgs, chronic)).collect::<Result<_, _>>()?;
    for (band, column) in ["w_child", "w_18_44", "w_45_64", "w_65_74", "w_75"].into_iter().enumerate() {
        // Everybody needs a reason that is neither planned nor only women's.
        if !stays.iter().any(|reason| reason.weights[band] > 0.0 && !reason.planned() && !reason.women_only) {
            return Err(refuse(STAYS, format!("no unplanned reason for both sexes has a weight in column {column}")));
        }
    }
    Ok(stays)
}

fn stay(line: &Line<StayRow>, drgs: &[Drg], chronic: &[Chronic]) -> Result<StayReason, TableError> {
    let row = &line.row;
    let linked = row.chronic.as_ref().map(|key| {
        let at = chronic.iter().position(|chronic| chronic.key == key);
        at.map(|at| at as u8).ok_or_else(|| line.refuse("chronic", format!("{key} is no key of chronic.tsv")))
    });
    let planned = matches!(row.priority, PriorityCode::Elective | PriorityCode::Routine);
    let weights = [
        ("w_child", row.w_child),
        ("w_18_44", row.w_18_44),
        ("w_45_64", row.w_45_64),
        ("w_65_74", row.w_65_74),
        ("w_75", row.w_75),
    ];
    Ok(StayReason {
        diagnosis: diagnosis(&row.icd, &row.display, row.snomed.as_deref(), row.snomed_display.as_deref()),
        drgs: drg_mix(line, drgs)?,
        kind: row.kind,
        priority: match row.priority {
            PriorityCode::Emergency => Priority::Emergency,
            PriorityCode::Urgent => Priority::Urgent,
            PriorityCode::Elective => Priority::Elective,
            PriorityCode::Routine => Priority::Routine,
        },
        emergency: line.share("ed", row.ed)?,
        department: row.department,
        intensive: line.share("icu", row.icu)?,
        death: line.share("death", row.death)?,
        death_after: line.share("death_after", row.death_after)?,
        readmit: line.share("readmit", row.readmit)?,
        weights: line.weights(weights)?,
        women_only: row.sex == Sex::Female,
        rhythm: match row.season {
            _ if planned => Rhythm::Planned,
            Season::Winter => Rhythm::Winter,
            Season::Summer => Rhythm::Summer,
            Season::Flat => Rhythm::Acute,
        },
        chronic: linked.transpose()?,
    })
}

/// A mix such as `291:70,292:30`, as places in the DRG table with shares that add up to 1.
fn drg_mix(line: &Line<StayRow>, drgs: &[Drg]) -> Result<Vec<(u16, f64)>, TableError> {
    let parts = line.row.drgs.split(',').map(|part| {
        let (code, share) = part
            .split_once(':')
            .and_then(|(code, share)| Some((code, share.parse::<f64>().ok()?)))
            .ok_or_else(|| line.refuse("drgs", format!("{part} is not a DRG and its share, such as 291:70")))?;
        let at = drgs.iter().position(|drg| drg.code == code);
        let at = at.ok_or_else(|| line.refuse("drgs", format!("{code} is no DRG of drg.tsv")))?;
        Ok((at as u16, line.share("drgs", share)?))
    });
    let mix: Vec<(u16, f64)> = parts.collect::<Result<_, _>>()?;
    let sum: f64 = mix.iter().map(|&(_, share)| share).sum();
    if (sum - 1.0).abs() > 1e-9 {
        return Err(line.refuse("drgs", format!("the shares add up to {}, not to 100", sum * 100.0)));
    }
    Ok(mix)
}

pub(super) fn read_visits(text: &str) -> Result<Vec<VisitReason>, TableError> {
    let visits = rows::<VisitRow>(VISITS, text)?.into_iter().map(|line| {
        let row = &line.row;
        Ok(VisitReason {
            setting: row.setting,
            diagnosis: diagnosis(&row.icd, &row.display, row.snomed.as_deref(), row.snomed_display.as_deref()),
            department: row.department,
            weights: line.weights([("w_child", row.w_child), ("w_adult", row.w_adult), ("w_65", row.w_65)])?,
            acute: row.condition == Leaves::Acute,
        })
    });
    visits.collect()
}

/// The places in the list of visit reasons and their weights, by setting and age band.
pub(super) type VisitChoices = [[Vec<(u16, f64)>; 3]; 4];

pub(super) fn visit_choices(visits: &[VisitReason]) -> Result<VisitChoices, TableError> {
    let settings = [Setting::Clinic, Setting::Virtual, Setting::Emergency, Setting::Home];
    let mut all: VisitChoices = Default::default();
    for (setting, bands) in settings.into_iter().zip(&mut all) {
        for (band, choices) in bands.iter_mut().enumerate() {
            let of = (0u16..).zip(visits).filter(|(_, reason)| reason.setting == setting && reason.weights[band] > 0.0);
            *choices = of.map(|(at, reason)| (at, reason.weights[band])).collect();
            if choices.is_empty() {
                let column = ["w_child", "w_adult", "w_65"][band];
                return Err(refuse(
                    VISITS,
                    format!("no reason of setting {setting:?} has a weight in column {column}"),
                ));
            }
        }
    }
    Ok(all)
}
