//! `date_diff(unit, from, to)`: the whole units from one date or time to another.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Int64Array, cast::AsArray},
        datatypes::{DataType, TimeUnit, TimestampMicrosecondType},
    },
    common::{Result, plan_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility},
};

use super::unit::{Unit, instant_type};

/// The function; its arguments are read as timestamps, dates as their midnight.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DateDiff {
    signature: Signature,
}

impl DateDiff {
    pub(super) fn new() -> Self {
        DateDiff { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for DateDiff {
    fn name(&self) -> &str {
        "date_diff"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [_, from, to] = given else {
            return plan_err!(
                "date_diff takes a unit and two dates or timestamps: date_diff('day', admission_time, discharge_time)"
            );
        };
        instant_type("date_diff", from)?;
        instant_type("date_diff", to)?;
        let instant = DataType::Timestamp(TimeUnit::Microsecond, None);
        Ok(vec![DataType::Utf8, instant.clone(), instant])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let unit = Unit::of(&arguments.args[0])?;
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let (from, to) = (
            arrays[1].as_primitive::<TimestampMicrosecondType>(),
            arrays[2].as_primitive::<TimestampMicrosecondType>(),
        );
        let days: Int64Array = from.iter().zip(to).map(|(from, to)| Some(unit.between(from?, to?))).collect();
        Ok(ColumnarValue::Array(Arc::new(days)))
    }
}
