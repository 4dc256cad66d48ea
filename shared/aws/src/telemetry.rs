//! The log and the metrics of a function, on standard output, where Lambda picks them up.
//!
//! The log is one JSON object a line. Metrics are lines of CloudWatch's embedded metric format: such an object has to be
//! the whole line, so it goes around the log's formatter. Dimensions are few (the stage); what differs between messages
//! is a property. Keys may hold personal data and are logged as digests.

use std::{any::Any, io::Write};

use serde_json::{Map, Value, json};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts the log: our own lines from `level` on, everybody else's from warnings on. Panics are logged as well.
pub fn start(level: &str) {
    let level = level.parse().unwrap_or(tracing::Level::INFO);
    let ours = ["metriccare_aws", "metriccare_flow", "generator", "bronze", "silver", "gold"];
    let targets = Targets::new().with_default(tracing::Level::WARN).with_targets(ours.map(|name| (name, level)));
    let format = tracing_subscriber::fmt::layer().json().with_writer(std::io::stdout);
    // A second start, as in tests, keeps the first one's log.
    let _ = tracing_subscriber::registry().with(targets).with(format).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let said = panic_text(panic.payload());
        tracing::error!(place, said, "panicked");
    }));
}

/// What a panic says where it is a text of the code. One that was put together may quote what was worked on: the standard
/// library's quotes the text that was cut within a letter.
fn panic_text(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("a message with values, which is not logged")
}

/// Counts of one invocation, for CloudWatch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    counts: Map<String, Value>,
}

impl Metrics {
    /// Adds to a count, which is there from then on even where nothing was added.
    pub fn add(&mut self, name: &str, count: u64) {
        let sum = self.counts.get(name).and_then(Value::as_u64).unwrap_or_default() + count;
        self.counts.insert(name.to_owned(), sum.into());
    }

    /// The line that CloudWatch reads the counts from.
    ///
    /// Lambda drops lines below the function's log level and takes a line without a level for INFO, so the line says the
    /// least level that is logged: no log level silences the metrics.
    pub fn line(&self, namespace: &str, level: &str, stage: &str, request_id: &str, now_millis: i64) -> String {
        let names: Vec<Value> = self.counts.keys().map(|name| json!({ "Name": name, "Unit": "Count" })).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": now_millis,
                "CloudWatchMetrics": [{ "Namespace": namespace, "Dimensions": [["Stage"]], "Metrics": names }],
            },
            "level": level,
            "Stage": stage,
            "requestId": request_id,
        });
        for (name, count) in &self.counts {
            line[name.as_str()] = count.clone();
        }
        line.to_string()
    }

    /// Writes the line.
    pub fn write(&self, namespace: &str, level: &str, stage: &str, request_id: &str, now_millis: i64) {
        let line = self.line(namespace, level, stage, request_id, now_millis);
        // Without standard output nobody can read it.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panics_values_are_not_logged() {
        let text = |panics: fn()| panic_text(&*std::panic::catch_unwind(panics).expect_err("it panics"));
        assert_eq!(text(|| panic!("no row is left")), "no row is left");
        let cut = text(|| drop(std::hint::black_box("Zo\u{eb}")[..3].to_owned()));
        assert_eq!(cut, "a message with values, which is not logged");
    }

    #[test]
    fn the_metrics_are_the_whole_line_and_stand_at_its_root() {
        let mut metrics = Metrics::default();
        metrics.add("MessagesDone", 2);
        metrics.add("MessagesDone", 1);
        metrics.add("MessagesFailed", 0);
        let line = metrics.line("metriccare", "ERROR", "bronze", "r", 7);
        assert!(!line.contains('\n'));
        let line: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(
            (&line["MessagesDone"], &line["MessagesFailed"], &line["Stage"], &line["level"]),
            (&json!(3), &json!(0), &json!("bronze"), &json!("ERROR"))
        );
        let named = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(named["Dimensions"], json!([["Stage"]]));
        assert_eq!(named["Metrics"].as_array().map(Vec::len), Some(2));
    }
}
