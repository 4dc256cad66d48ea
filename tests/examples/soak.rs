//! Runs as many simulated schedules as asked, and says whether any of them ended in another lake.
//!
//! `cargo run --release -p metriccare-tests --example soak -- --schedules N --seed S`

#![expect(clippy::disallowed_macros, clippy::disallowed_methods, reason = "it measures, and talks to whoever runs it")]
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "the lines are what it is run for")]

use std::{
    io::{IsTerminal, stderr},
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread::available_parallelism,
    time::Instant,
};

use clap::Parser;
use metriccare_tests::simulation::{Schedule, Variant, inputs_of, soak, soak_watched};

/// Simulates the pipeline under faults, and compares every lake with the undisturbed one.
#[derive(Parser)]
struct Arguments {
    /// How many schedules to run.
    #[arg(long, default_value_t = 1000)]
    schedules: u64,
    /// What all schedules follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many threads to use; the schedules are the same.
    #[arg(long)]
    threads: Option<usize>,
    /// Runs the one schedule with this seed, and prints its steps.
    #[arg(long, value_name = "SEED")]
    only: Option<u64>,
    /// Says for each variant that is broken on purpose after how many schedules it is seen.
    #[arg(long)]
    variants: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.only {
        return only(seed);
    }
    if arguments.variants {
        return variants(&arguments);
    }
    let threads = arguments.threads.or_else(|| available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let begun = Instant::now();
    let last = Mutex::new(begun);
    let watch = |done: u64| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if stderr().is_terminal() && last.elapsed().as_secs() >= 1 {
            *last = Instant::now();
            let per_second = done as f64 / begun.elapsed().as_secs_f64();
            eprint!("\r{done} of {} schedules, {per_second:.1} per second ", arguments.schedules);
        }
    };
    let found = soak_watched(arguments.seed, arguments.schedules, threads, None, 5, &watch);
    if stderr().is_terminal() {
        eprintln!();
    }
    let seconds = begun.elapsed().as_secs_f64();
    for (kind, count) in &found.injected {
        println!("{count:>10} × {kind:?}");
    }
    println!("{:>10} calls of stores and ledger", found.calls);
    for divergence in &found.divergences {
        println!("schedule {} diverges: {}", divergence.schedule.seed, divergence.what);
        println!("  it takes {:?}", divergence.objects.iter().map(|object| &object.key).collect::<Vec<_>>());
        for step in &divergence.trace {
            println!("  {step}");
        }
    }
    println!("{:.1} schedules per second on {threads} threads", found.schedules as f64 / seconds);
    println!("{} schedules, {} divergences", found.schedules, found.divergences.len());
    if found.divergences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn variants(arguments: &Arguments) -> ExitCode {
    let mut all_seen = true;
    for variant in Variant::ALL {
        let found = soak(arguments.seed, arguments.schedules, 1, Some(variant), 1);
        let seen = found.divergences.first();
        let what = seen.map_or("NOT SEEN", |divergence| divergence.what.lines().next().unwrap_or_default());
        println!("{variant:?}: {} schedules, {}", found.schedules, what.chars().take(120).collect::<String>());
        all_seen &= seen.is_some();
    }
    if all_seen { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn only(seed: u64) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let schedule = Schedule { traced: true, ..Schedule::new(seed) };
    let inputs = inputs_of(seed);
    let ended = runtime.expect("a runtime").block_on(schedule.run(inputs));
    for step in &ended.trace {
        println!("{step}");
    }
    let divergences = u32::from(ended.divergence.is_some());
    println!("{}", ended.divergence.as_deref().unwrap_or("the lake is the undisturbed one"));
    println!("1 schedules, {divergences} divergences");
    if divergences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
