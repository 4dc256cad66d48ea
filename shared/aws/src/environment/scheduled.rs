//! What a schedule asks of a stage apart from messages: a reconciliation with the layer below it, and bronze's compaction.

use std::sync::Arc;

use metriccare_flow::{
    CompactOptions, CompactReport, FlowError, RetryReason, Upstream, Window, Worker, compact, find_missing,
};
use serde_json::{Value, json};

use super::Environment;
use crate::telemetry::Metrics;

/// The field of a scheduled event that asks for a reconciliation.
const RECONCILE: &str = "reconcile";

/// The field of a scheduled event that asks for bronze's small files to be compacted.
const COMPACT: &str = "compact";

/// A reconciliation looks at what was written in so many microseconds: longer than the two weeks that a queue keeps a message.
const RECONCILED_MICROS: i64 = 21 * 24 * 3_600_000_000;

/// What was written in so many microseconds before is not looked at yet.
const ON_ITS_WAY_MICROS: i64 = 3_600_000_000;

/// What a scheduled event asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScheduledTask {
    /// To notify the function of the objects of this layer that it has not worked on.
    Reconcile(Upstream),
    /// To compact bronze's small files.
    Compact,
}

impl ScheduledTask {
    /// What an event asks of the stage above a layer; none where it is not such an event.
    pub(super) fn of(layer: Upstream, event: &Value) -> Option<Self> {
        if event.get(RECONCILE).is_some() {
            Some(ScheduledTask::Reconcile(layer))
        } else if layer == Upstream::Landing && event.get(COMPACT).is_some() {
            Some(ScheduledTask::Compact)
        } else {
            None
        }
    }

    fn name(self) -> &'static str {
        match self {
            ScheduledTask::Reconcile(_) => RECONCILE,
            ScheduledTask::Compact => COMPACT,
        }
    }
}

impl Environment {
    /// Does what a scheduled event asks for.
    pub(super) async fn perform(
        &self,
        worker: &Arc<Worker>,
        task: ScheduledTask,
        metrics: &mut Metrics,
    ) -> Result<Value, RetryReason> {
        let done = match task {
            ScheduledTask::Reconcile(layer) => self.reconcile(worker, layer, metrics).await,
            ScheduledTask::Compact => {
                compact(worker, &CompactOptions::default()).await.map(|report| compacted(&report, metrics))
            }
        };
        done.map_err(|error| RetryReason::Failed { key: task.name().to_owned(), error: error.into() })
    }

    /// Notifies the function of the objects of a layer that it has not worked on: those of the last weeks, apart from what was
    /// written within the hour, which is still on its way.
    async fn reconcile(
        &self,
        worker: &Arc<Worker>,
        layer: Upstream,
        metrics: &mut Metrics,
    ) -> Result<Value, FlowError> {
        let now = self.ports.clock.now_micros();
        let window = Window {
            // Buckets are few, and one that nothing has changed for long may be of older rules.
            from_micros: if layer == Upstream::Silver { i64::MIN } else { now - RECONCILED_MICROS },
            until_micros: now - ON_ITS_WAY_MICROS,
        };
        let found = find_missing(worker, layer, window).await?;
        if let Some(queue) = &self.queue {
            queue.send_all(&layer.notifications(worker, &found)).await?;
        }
        let missing = found.missing.len() as u64;
        metrics.add("ObjectsReconciled", missing);
        if missing > 0 {
            tracing::warn!(looked_at = found.looked_at, missing, "notified of objects that were not worked on");
        }
        Ok(json!({ "looked_at": found.looked_at, "notified": missing }))
    }
}

/// Logs and counts what a compaction did.
fn compacted(report: &CompactReport, metrics: &mut Metrics) -> Value {
    metrics.add("PartitionsCompacted", report.served as u64);
    let CompactReport { begun, served, replaced, done, under_way, is_busy, .. } = *report;
    tracing::info!(begun, served, replaced, done, under_way, is_busy, "compacted bronze");
    json!({ "begun": begun, "served": served, "replaced": replaced, "done": done, "under_way": under_way })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metriccare_flow::{Bronze, Gold};
    use metriccare_ports::{Clock, PutMode, Queue};

    use super::*;
    use crate::environment::tests::environment;

    #[tokio::test]
    async fn a_scheduled_reconciliation_notifies_the_function_of_what_it_missed() {
        let (environment, queue, clock) = environment();
        let patient = r#"{"resourceType":"Patient","id":"p"}"#;
        environment.ports.landing.put("patient/p.json", patient.into(), PutMode::IfAbsent).await.expect("memory");
        let ask = async || {
            let deadline = environment.ports.clock.now_millis() + 60_000;
            environment.answer(&Bronze, json!({ "reconcile": true }), "r", deadline).await
        };
        let (early, _) = ask().await;
        assert_eq!(early.expect("memory"), json!({ "looked_at": 0, "notified": 0 }), "it may still be on its way");
        clock.advance(Duration::from_secs(7200));
        let (answer, metrics) = ask().await;
        assert_eq!(answer.expect("memory"), json!({ "looked_at": 1, "notified": 1 }));
        assert!(metrics.line("n", "INFO", "bronze", "r", 0).contains(r#""ObjectsReconciled":1"#));

        let messages = queue.receive(10).await.expect("memory");
        let batch = metriccare_flow::event::sqs_batch("bronze", &messages, 0);
        let deadline = clock.now_millis() + 60_000;
        let (answer, _) = environment.answer(&Bronze, batch, "r", deadline).await;
        assert_eq!(answer.expect("memory"), json!({ "batchItemFailures": [] }));
        assert_eq!(ask().await.0.expect("memory"), json!({ "looked_at": 1, "notified": 0 }), "nothing is missing now");
        let (gold, _) = environment.answer(&Gold, json!({ "reconcile": true }), "r", deadline).await;
        assert_eq!(gold.expect("memory"), json!({ "looked_at": 0, "notified": 0 }));
    }

    #[tokio::test]
    async fn a_scheduled_compaction_is_done_step_by_step() {
        let (environment, _, clock) = environment();
        for number in 0..40 {
            let patient = format!(r#"{{"resourceType":"Patient","id":"p{number}"}}"#);
            let key = format!("patient/{number}.json");
            environment.ports.landing.put(&key, patient.into(), PutMode::IfAbsent).await.expect("memory");
        }
        let driven = metriccare_flow::drive(&environment.worker("r", i64::MAX), &metriccare_flow::Unwatched).await;
        assert!(driven.expect("memory").failed.is_empty());
        let mut answers = Vec::new();
        for _ in 0..4 {
            let deadline = environment.ports.clock.now_millis() + 300_000;
            let (answer, metrics) = environment.answer(&Bronze, json!({ "compact": true }), "r", deadline).await;
            answers.push(answer.expect("memory"));
            assert!(metrics.line("n", "INFO", "bronze", "r", 0).contains("PartitionsCompacted"));
            clock.advance(Duration::from_secs(86_460));
        }
        let answer = |begun, served, replaced, done, under_way| json!({ "begun": begun, "served": served, "replaced": replaced, "done": done, "under_way": under_way });
        let should = [answer(2, 0, 0, 0, 2), answer(0, 2, 0, 0, 2), answer(0, 0, 2, 0, 2), answer(0, 0, 0, 2, 0)];
        assert_eq!(answers, should, "patients and the ingest log");
        assert_eq!(environment.ports.lake.list("bronze/patient/").await.expect("memory").len(), 1);
    }
}
