//! `date_add(unit, n, time)` and `date_trunc(unit, time)`: a date stays a date, a timestamp a timestamp.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, Date32Array, TimestampMicrosecondArray, cast::AsArray},
        datatypes::{DataType, Date32Type, Int64Type, TimestampMicrosecondType},
    },
    common::{Result, exec_datafusion_err, plan_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility},
};
use metriccare_fhir::calendar::{DAY, date_of};

use super::unit::{Unit, instant_type};

/// One of the two functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DateShift {
    adds: bool,
    signature: Signature,
}

impl DateShift {
    pub(super) fn add() -> Self {
        DateShift { adds: true, signature: Signature::user_defined(Volatility::Immutable) }
    }

    pub(super) fn truncate() -> Self {
        DateShift { adds: false, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for DateShift {
    fn name(&self) -> &str {
        if self.adds { "date_add" } else { "date_trunc" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match (self.adds, given) {
            (true, [_, _, time]) => Ok(vec![DataType::Utf8, DataType::Int64, instant_type("date_add", time)?]),
            (true, _) => plan_err!(
                "date_add takes a unit, a number and a date or timestamp: date_add('day', 30, discharge_time)"
            ),
            (false, [_, time]) => Ok(vec![DataType::Utf8, instant_type("date_trunc", time)?]),
            (false, _) => {
                plan_err!("date_trunc takes a unit and a date or timestamp: date_trunc('month', admission_time)")
            }
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given.last().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let unit = Unit::of(&arguments.args[0])?;
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let times = &arrays[arrays.len() - 1];
        let shifted = |row: usize, instant: i64| {
            if !self.adds {
                return Ok(Some(unit.begin(instant)));
            }
            let units = arrays[1].as_primitive::<Int64Type>();
            if units.is_null(row) { Ok(None) } else { unit.add(instant, units.value(row)).map(Some) }
        };
        Ok(ColumnarValue::Array(if *times.data_type() == DataType::Date32 {
            dates(times, shifted)?
        } else {
            let times = times.as_primitive::<TimestampMicrosecondType>();
            let moved = times.iter().enumerate().map(|(row, time)| time.map_or(Ok(None), |time| shifted(row, time)));
            Arc::new(moved.collect::<Result<TimestampMicrosecondArray>>()?)
        }))
    }
}

fn dates(dates: &ArrayRef, shifted: impl Fn(usize, i64) -> Result<Option<i64>>) -> Result<ArrayRef> {
    let moved = dates.as_primitive::<Date32Type>().iter().enumerate().map(|(row, date)| {
        let Some(date) = date else { return Ok(None) };
        match shifted(row, i64::from(date) * DAY)? {
            Some(micros) if micros.rem_euclid(DAY) != 0 => {
                Err(exec_datafusion_err!("a date has no hours: CAST it to a timestamp to add less than a day"))
            }
            moved => Ok(moved.map(date_of)),
        }
    });
    Ok(Arc::new(moved.collect::<Result<Date32Array>>()?))
}
