//! Many schedules from one seed, on several threads; a schedule that diverges is shortened.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use tokio::runtime::Runtime;

use super::{Ended, Injected, Inputs, Schedule, Variant};
use crate::{Landed, crowded::Draw};

/// So many different inputs; schedules draw from them.
const INPUTS: usize = 24;

/// What many schedules came to.
#[derive(Debug, Default)]
pub struct Soak {
    /// How many schedules ran.
    pub schedules: u64,
    /// How many calls of stores and ledger they made.
    pub calls: u64,
    /// What was injected, and how often.
    pub injected: BTreeMap<Injected, u64>,
    /// The schedules that did not end in the undisturbed lake.
    pub divergences: Vec<Divergence>,
}

/// A schedule that did not end in the undisturbed lake, as short as it could be made.
#[derive(Debug)]
pub struct Divergence {
    /// The schedule, with the limits that it was shortened by.
    pub schedule: Schedule,
    /// What differs, or which law was broken.
    pub what: String,
    /// The objects that it takes.
    pub objects: Vec<Landed>,
    /// The steps of the shortened schedule.
    pub trace: Vec<String>,
}

/// The seed of the schedule with this number.
pub fn seed_of(seed: u64, number: u64) -> u64 {
    let mut draw = Draw(seed ^ number.wrapping_mul(0xD6E8_FEB8_6659_FD93));
    (draw.number_less_than(1 << 32) as u64) << 31 | draw.number_less_than(1 << 31) as u64
}

/// The inputs of a schedule; they are made when they are first asked for.
pub fn inputs_of(seed: u64) -> &'static Inputs {
    static ALL: [OnceLock<Inputs>; INPUTS] = [const { OnceLock::new() }; INPUTS];
    let number = (seed % INPUTS as u64) as usize;
    ALL[number].get_or_init(|| runtime().block_on(Inputs::numbered(number as u64)))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Runs so many schedules; it ends early where `stop_at` schedules have diverged.
///
/// # Panics
/// Where a runtime cannot be made, or a schedule's own machinery panics.
pub fn soak(seed: u64, schedules: u64, threads: usize, variant: Option<Variant>, stop_at: usize) -> Soak {
    soak_watched(seed, schedules, threads, variant, stop_at, &|_| {})
}

/// As [`soak`]; after every schedule `watch` is called with how many there were.
///
/// # Panics
/// As [`soak`].
pub fn soak_watched(
    seed: u64,
    schedules: u64,
    threads: usize,
    variant: Option<Variant>,
    stop_at: usize,
    watch: &(dyn Fn(u64) + Sync),
) -> Soak {
    let (next, total) = (AtomicU64::new(0), Mutex::new(Soak::default()));
    let locked = || total.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let runtime = runtime();
                while locked().divergences.len() < stop_at {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= schedules {
                        break;
                    }
                    let seed = seed_of(seed, number);
                    let schedule = Schedule { variant, ..Schedule::new(seed) };
                    let inputs = inputs_of(seed);
                    let Ended { divergence, injected, calls, .. } = runtime.block_on(schedule.run(inputs));
                    // Of what is broken on purpose it is enough to know that it is seen.
                    let found = divergence.map(|what| match variant {
                        Some(_) => Divergence { schedule, what, objects: Vec::new(), trace: Vec::new() },
                        None => shortened(schedule, inputs, what),
                    });
                    let mut total = locked();
                    total.schedules += 1;
                    total.calls += calls;
                    for (kind, count) in injected {
                        *total.injected.entry(kind).or_default() += count;
                    }
                    total.divergences.extend(found);
                    watch(total.schedules);
                }
            });
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The same divergence with fewer handlers, faults and objects, as far as it still shows and takes no more calls than it did.
///
/// # Panics
/// As [`soak`].
pub fn shortened(mut schedule: Schedule, inputs: &Inputs, mut what: String) -> Divergence {
    let runtime = runtime();
    let mut objects = inputs.objects.clone();
    let run = |schedule: &Schedule, objects: &[Landed]| {
        runtime.block_on(async { schedule.run(&Inputs::of(objects.to_vec()).await).await })
    };
    let calls = run(&schedule, &objects).calls;
    // What the shorter schedule diverges by, where it does.
    let shorter = |schedule: &Schedule, objects: &[Landed]| {
        let ended = run(schedule, objects);
        ended.divergence.filter(|_| ended.calls <= calls)
    };
    for most_handlers in [1, 2, 4] {
        let fewer = Schedule { most_handlers, ..schedule };
        if let Some(found) = shorter(&fewer, &objects) {
            (schedule, what) = (fewer, found);
            break;
        }
    }
    for most_faults in [0, 1, 2, 3, 5, 8, 12] {
        let fewer = Schedule { most_faults, ..schedule };
        if let Some(found) = shorter(&fewer, &objects) {
            (schedule, what) = (fewer, found);
            break;
        }
    }
    let mut place = 0;
    while place < objects.len() {
        let mut fewer = objects.clone();
        fewer.remove(place);
        match shorter(&schedule, &fewer) {
            Some(found) => (objects, what) = (fewer, found),
            None => place += 1,
        }
    }
    let traced = run(&Schedule { traced: true, ..schedule }, &objects);
    Divergence { schedule, what, objects, trace: traced.trace }
}
