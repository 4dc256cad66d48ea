//! `metriccare`: the whole pipeline in one process, and everything a person does with a lake.
//!
//! `arguments` is the command line, `commands` has one verb a file or folder, and the other folders are what commands
//! share: `lake` (a lake in a folder), `cloud` (a lake on S3), `output` (text, tables, progress).
//!
//! A command prints what it found on standard output and what it does on standard error, and ends with status 0 (done),
//! 1 (the data failed a check) or 2 (wrong usage).

mod arguments;
mod cloud;
mod commands;
mod lake;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    arguments::{Arguments, Command, Generate},
    commands::{
        compact, doctor, explain, generate, ingest, quarantine, query, rebuild, redrive, report, run, show, simulate,
        stats, upload, verify, withdraw,
    },
    output::{Output, failure::Failure},
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut output = Output::new();
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(blocking_threads()).build()
        {
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
            Command::Show(arguments) => show::show(&arguments, &mut output).await,
            Command::Query(arguments) => query::query(&arguments, &mut output).await,
            Command::Explain(arguments) => explain::explain(&arguments, &mut output).await,
            Command::Report(arguments) => report::report(&arguments, &mut output).await,
            Command::Rebuild(arguments) => rebuild::rebuild(&arguments, &mut output).await,
            Command::Withdraw(arguments) => withdraw::withdraw(&arguments, &mut output).await,
            Command::Compact(arguments) => compact::compact(&arguments, &mut output).await,
            Command::Quarantine(arguments) => quarantine::quarantine(&arguments, &mut output).await,
            Command::Stats(arguments) => stats::stats(&arguments, &mut output).await,
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

/// The threads for blocking work: one for each processor that computes, and two for files and name look-ups meanwhile.
///
/// glibc's allocator keeps what a thread freed for that thread: with tokio's default of 512 threads a run of 100,000
/// patients takes 2.5 times the memory.
fn blocking_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from) + 2
}
