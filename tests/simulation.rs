//! Law 1 at volume: simulated schedules end in the undisturbed lake, repeat from their seed, and see what is broken on purpose.
//!
//! `cargo run --release -p metriccare-tests --example soak` runs as many as asked.

use metriccare_tests::simulation::{Injected, Inputs, Schedule, Variant, inputs_of, seed_of, shortened, soak};

const SEED: u64 = 2025;
const SCHEDULES: u64 = 1_000;

#[test]
fn every_schedule_ends_in_the_undisturbed_lake() {
    let found = soak(SEED, SCHEDULES, 2, None, 1);
    if let Some(divergence) = found.divergences.first() {
        panic!(
            "schedule {} diverges: {}\nit takes {:?}\n{}",
            divergence.schedule.seed,
            divergence.what,
            divergence.objects.iter().map(|object| &object.key).collect::<Vec<_>>(),
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
        Injected::PastDeadline,
        Injected::Expiry,
        Injected::Reconciliation,
        Injected::Withdrawal,
        Injected::Compaction,
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
fn a_schedule_that_diverges_is_shortened_and_still_diverges() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (mut calls, mut objects) = ([0, 0], [0, 0]);
    for variant in [Variant::IfMatchIgnored, Variant::AcknowledgedBeforeWork, Variant::DeletionsDropped] {
        let mut found = soak(SEED, 200, 2, Some(variant), 1).divergences;
        let found = found.pop().expect("a variant that is seen");
        let (schedule, inputs) = (found.schedule, inputs_of(found.schedule.seed));
        let whole = runtime.block_on(Schedule { traced: true, ..schedule }.run(inputs));
        let short = shortened(schedule, inputs, found.what);
        let repeated = runtime.block_on(async {
            let inputs = Inputs::of(short.objects.clone()).await;
            Schedule { traced: true, ..short.schedule }.run(&inputs).await
        });
        assert_eq!(repeated.divergence.as_ref(), Some(&short.what), "{variant:?} still diverges, in the same way");
        assert_eq!(repeated.trace, short.trace);
        assert!(repeated.calls <= whole.calls, "{variant:?}: {} calls of {}", repeated.calls, whole.calls);
        calls = [calls[0] + repeated.calls, calls[1] + whole.calls];
        objects = [objects[0] + short.objects.len(), objects[1] + inputs.objects.len()];
    }
    // A race may take all of its objects; not all three do.
    assert!(calls[0] < calls[1] && objects[0] < objects[1], "{calls:?} calls, {objects:?} objects");
}

#[test]
fn every_variant_that_is_broken_on_purpose_is_seen() {
    let seen = |variant: &Variant| !soak(SEED, 200, 2, Some(*variant), 1).divergences.is_empty();
    let missed: Vec<Variant> = Variant::ALL.into_iter().filter(|variant| !seen(variant)).collect();
    assert_eq!(missed, [], "not seen in 200 schedules each");
}
