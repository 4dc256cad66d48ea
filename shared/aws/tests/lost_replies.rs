//! Conditional writes over a connection that loses replies: what happened is found out by reading back, never guessed.

mod client;
mod emulators;
mod faulty_connection;
mod ledger_table;
mod python;

use std::sync::Arc;

use emulators::Emulator;
use faulty_connection::{Fault, FaultyConnection};
use metriccare_aws::{Clients, DynamoLedger, S3Store, SqsQueue};
use metriccare_ports::{Begin, ETag, ErrorKind, Ledger, ObjectStore, PutMode, Queue, Receipt, SystemClock, WorkId};

/// A store behind a faulty connection, and the same bucket by a way that loses nothing.
struct Bucket {
    faulty: FaultyConnection,
    ours: S3Store,
    theirs: S3Store,
}

impl Bucket {
    async fn of(emulator: &Emulator) -> Self {
        let sound = client::config(emulator).await;
        let settings = aws_sdk_s3::config::Builder::from(&sound).force_path_style(true).build();
        let created = aws_sdk_s3::Client::from_conf(settings).create_bucket().bucket("lost-replies").send().await;
        created.expect("a bucket");
        let faulty = FaultyConnection::to(emulator.address()).await;
        let way = sound.to_builder().endpoint_url(faulty.endpoint()).build();
        let store = |config| S3Store::new(&Clients::new(config), "lost-replies");
        Bucket { ours: store(&way), theirs: store(&sound), faulty }
    }

    async fn text(&self, key: &str) -> String {
        let bytes = self.theirs.get(key).await.expect("there").body.bytes().await.expect("a body");
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    /// Puts under these faults, and says what the put said; every fault has to be met.
    async fn put(&self, key: &str, text: &'static str, mode: PutMode, faults: &[Fault]) -> Result<String, ErrorKind> {
        self.faulty.plan("PUT", faults);
        let put = self.ours.put(key, text.into(), mode).await;
        assert_eq!(self.faulty.left(), 0, "faults that nothing met, at {key}");
        put.map(|etag| etag.to_string()).map_err(|error| error.kind())
    }
}

async fn a_lost_reply_is_read_back(bucket: &Bucket) {
    for faults in [&[Fault::ReplyLost][..], &[Fault::RequestLost], &[Fault::RequestLost, Fault::ReplyLost]] {
        let key = format!("read-back/{faults:?}");
        let first = bucket.put(&key, "first", PutMode::IfAbsent, faults).await.expect("ours");
        assert_eq!(bucket.text(&key).await, "first");
        let etag = bucket.theirs.head(&key).await.expect("there").etag;
        assert_eq!(first, etag.to_string(), "the ETag is that of what is there");
        bucket.put(&key, "second", PutMode::IfMatch(etag), faults).await.expect("ours again");
        assert_eq!(bucket.text(&key).await, "second");
    }
}

async fn somebody_elses_object_is_never_taken_for_ours(bucket: &Bucket) {
    for faults in [&[][..], &[Fault::ReplyLost], &[Fault::RequestLost]] {
        let key = format!("theirs/{faults:?}");
        let stale = bucket.theirs.put(&key, "theirs".into(), PutMode::IfAbsent).await.expect("put");
        // The very same bytes: an ETag alone would call the object ours.
        let refused = bucket.put(&key, "theirs", PutMode::IfAbsent, faults).await;
        assert_eq!(refused, Err(ErrorKind::Precondition), "{faults:?}");
        bucket.theirs.put(&key, "theirs, later".into(), PutMode::Overwrite).await.expect("put");
        let refused = bucket.put(&key, "ours", PutMode::IfMatch(stale), faults).await;
        assert_eq!(refused, Err(ErrorKind::Precondition), "{faults:?}");
        assert_eq!(bucket.text(&key).await, "theirs, later");
    }
}

async fn an_unknown_outcome_is_reported(bucket: &Bucket) {
    let lost = vec![Fault::RequestLost; 3];
    let doubt = bucket.put("doubt", "ours", PutMode::IfAbsent, &lost).await;
    assert_eq!(doubt, Err(ErrorKind::Unavailable));
    assert_eq!(bucket.theirs.head("doubt").await.expect_err("never arrived").kind(), ErrorKind::NotFound);
}

async fn a_status_says_what_to_do(bucket: &Bucket) {
    let key = "status";
    for mode in [PutMode::IfAbsent, PutMode::IfMatch(ETag::new("0123"))] {
        // Two writes met and neither was judged: not the same as a condition that did not hold, and for the caller to try again.
        let conflict = Fault::Answered(409, "ConditionalRequestConflict");
        assert_eq!(bucket.put(key, "x", mode.clone(), &[conflict]).await, Err(ErrorKind::Conflict));
        let precondition = Fault::Answered(412, "PreconditionFailed");
        assert_eq!(bucket.put(key, "x", mode.clone(), &[precondition]).await, Err(ErrorKind::Precondition));
        let missing = Fault::Answered(404, "NoSuchKey");
        assert_eq!(bucket.put(key, "x", mode.clone(), &[missing]).await, Err(ErrorKind::NotFound));
        let forbidden = Fault::Answered(403, "AccessDenied");
        assert_eq!(bucket.put(key, "x", mode.clone(), &[forbidden]).await, Err(ErrorKind::Forbidden));
    }
    // Too fast, and then not: it had not happened, so it is done now.
    let slow = Fault::Answered(503, "SlowDown");
    bucket.put(key, "x", PutMode::IfAbsent, &[slow.clone(), slow]).await.expect("in the end");
    assert_eq!(bucket.ours.get("nothing").await.expect_err("missing").kind(), ErrorKind::NotFound);
}

async fn a_ledgers_lost_replies_are_harmless(emulator: &Emulator) {
    let sound = client::config(emulator).await;
    ledger_table::create(&sound, "lost-replies").await;
    let faulty = FaultyConnection::to(emulator.address()).await;
    let way = sound.to_builder().endpoint_url(faulty.endpoint()).build();
    let ledger = DynamoLedger::new(&Clients::new(&way), "lost-replies", 90, Arc::new(SystemClock));

    let work = WorkId::new("lost", "bucket", "key", "etag", 0);
    faulty.plan("POST", &[Fault::ReplyLost]);
    let Begin::Claimed(claim) = ledger.begin(&work, "one", 0, 1000).await.expect("an answer") else {
        panic!("the claim whose reply was lost is ours")
    };
    assert_eq!(claim.attempt, 1);
    faulty.plan("POST", &[Fault::ReplyLost]);
    let receipt = Receipt { output: "out".into(), digest: "digest".into(), rows: 1 };
    ledger.complete(&claim, &receipt).await.expect("said twice");
    faulty.plan("POST", &[Fault::ReplyLost]);
    assert_eq!(ledger.begin(&work, "two", 5000, 6000).await.expect("an answer"), Begin::Done(receipt));
    assert_eq!(faulty.left(), 0);
}

async fn what_a_queue_could_not_take_is_sent_again(emulator: &Emulator) {
    let sound = client::config(emulator).await;
    let created = aws_sdk_sqs::Client::new(&sound).create_queue().queue_name("lost-replies").send().await;
    let url = created.expect("a queue").queue_url.expect("its URL");
    let faulty = FaultyConnection::to(emulator.address()).await;
    let way = sound.to_builder().endpoint_url(faulty.endpoint()).build();
    let (ours, theirs) = (SqsQueue::new(&Clients::new(&way), &url), SqsQueue::new(&Clients::new(&sound), &url));

    // Of three messages, the answer says, two were taken; the third is too fast twice before it arrives.
    let taken = |id| format!(r#"{{"Id":"{id}","MessageId":"m{id}","MD5OfMessageBody":""}}"#);
    let refused = r#"{"Id":"1","Code":"ThrottlingException","Message":"too fast","SenderFault":false}"#;
    let some = format!(r#"{{"Successful":[{},{}],"Failed":[{refused}]}}"#, taken(0), taken(2));
    let none = format!(r#"{{"Successful":[],"Failed":[{refused}]}}"#);
    faulty.plan("POST", &[Fault::Replied(some), Fault::Replied(none)]);
    ours.send_all(&["zero".into(), "one".into(), "two".into()]).await.expect("sent");
    assert_eq!(faulty.left(), 0);
    let arrived: Vec<String> = theirs.receive(10).await.expect("received").into_iter().map(|got| got.body).collect();
    assert_eq!(arrived, ["one"], "what was taken is not sent a second time");

    let ours_to_blame = r#"{"Successful":[],"Failed":[{"Id":"0","Code":"InvalidMessageContents","SenderFault":true}]}"#;
    faulty.plan("POST", &[Fault::Replied(ours_to_blame.into())]);
    let error = ours.send_all(&["zero".into()]).await.expect_err("it can never succeed");
    assert_eq!((error.kind(), faulty.left()), (ErrorKind::Invalid, 0), "{error}");
}

async fn nothing_is_lost_for_good(emulator: &Emulator) {
    let bucket = Bucket::of(emulator).await;
    a_lost_reply_is_read_back(&bucket).await;
    somebody_elses_object_is_never_taken_for_ours(&bucket).await;
    an_unknown_outcome_is_reported(&bucket).await;
    a_status_says_what_to_do(&bucket).await;
    a_ledgers_lost_replies_are_harmless(emulator).await;
    what_a_queue_could_not_take_is_sent_again(emulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_moto_nothing_is_lost_for_good() {
    nothing_is_lost_for_good(&Emulator::moto(u32::MAX)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_ministack_nothing_is_lost_for_good() {
    nothing_is_lost_for_good(&Emulator::ministack()).await;
}
