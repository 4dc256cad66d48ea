//! Records that could not be read: kept whole, with where they came from and what was wrong with them.

use metriccare_fhir::read::{Fault, Rule};
use serde_json::json;

use super::{Origin, columns::columns};
use crate::bronze::records::Span;

columns! {
    /// Rows of `bronze/quarantine`.
    QuarantineRows for BRONZE_QUARANTINE;
    sourcename DictionaryColumn, line NumberColumn, resource_type DictionaryColumn, rule DictionaryColumn,
    reason DictionaryColumn, raw TextColumn, precombine_ts NumberColumn,
}

impl QuarantineRows {
    /// Appends a record. Up to `limit` bytes of UTF-8 stand in `raw` as they came; anything else, and no bytes, stays in the landed
    /// object, and `raw` says where: its offset and length there, once decompressed.
    pub(crate) fn append(
        &mut self,
        origin: Origin<'_>,
        span: &Span,
        record: Option<&[u8]>,
        resource_type: Option<&str>,
        fault: &Fault,
        limit: usize,
    ) {
        self.sourcename.append_value(origin.sourcename);
        self.line.append_value(span.line.try_into().unwrap_or(i64::MAX));
        self.resource_type.append_option(resource_type);
        self.rule.append_value(fault.rule.name());
        self.reason.append_value(&fault.reason);
        match record.map(std::str::from_utf8) {
            Some(Ok(text)) if text.len() <= limit && fault.rule != Rule::TooLarge => self.raw.append_value(text),
            _ => self.raw.append_value(json!({ "offset": span.offset, "length": span.length }).to_string()),
        }
        self.precombine_ts.append_value(origin.landed_micros);
    }
}
