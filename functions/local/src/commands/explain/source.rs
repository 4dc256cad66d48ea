//! Where a version of a resource stands in the object that brought it.

use std::io::Read;

use metriccare_fhir::read::{Bundle, Entry, resource};
use metriccare_flow::Worker;
use metriccare_lake::{
    bronze::{
        Limits,
        records::{Hints, Records, SpanKind},
    },
    keys,
};

/// The line of a landed object on which a resource with these bytes begins; none where the object is gone or has another
/// version by now.
pub(super) async fn line(worker: &Worker, key: &str, content_id: &str) -> Option<u64> {
    let body = worker.ports.landing.get(key).await.ok()?.body;
    let reader = body.into_reader(&tokio::runtime::Handle::current());
    let (key, content_id) = (key.to_owned(), content_id.to_owned());
    tokio::task::spawn_blocking(move || search(&key, &content_id, reader)).await.ok().flatten()
}

fn search(key: &str, content_id: &str, reader: Box<dyn Read + Send>) -> Option<u64> {
    // A resource may be in a Bundle whose type comes after its entries; its line is the same either way.
    let mut records = Records::open(key, reader, Limits::default(), Hints::default()).ok()?;
    while let Ok(Some(chunk)) = records.next_chunk() {
        for span in &chunk.spans {
            let Some(text) = chunk.bytes.get(span.bytes.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok())
            else {
                continue;
            };
            if !matches!(span.kind, SpanKind::Broken(..)) && holds(text, span.kind, content_id) {
                return Some(span.line);
            }
        }
    }
    None
}

fn holds(text: &str, kind: SpanKind, content_id: &str) -> bool {
    let is = |text: &str| keys::content_id(text.as_bytes()) == content_id;
    let in_entry = |text: &str| {
        resource::read::<Entry<'_>>(text).ok().and_then(|entry| entry.resource).is_some_and(|found| is(found.get()))
    };
    match kind {
        SpanKind::Entry => in_entry(text),
        _ if is(text) => true,
        // Only a Bundle that is small enough to be one record holds others.
        _ if text.contains("\"Bundle\"") => resource::read::<Bundle<'_>>(text)
            .is_ok_and(|bundle| bundle.entry.unwrap_or_default().list.iter().any(|entry| in_entry(entry.get()))),
        _ => false,
    }
}
