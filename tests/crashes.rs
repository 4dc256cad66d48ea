//! Law 1 at every single call: whatever call of a store or of the ledger fails, loses its reply, or is the last that a
//! process makes, and whoever wakes up late and goes on, the lake ends the same.
//!
//! The input is small, so that the matrix is exhaustive: every call of a whole run, from the first head of a landed
//! object to the last completion of gold, breaks once in every way.

use std::time::Duration;

use metriccare_ports::faulty::{Fault, Faults};
use metriccare_tests::{
    Cloud, LakeContents,
    cloud::{STAGES, orderly},
    landed::{self, Landed},
};

const HOSPITALS: &str = "hospital_name,staffed_beds,city,state\nMetricCare Hospital - Raleigh,20,Raleigh,NC\n";

/// How long a stalled process waits, on a machine whose time the test moves.
const STALL: Duration = Duration::from_secs(3600);

async fn ready(objects: &[Landed]) -> Cloud {
    let cloud = Cloud::new(orderly());
    cloud.put_hospitals(HOSPITALS).await;
    cloud.land_and_notify(objects).await;
    cloud
}

/// What the lake is where nothing breaks, and how many calls that takes.
async fn unbroken(objects: &[Landed]) -> (LakeContents, u64) {
    let cloud = ready(objects).await;
    let process = cloud.process("only", Faults::none(), 1);
    cloud.settle(&process).await;
    assert_eq!(cloud.dead_letters(), 0);
    let lake = LakeContents::of(&cloud);
    assert_eq!(lake.objects().keys().filter(|key| key.starts_with("gold/stay/")).count(), 2, "both buckets are used");
    (lake, process.faults.calls())
}

/// Breaks every call of a run once; one fault must never bring a message to the dead letters.
async fn at_every_call(fault: Fault) {
    at_every_call_on(&landed::few(), fault).await;
    // A correction alone, and what it corrects after it: versions of one resource that go to two buckets.
    let [wrong, right] = landed::corrected().into_iter().take(2).collect::<Vec<_>>().try_into().expect("two");
    at_every_call_on(&[right, wrong], fault).await;
}

async fn at_every_call_on(objects: &[Landed], fault: Fault) {
    let (wanted, calls) = unbroken(objects).await;
    for call in 1..=calls {
        let cloud = ready(objects).await;
        let mut process = cloud.process("first", Faults::at(call, fault), 1);
        process.killed_at = matches!(fault, Fault::Crash | Fault::CrashAfter).then_some(call);
        cloud.settle(&process).await;
        if !process.is_alive() {
            cloud.settle(&cloud.process("second", Faults::none(), 1)).await;
        }
        assert_eq!(cloud.dead_letters(), 0, "{fault:?} at call {call}");
        LakeContents::of(&cloud).assert_same(&wanted, &format!("{fault:?} at call {call} of {calls}"));
    }
}

#[tokio::test]
async fn a_call_that_fails_changes_nothing_in_the_end() {
    at_every_call(Fault::Fail).await;
}

#[tokio::test]
async fn a_reply_that_is_lost_changes_nothing_in_the_end() {
    at_every_call(Fault::LoseReply).await;
}

#[tokio::test]
async fn a_kill_before_any_call_is_healed_by_redelivery() {
    at_every_call(Fault::Crash).await;
}

#[tokio::test]
async fn a_kill_after_any_call_is_healed_by_redelivery() {
    at_every_call(Fault::CrashAfter).await;
}

/// A process stalls before any of its calls for longer than its lease. Another one does everything; then the first goes
/// on where it was, with all that it had read before.
#[tokio::test(start_paused = true)]
async fn a_process_that_outlives_its_lease_does_no_harm_whenever_it_stalled() {
    let objects = landed::few();
    let (wanted, calls) = unbroken(&objects).await;
    for call in 1..=calls {
        let cloud = ready(&objects).await;
        let stalls = Faults::at(call, Fault::Delay(STALL));
        let (late, other) = (cloud.process("late", stalls, 1), cloud.process("other", Faults::none(), 1));
        let takes_over = async {
            while late.faults.calls() < call {
                tokio::task::yield_now().await;
            }
            cloud.let_messages_reappear();
            cloud.settle(&other).await;
            // The machine's time is paused: this is what the first waits for.
            tokio::time::advance(STALL).await;
        };
        tokio::join!(cloud.settle(&late), takes_over);
        assert_eq!(cloud.dead_letters(), 0, "stalled at call {call}");
        LakeContents::of(&cloud).assert_same(&wanted, &format!("stalled at call {call} of {calls}"));
    }
}

/// A process stalls before any of its calls, and meanwhile another one handles the correction of what it was at; then it
/// goes on with all that it had read before.
#[tokio::test(start_paused = true)]
async fn a_slower_writer_that_comes_after_a_correction_brings_nothing_back() {
    let objects: Vec<Landed> = landed::corrected().into_iter().take(2).collect();
    for (first, second) in [(&objects[0], &objects[1]), (&objects[1], &objects[0])] {
        let (wanted, _) = unbroken(&objects).await;
        let alone = ready(std::slice::from_ref(first)).await;
        let process = alone.process("only", Faults::none(), 1);
        alone.settle(&process).await;
        let calls = process.faults.calls();
        for call in 1..=calls {
            let cloud = ready(std::slice::from_ref(first)).await;
            let stalls = Faults::at(call, Fault::Delay(STALL));
            let (late, other) = (cloud.process("late", stalls, 1), cloud.process("other", Faults::none(), 1));
            let corrects = async {
                while late.faults.calls() < call {
                    tokio::task::yield_now().await;
                }
                cloud.land_and_notify(std::slice::from_ref(second)).await;
                for stage in STAGES {
                    cloud.invoke(&other, stage, 10).await;
                }
                // The machine's time is paused: this is what the first waits for.
                tokio::time::advance(STALL).await;
            };
            tokio::join!(cloud.settle(&late), corrects);
            cloud.settle(&other).await;
            assert_eq!(cloud.dead_letters(), 0, "stalled at call {call}");
            LakeContents::of(&cloud).assert_same(&wanted, &format!("stalled at call {call} of {calls}"));
        }
    }
}
