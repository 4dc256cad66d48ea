//! Athena's functions that DataFusion lacks altogether, or gives another type.

mod date_diff;
mod date_shift;
mod format;
mod unit;

use datafusion::{logical_expr::ScalarUDF, prelude::SessionContext};

/// Makes the functions known; a name that DataFusion has gets Athena's meaning.
pub(super) fn register(context: &SessionContext) {
    context.register_udf(ScalarUDF::from(date_diff::DateDiff::new()));
    context.register_udf(ScalarUDF::from(date_shift::DateShift::add()));
    context.register_udf(ScalarUDF::from(date_shift::DateShift::truncate()));
    context.register_udf(ScalarUDF::from(format::Format::new()));
}
