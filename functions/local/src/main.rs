//! `metriccare`: the whole pipeline in one process, and everything a person does with a lake.
//!
//! A command is a file of this crate. It says what it found on standard output, what it does on standard error, and
//! ends with status 0 (done), 1 (the data failed a check) or 2 (wrong usage).

mod arguments;
mod cloud;
mod doctor;
mod explain;
mod failure;
mod generate;
mod ingest;
mod lake;
mod nearest;
mod output;
mod place;
mod progress;
mod query;
mod redrive;
mod report;
mod rows;
mod run;
mod simulate;
mod summary;
mod upload;
mod verify;
mod walk;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    arguments::{Arguments, Command, Generate},
    failure::Failure,
    output::Output,
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut output = Output::new();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&Failure::failed(format!("the async runtime does not start: {error}"))),
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Run(arguments) => run::run(&arguments, &mut output).await,
            Command::Generate(Generate::Fhir(arguments)) => generate::command(&arguments, &mut output).await,
            Command::Generate(Generate::Tables(arguments)) => generate::tables::command(&arguments, &mut output).await,
            Command::Simulate(arguments) => simulate::simulate(&arguments, &mut output).await,
            Command::Ingest(arguments) => ingest::ingest(&arguments, &mut output).await,
            Command::Verify(arguments) => verify::verify(&arguments, &mut output).await,
            Command::Query(arguments) => query::query(&arguments, &mut output).await,
            Command::Explain(arguments) => explain::explain(&arguments, &mut output).await,
            Command::Report(arguments) => report::report(&arguments, &mut output).await,
            Command::Doctor(arguments) => doctor::doctor(&arguments, &mut output),
            Command::Upload(arguments) => upload::upload(&arguments, &mut output).await,
            Command::Redrive(arguments) => redrive::redrive(&arguments, &mut output).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}
