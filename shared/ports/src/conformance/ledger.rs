//! What every ledger must do.

use std::collections::BTreeMap;

use crate::{Begin, Claim, ErrorKind, Ledger, Receipt, WorkId, ledger::State};

/// Every sequential law of a ledger.
pub async fn all(ledger: &dyn Ledger, scope: &str) {
    a_work_is_claimed_once_until_its_lease_ends(ledger, scope).await;
    the_late_are_fenced(ledger, scope).await;
    done_stays_done(ledger, scope).await;
    rejected_stays_rejected(ledger, scope).await;
    a_failure_frees_the_work_at_once(ledger, scope).await;
    repeats_after_lost_replies_are_harmless(ledger, scope).await;
    a_lease_must_have_a_length(ledger, scope).await;
    the_first_holder_stays(ledger, scope).await;
}

async fn claimed(ledger: &dyn Ledger, work: &WorkId, owner: &str, now: i64, until: i64) -> Claim {
    match ledger.begin(work, owner, now, until).await.expect("an answer") {
        Begin::Claimed(claim) => claim,
        other => panic!("{work} is free, and yet: {other:?}"),
    }
}

fn receipt(rows: u64) -> Receipt {
    Receipt { output: "bronze/_commits/ö.json".into(), digest: "d41d8cd9".into(), rows }
}

fn work(scope: &str, law: &str) -> WorkId {
    WorkId::new("conformance", scope, law, "etag", 0)
}

/// A claimed work is busy to others up to the last millisecond of its lease; then it is the next attempt's.
pub async fn a_work_is_claimed_once_until_its_lease_ends(ledger: &dyn Ledger, scope: &str) {
    let work = work(scope, "claim");
    assert_eq!(ledger.look(&work).await.expect("an answer"), None);
    let first = claimed(ledger, &work, "first", 1_000, 2_000).await;
    assert_eq!(first, Claim { work: work.clone(), owner: "first".into(), attempt: 1, takes_over: false });
    let busy = ledger.begin(&work, "second", 1_999, 3_000).await.expect("an answer");
    assert_eq!(busy, Begin::Busy { until_millis: 2_000 });
    assert_eq!(claimed(ledger, &work, "second", 2_000, 3_000).await.attempt, 2);
    let record = ledger.look(&work).await.expect("an answer").expect("known");
    assert_eq!((record.owner.as_str(), record.attempt), ("second", 2));
    assert_eq!(record.state, State::InProgress { lease_until_millis: 3_000 });
}

/// Whoever lost the lease can end nothing; a holder whose lease lapsed unclaimed still can.
pub async fn the_late_are_fenced(ledger: &dyn Ledger, scope: &str) {
    let work = work(scope, "fence");
    let late = claimed(ledger, &work, "first", 0, 10).await;
    let holder = claimed(ledger, &work, "second", 10, 20).await;
    for refused in [
        ledger.complete(&late, &receipt(1)).await,
        ledger.reject(&late, "no").await,
        ledger.fail(&late, "no").await,
        ledger.complete(&Claim { owner: "second".into(), ..late.clone() }, &receipt(1)).await,
        ledger.complete(&Claim { attempt: 2, ..late.clone() }, &receipt(1)).await,
    ] {
        let error = refused.expect_err("fenced");
        assert_eq!(error.kind(), ErrorKind::LeaseLost, "{error}");
        assert!(!error.retryable());
    }
    ledger.complete(&holder, &receipt(2)).await.expect("the holder ends it");
    let unknown = Claim { work: self::work(scope, "never begun"), owner: "x".into(), attempt: 1, takes_over: false };
    let error = ledger.complete(&unknown, &receipt(1)).await.expect_err("never begun");
    assert_eq!(error.kind(), ErrorKind::LeaseLost, "{error}");
}

/// A completed work is never claimed again, and its receipt comes back as it was given.
pub async fn done_stays_done(ledger: &dyn Ledger, scope: &str) {
    let work = work(scope, "done");
    let claim = claimed(ledger, &work, "first", 0, 10).await;
    ledger.complete(&claim, &receipt(7)).await.expect("completed");
    for now in [5, 10, 1_000_000_000_000] {
        let answer = ledger.begin(&work, "later", now, now + 10).await.expect("an answer");
        assert_eq!(answer, Begin::Done(receipt(7)));
    }
    for refused in [ledger.fail(&claim, "no").await, ledger.complete(&claim, &receipt(8)).await] {
        assert_eq!(refused.expect_err("it has ended").kind(), ErrorKind::LeaseLost);
    }
    assert_eq!(
        ledger.look(&work).await.expect("an answer").expect("known").state,
        State::Completed { receipt: receipt(7) }
    );
}

/// A rejected work is never claimed again, and says why.
pub async fn rejected_stays_rejected(ledger: &dyn Ledger, scope: &str) {
    let work = work(scope, "rejected");
    let claim = claimed(ledger, &work, "first", 0, 10).await;
    ledger.reject(&claim, "not FHIR: „ü“").await.expect("rejected");
    let answer = ledger.begin(&work, "later", 100, 200).await.expect("an answer");
    assert_eq!(answer, Begin::Rejected("not FHIR: „ü“".into()));
    assert_eq!(ledger.complete(&claim, &receipt(1)).await.expect_err("it has ended").kind(), ErrorKind::LeaseLost);
}

/// After a failure the next attempt need not wait for the lease, and the history keeps its count.
pub async fn a_failure_frees_the_work_at_once(ledger: &dyn Ledger, scope: &str) {
    let work = work(scope, "failed");
    for attempt in 1..=3 {
        let claim = claimed(ledger, &work, &format!("try {attempt}"), 0, 1_000_000).await;
        assert_eq!(claim.attempt, attempt);
        ledger.fail(&claim, "out of reach").await.expect("given back");
        let state = ledger.look(&work).await.expect("an answer").expect("known").state;
        assert_eq!(state, State::Failed { why: "out of reach".into() });
    }
}

/// The same owner may begin twice and the same claim may end twice, as after a reply that was lost.
pub async fn repeats_after_lost_replies_are_harmless(ledger: &dyn Ledger, scope: &str) {
    let work = work(scope, "repeat");
    let claim = claimed(ledger, &work, "first", 0, 10).await;
    assert_eq!(claimed(ledger, &work, "first", 1, 11).await, claim);
    ledger.complete(&claim, &receipt(1)).await.expect("completed");
    ledger.complete(&claim, &receipt(1)).await.expect("said again");
}

/// A lease that ends before it begins is refused, instead of locking nothing or for ever.
pub async fn a_lease_must_have_a_length(ledger: &dyn Ledger, scope: &str) {
    let work = work(scope, "length");
    for until in [1_000, 999, 0] {
        let error = ledger.begin(&work, "first", 1_000, until).await.expect_err("no lease");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert_eq!(ledger.look(&work).await.expect("an answer"), None);
}

/// The object that first brought a content stays the first.
pub async fn the_first_holder_stays(ledger: &dyn Ledger, scope: &str) {
    let content = format!("{scope}-first-holder");
    for object in ["a", "b", "a"] {
        assert_eq!(ledger.first_holder(&content, object).await.expect("a name"), "a");
    }
    assert_eq!(ledger.first_holder(&format!("{content}-other"), "b").await.expect("a name"), "b");
}

/// One move of one of several workers on one work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// The worker claims the work for so many milliseconds.
    Begin {
        /// Who.
        worker: u8,
        /// For how long.
        lease_millis: u8,
    },
    /// The worker completes the last claim it got, whether or not it still holds it.
    Complete(u8),
    /// The worker rejects the last claim it got.
    Reject(u8),
    /// The worker fails the last claim it got.
    Fail(u8),
    /// Time passes.
    Wait(u8),
}

/// The law of any interleaving: attempts are claimed one by one, each by one owner; each ends at most once, by its own
/// owner, before the next is claimed; and nothing follows a completion or a rejection.
pub async fn any_interleaving_is_lawful(ledger: &dyn Ledger, scope: &str, moves: &[Move]) {
    let work = work(scope, "interleaving");
    let mut held: BTreeMap<u8, Claim> = BTreeMap::new();
    let (mut now, mut last_attempt, mut lease_end) = (0_i64, 0_u32, 0_i64);
    // How the last attempt ended, if it has.
    let mut ended: Option<State> = None;
    for (number, step) in moves.iter().enumerate() {
        let (worker, state) = match *step {
            Move::Wait(millis) => {
                now += i64::from(millis);
                continue;
            }
            Move::Begin { worker, lease_millis } => {
                let (owner, until) = (format!("worker {worker}, move {number}"), now + 1 + i64::from(lease_millis));
                let answer = ledger.begin(&work, &owner, now, until).await.expect("an answer");
                let free = last_attempt == 0
                    || matches!(ended, Some(State::Failed { .. }))
                    || (ended.is_none() && lease_end <= now);
                match (answer, &ended) {
                    (Begin::Claimed(claim), _) => {
                        assert!(free, "claimed while held or ended, at move {number} of {moves:?}");
                        assert_eq!((claim.attempt, &claim.owner), (last_attempt + 1, &owner));
                        (last_attempt, lease_end, ended) = (claim.attempt, until, None);
                        held.insert(worker, claim);
                    }
                    (Begin::Busy { until_millis }, None) => assert!(!free && until_millis == lease_end),
                    (Begin::Done(receipt), Some(State::Completed { receipt: said })) => assert_eq!(receipt, *said),
                    (Begin::Rejected(reason), Some(State::Rejected { reason: said })) => assert_eq!(reason, *said),
                    (answer, ended) => panic!("{answer:?} after {ended:?}, at move {number} of {moves:?}"),
                }
                continue;
            }
            Move::Complete(worker) => (worker, State::Completed { receipt: receipt(number as u64) }),
            Move::Reject(worker) => (worker, State::Rejected { reason: number.to_string() }),
            Move::Fail(worker) => (worker, State::Failed { why: number.to_string() }),
        };
        let Some(claim) = held.get(&worker) else { continue };
        let answer = match &state {
            State::Completed { receipt } => ledger.complete(claim, receipt).await,
            State::Rejected { reason } => ledger.reject(claim, reason).await,
            State::Failed { why } => ledger.fail(claim, why).await,
            State::InProgress { .. } => unreachable!("no move ends so"),
        };
        if claim.attempt == last_attempt && ended.is_none() {
            answer.expect("the holder ends its attempt");
            ended = Some(state);
        } else {
            assert_eq!(answer.expect_err("fenced").kind(), ErrorKind::LeaseLost, "at move {number} of {moves:?}");
        }
    }
}
