//! A bucket's silver objects as columns that measuring reads: what each encounter and patient is, once per value.

use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use bytes::Bytes;

use super::reason::Reason;
use crate::coded::{Coded, Interner};
use crate::schema::{SILVER_CONDITION, SILVER_ENCOUNTER, SILVER_PATIENT, Table};
use crate::silver::status::{Phase, phase};
use crate::silver::stays::is_stay;
use crate::table_file::{self, Columns, FileError};
use metriccare_fhir::calendar::{civil, date_of};

const ENCOUNTER: &[&str] = &[
    "encounter_id",
    "patient_id",
    "hospital_name",
    "encounter_class",
    "status",
    "department",
    "admission_time",
    "discharge_time",
    "priority",
    "discharge_disposition",
    "reason_code",
];
const PATIENT: &[&str] = &["patient_id", "gender", "birth_date", "state", "language", "deceased_time"];
const CONDITION: &[&str] =
    &["condition_id", "patient_id", "encounter_id", "infection_type", "death", "onset_time", "recorded_time"];

/// The silver objects of one bucket; one that does not exist has no rows.
#[derive(Clone, Debug, Default)]
pub struct SilverBucket {
    /// The bucket's silver/patient object.
    pub patient: Option<Bytes>,
    /// The bucket's silver/encounter object.
    pub encounter: Option<Bytes>,
    /// The bucket's silver/condition object.
    pub condition: Option<Bytes>,
}

/// The decoded objects.
pub(super) struct Decoded {
    patient: RecordBatch,
    encounter: RecordBatch,
    condition: RecordBatch,
}

impl Decoded {
    /// Decodes the columns that measuring needs.
    pub(super) fn new(silver: &SilverBucket) -> Result<Self, FileError> {
        let rows = |table: &'static Table, bytes: &Option<Bytes>, columns: &[&'static str]| match bytes {
            Some(bytes) => table_file::read(table, bytes, columns),
            None => Ok(RecordBatch::new_empty(table.file_schema())),
        };
        Ok(Decoded {
            patient: rows(&SILVER_PATIENT, &silver.patient, PATIENT)?,
            encounter: rows(&SILVER_ENCOUNTER, &silver.encounter, ENCOUNTER)?,
            condition: rows(&SILVER_CONDITION, &silver.condition, CONDITION)?,
        })
    }
}

/// What measuring knows of a bucket.
pub(super) struct Facts<'a> {
    /// Encounters, sorted by admission, then id.
    pub(super) encounters: Encounters<'a>,
    /// Patients.
    pub(super) patients: Patients<'a>,
    /// Conditions.
    pub(super) conditions: Conditions<'a>,
    /// For each code of `encounters.patient`, the patient's row.
    pub(super) patient_rows: Vec<Option<u32>>,
    /// For each code of `encounters.reason`, what the reason says.
    pub(super) reasons: Vec<Option<Reason<'a>>>,
}

impl<'a> Facts<'a> {
    /// Reads the facts off decoded objects.
    pub(super) fn new(decoded: &'a Decoded) -> Result<Self, FileError> {
        let encounters = Encounters::new(&decoded.encounter)?;
        let patients = Patients::new(&decoded.patient)?;
        let conditions = Conditions::new(&decoded.condition)?;
        let mut known = Interner::new();
        let mut rows = Vec::new();
        for row in 0..patients.id.len() {
            // A silver object has each patient once; of a broken one, the first row stands.
            if known.intern(patients.id.value(row)) as usize == rows.len() {
                rows.push(row as u32);
            }
        }
        let patient_rows =
            encounters.patient.map(|id| id.and_then(|id| known.find(id)).map(|code| rows[code as usize]));
        let reasons = encounters.reason.map(|code| code.and_then(Reason::of));
        Ok(Facts { encounters, patients, conditions, patient_rows, reasons })
    }

    /// The row of an encounter's patient, where the patient is known.
    pub(super) fn patient_row(&self, encounter: usize) -> Option<usize> {
        self.patient_rows[self.encounters.patient.codes[encounter] as usize].map(|row| row as usize)
    }
}

/// Encounters as columns.
pub(super) struct Encounters<'a> {
    pub(super) id: &'a StringArray,
    pub(super) patient: Coded<'a>,
    pub(super) hospital: Coded<'a>,
    pub(super) department: Coded<'a>,
    pub(super) class: Coded<'a>,
    pub(super) status: Coded<'a>,
    pub(super) priority: Coded<'a>,
    pub(super) disposition: Coded<'a>,
    pub(super) reason: Coded<'a>,
    phases: Vec<Phase>,
    admission: &'a PrimitiveArray<TimestampMicrosecondType>,
    discharge: &'a PrimitiveArray<TimestampMicrosecondType>,
}

impl<'a> Encounters<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, FileError> {
        let columns = Columns { table: &SILVER_ENCOUNTER, batch };
        let coded = |name| Ok::<_, FileError>(Coded::new(columns.text(name)?));
        let status = coded("status")?;
        Ok(Encounters {
            id: columns.text("encounter_id")?,
            patient: coded("patient_id")?,
            hospital: coded("hospital_name")?,
            department: coded("department")?,
            class: coded("encounter_class")?,
            phases: status.map(phase),
            status,
            priority: coded("priority")?,
            disposition: coded("discharge_disposition")?,
            reason: coded("reason_code")?,
            admission: columns.time("admission_time")?,
            discharge: columns.time("discharge_time")?,
        })
    }

    /// The number of encounters.
    pub(super) fn len(&self) -> usize {
        self.id.len()
    }

    /// How an encounter counts.
    pub(super) fn phase(&self, row: usize) -> Phase {
        self.phases[self.status.codes[row] as usize]
    }

    /// When an encounter began.
    pub(super) fn admission(&self, row: usize) -> Option<i64> {
        self.admission.is_valid(row).then(|| self.admission.value(row))
    }

    /// When an encounter ended.
    pub(super) fn discharge(&self, row: usize) -> Option<i64> {
        self.discharge.is_valid(row).then(|| self.discharge.value(row))
    }

    /// Admission and discharge of a stay; none where the encounter is no stay.
    pub(super) fn stay_times(&self, row: usize) -> Option<(i64, i64)> {
        let (admission, discharge) = (self.admission(row), self.discharge(row));
        let stay = is_stay(self.class.value(row), self.status.value(row), admission, discharge);
        admission.zip(discharge).filter(|_| stay)
    }
}

/// Patients as columns.
pub(super) struct Patients<'a> {
    pub(super) id: &'a StringArray,
    pub(super) gender: Coded<'a>,
    pub(super) state: Coded<'a>,
    pub(super) language: Coded<'a>,
    birth_date: &'a PrimitiveArray<Date32Type>,
    deceased: &'a PrimitiveArray<TimestampMicrosecondType>,
}

impl<'a> Patients<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, FileError> {
        let columns = Columns { table: &SILVER_PATIENT, batch };
        Ok(Patients {
            id: columns.text("patient_id")?,
            gender: Coded::new(columns.text("gender")?),
            state: Coded::new(columns.text("state")?),
            language: Coded::new(columns.text("language")?),
            birth_date: columns.date("birth_date")?,
            deceased: columns.time("deceased_time")?,
        })
    }

    /// The date of death.
    pub(super) fn deceased(&self, row: usize) -> Option<i32> {
        self.deceased.is_valid(row).then(|| date_of(self.deceased.value(row)))
    }

    /// The age on a date: the difference of years, less one before the birthday.
    pub(super) fn age(&self, row: usize, on: i32) -> Option<i64> {
        let birth = self.birth_date.is_valid(row).then(|| civil(self.birth_date.value(row)))?;
        let on = civil(on);
        let before_birthday = (on.1, on.2) < (birth.1, birth.2);
        Some(i64::from(on.0) - i64::from(birth.0) - i64::from(before_birthday))
    }
}

/// Conditions as columns.
pub(super) struct Conditions<'a> {
    pub(super) id: &'a StringArray,
    pub(super) patient: &'a StringArray,
    pub(super) encounter: &'a StringArray,
    pub(super) infection: Coded<'a>,
    death: &'a BooleanArray,
    onset: &'a PrimitiveArray<TimestampMicrosecondType>,
    recorded: &'a PrimitiveArray<TimestampMicrosecondType>,
}

impl<'a> Conditions<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, FileError> {
        let columns = Columns { table: &SILVER_CONDITION, batch };
        Ok(Conditions {
            id: columns.text("condition_id")?,
            patient: columns.text("patient_id")?,
            encounter: columns.text("encounter_id")?,
            infection: Coded::new(columns.text("infection_type")?),
            death: columns.boolean("death")?,
            onset: columns.time("onset_time")?,
            recorded: columns.time("recorded_time")?,
        })
    }

    /// Whether a condition says that the patient died.
    pub(super) fn is_death(&self, row: usize) -> bool {
        self.death.is_valid(row) && self.death.value(row)
    }

    /// The onset, or where it is not known the time of recording.
    pub(super) fn time(&self, row: usize) -> Option<i64> {
        let known = |times: &PrimitiveArray<TimestampMicrosecondType>| times.is_valid(row).then(|| times.value(row));
        known(self.onset).or_else(|| known(self.recorded))
    }
}
