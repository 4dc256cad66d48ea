//! How often silver is written while a backlog of small objects goes through the stages as the template has them, in real time
//! and with buckets that answer after 30 ms.
//!
//! `cargo run --release -p metriccare-tests --example backlog -- --objects 10000`

#![expect(clippy::disallowed_macros, reason = "the lines are what it is run for")]
#![expect(clippy::print_stdout, reason = "the lines are what it is run for")]

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use metriccare_tests::backlog::{Backlog, run};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Takes a backlog through bronze, silver and gold, and counts what is written.
#[derive(Parser)]
struct Arguments {
    /// Landed objects
    #[arg(long, default_value_t = 10_000)]
    objects: u64,
    /// Patients in all of them, with two encounters and more each
    #[arg(long, default_value_t = 40_000)]
    patients: u64,
    /// Milliseconds that each request to a bucket takes
    #[arg(long, default_value_t = 30)]
    delay: u64,
    /// Seconds that silver and gold gather messages
    #[arg(long, default_value_t = 60)]
    window: u64,
    /// The lake's buckets
    #[arg(long, default_value_t = 16)]
    buckets: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { objects, patients, delay, window, buckets } = Arguments::parse();
    let plan = Backlog {
        objects,
        patients,
        delay: Duration::from_millis(delay),
        window: Duration::from_secs(window),
        buckets,
        ..Backlog::default()
    };
    let finished = run(plan.clone()).await;
    let (times, [bronze, silver, gold]) = (finished.of_the_final_silver(), finished.invocations);
    println!("{objects} objects, quiet after {:.0} s", finished.seconds);
    println!("invocations: bronze {bronze}, silver {silver}, gold {gold}; {} requests", finished.requests);
    println!("silver's tables: {} objects, {} bytes", finished.silver.0, finished.silver.1);
    println!(
        "written: {} times, {} bytes: {times:.1} x the final silver",
        finished.silver_written.0, finished.silver_written.1
    );
    println!("record index: written {} times, {} bytes", finished.index_written.0, finished.index_written.1);
    println!("{} dead letters", finished.dead_letters);
    let late = finished.land_late(&plan).await;
    let (bucket_bytes, before) = (late.bucket_bytes, MEMORY.current_usage());
    MEMORY.reset_peak_usage();
    late.merge().await;
    let peak = MEMORY.peak_usage() - before;
    let times_bucket = peak as f64 / bucket_bytes as f64;
    println!(
        "one late object: a bucket of {bucket_bytes} bytes is merged in {peak} bytes of memory: {times_bucket:.1} x its size"
    );
    if finished.dead_letters == 0 && times <= 5.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
