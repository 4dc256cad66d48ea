//! `metriccare explain`: how a number of gold came about, counted from silver and the stay ledger.

mod attrition;
mod infections;
mod object;
mod readmission;
mod source;
mod stay;
mod stay_report;
mod words;

use crate::{
    arguments::Explain,
    output::{Output, failure::Failure},
};

pub(crate) async fn explain(arguments: &Explain, output: &mut Output) -> Result<(), Failure> {
    match arguments {
        Explain::Readmission(arguments) => readmission::explain(arguments, output).await,
        Explain::Object(arguments) => object::explain(arguments, output).await,
        Explain::Stay(arguments) => stay::explain(arguments, output).await,
    }
}
