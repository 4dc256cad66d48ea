//! Law 1 at volume: simulated schedules end in the undisturbed lake, repeat from their seed, and see what is broken on purpose.
//!
//! `cargo run --release -p metriccare-tests --example soak` runs as many as asked.

use metriccare_tests::simulation::{Injected, Schedule, Variant, inputs_of, seed_of, soak};

const SEED: u64 = 2025;
const SCHEDULES: u64 = 300;

#[test]
fn every_schedule_ends_in_the_undisturbed_lake() {
    let found = soak(SEED, SCHEDULES, 2, None, 1);
    if let Some(divergence) = found.divergences.first() {
        panic!(
            "schedule {} diverges: {}\nit takes {:?}\n{}",
            divergence.seed,
            divergence.what,
            divergence.objects,
            divergence.trace.join("\n")
        );
    }
    assert_eq!(found.schedules, SCHEDULES);
    for kind in [
        Injected::Unavailable,
        Injected::LostReply,
        Injected::Conflict,
        Injected::ConditionAfterSuccess,
        Injected::Crash,
        Injected::CrashAfter,
        Injected::Stall,
        Injected::LeaseLapse,
        Injected::DeadLetter,
    ] {
        assert!(found.injected.get(&kind).is_some_and(|count| *count > 10), "{kind:?} of {:?}", found.injected);
    }
}

#[test]
fn a_schedule_repeats_from_its_seed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for number in 0..20 {
        let seed = seed_of(SEED, number);
        let schedule = Schedule { traced: true, ..Schedule::new(seed) };
        let [first, second] = [(); 2].map(|()| runtime.block_on(schedule.run(inputs_of(seed))).trace);
        assert!(first.len() > 50);
        assert_eq!(first, second, "schedule {seed}");
    }
}

#[test]
fn every_variant_that_is_broken_on_purpose_is_seen() {
    let seen = |variant: &Variant| !soak(SEED, 200, 2, Some(*variant), 1).divergences.is_empty();
    let missed: Vec<Variant> = Variant::ALL.into_iter().filter(|variant| !seen(variant)).collect();
    assert_eq!(missed, [], "not seen in 200 schedules each");
}
