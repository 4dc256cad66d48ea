//! The laws of the ports on S3 and DynamoDB, as moto and ministack have them.

mod client;
mod emulators;
mod lawful_ledger;
mod ledger_table;
mod python;

use std::{collections::BTreeSet, sync::Arc};

use aws_config::SdkConfig;
use emulators::Emulator;
use metriccare_aws::{Clients, GlueCatalog, S3Store, SqsQueue};
use metriccare_ports::{Catalog, Clock, ErrorKind, ObjectStore, Queue, SystemClock, conformance};

async fn bucket(config: &SdkConfig, name: &str) -> Arc<dyn ObjectStore> {
    let settings = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
    let created = aws_sdk_s3::Client::from_conf(settings).create_bucket().bucket(name).send().await;
    created.expect("a bucket");
    Arc::new(S3Store::new(&Clients::new(config), name))
}

async fn keep_versions(config: &SdkConfig, name: &str) {
    use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
    let settings = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
    let kept = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let put = aws_sdk_s3::Client::from_conf(settings).put_bucket_versioning().bucket(name);
    put.versioning_configuration(kept).send().await.expect("versions are kept");
}

async fn everything_is_lawful(emulator: &Emulator) {
    let config = client::config(emulator).await;
    let lake = bucket(&config, "conformance").await;
    conformance::store::all(&*lake, "s").await;
    conformance::store::long_lists_are_whole(&*lake, "s").await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    conformance::race::every_addition_counts(Arc::clone(&lake), clock, "s", 4, 5).await;
    conformance::race::one_of_many_is_first(Arc::clone(&lake), "s", 12).await;

    let kept = bucket(&config, "versions").await;
    keep_versions(&config, "versions").await;
    conformance::store::versions_are_kept_until_they_are_deleted(&*kept, "s").await;

    lawful_ledger::check(&config).await;
    partitions_are_made_known_once(&config).await;
    a_queue_delivers_until_it_is_acknowledged(&config).await;
    a_missing_bucket_is_no_missing_object(&config).await;
}

async fn partitions_are_made_known_once(config: &SdkConfig) {
    use aws_sdk_glue::types::{DatabaseInput, TableInput};
    let glue = aws_sdk_glue::Client::new(config);
    let database = DatabaseInput::builder().name("metriccare").build().expect("whole");
    glue.create_database().database_input(database).send().await.expect("a database");
    let column = aws_sdk_glue::types::Column::builder().name("hospital_name").r#type("string").build().expect("whole");
    let table = TableInput::builder().name("bronze_encounter").partition_keys(column).build().expect("whole");
    glue.create_table().database_name("metriccare").table_input(table).send().await.expect("a table");
    let place = "bronze/encounter/hospital_name=St. Mary%27s/";
    for _ in 0..2 {
        // Another process knows nothing of what this one has made known.
        let catalog = GlueCatalog::new(&Clients::new(config), "metriccare", "lake");
        for _ in 0..2 {
            catalog.ensure_partition("bronze_encounter", &["St. Mary's"], place).await.expect("known");
        }
    }
    let got = glue.get_partitions().database_name("metriccare").table_name("bronze_encounter").send().await;
    let partitions = got.expect("partitions").partitions.unwrap_or_default();
    assert_eq!(partitions.len(), 1);
    let storage = partitions[0].storage_descriptor().expect("storage");
    assert_eq!(storage.location(), Some("s3://lake/bronze/encounter/hospital_name=St. Mary%27s/"));
    assert!(storage.columns().len() > 20);
}

async fn a_queue_delivers_until_it_is_acknowledged(config: &SdkConfig) {
    let created = aws_sdk_sqs::Client::new(config).create_queue().queue_name("conformance").send().await;
    let queue = SqsQueue::new(&Clients::new(config), created.expect("a queue").queue_url.expect("its URL"));
    let id = queue.send("ö").await.expect("sent");
    let first = queue.receive(10).await.expect("received");
    assert_eq!((first.len(), first[0].id.as_str(), first[0].body.as_str(), first[0].receive_count), (1, &*id, "ö", 1));
    queue.postpone(&first[0].receipt, 0).await.expect("shown again");
    let second = queue.receive(10).await.expect("received");
    assert_eq!((second[0].id.as_str(), second[0].receive_count), (&*id, 2));
    queue.ack(&second[0].receipt).await.expect("acknowledged");
    assert_eq!(queue.receive(10).await.expect("received"), []);

    let sent: BTreeSet<String> = (0..23).map(|number| format!("message {number}")).collect();
    queue.send_all(&sent.iter().cloned().collect::<Vec<_>>()).await.expect("sent");
    let mut received = BTreeSet::new();
    while received.len() < sent.len() {
        let messages = queue.receive(10).await.expect("received");
        assert!(!messages.is_empty(), "{received:?} of {sent:?}");
        received.extend(messages.into_iter().map(|message| message.body));
    }
    assert_eq!(received, sent);
}

async fn a_missing_bucket_is_no_missing_object(config: &SdkConfig) {
    let store = S3Store::new(&Clients::new(config), "nobody-made-this-bucket");
    let error = store.get("a").await.expect_err("there is no bucket");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_is_lawful() {
    everything_is_lawful(&Emulator::moto(u32::MAX)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ministack_is_lawful() {
    everything_is_lawful(&Emulator::ministack()).await;
}
