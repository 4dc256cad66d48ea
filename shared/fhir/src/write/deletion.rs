//! Deletions: entries of a history Bundle, which bulk exports and version histories have in common.

use super::line::Line;
use super::{Id, Meta};

/// A resource that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The resource's type, `Encounter` for example.
    pub resource_type: &'static str,
    /// Its logical id.
    pub id: Id,
    /// The version that says so: the one after the last content, and its time.
    pub meta: Meta,
}

/// Writes a deletion as one line: an entry of a Bundle of type `history`, in R4 and R5 alike.
pub fn write_deletion(out: &mut Vec<u8>, deletion: &Deletion) {
    let Deletion { resource_type, id, meta } = *deletion;
    let mut line = Line(out);
    line.raw(r#"{"fullUrl":"urn:uuid:"#).id(id).raw(r#"","request":{"method":"DELETE","url":""#);
    line.raw(resource_type).raw("/").id(id).raw(r#""},"response":{"status":"204 No Content","etag":"W/\"#);
    line.raw("\"").number(u64::from(meta.version)).raw(r#"\"","lastModified":"#).instant(meta.last_updated);
    line.raw("}").end();
}

/// Writes a Bundle of type `history` from entries, one a line.
pub fn write_history(out: &mut Vec<u8>, entries: &[u8]) {
    out.extend_from_slice(br#"{"resourceType":"Bundle","type":"history","entry":["#);
    let lines = entries.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    for (at, entry) in lines.enumerate() {
        out.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        out.extend_from_slice(entry);
    }
    out.extend_from_slice(b"\n]}\n");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::calendar::Instant;

    #[test]
    fn a_history_holds_its_deletions() {
        let (mut entries, mut out) = (Vec::new(), Vec::new());
        for (resource_type, id) in [("Encounter", Id(1)), ("Condition", Id(2))] {
            let meta = Meta { version: 3, last_updated: Instant(1_736_000_000_000_000) };
            write_deletion(&mut entries, &Deletion { resource_type, id, meta });
        }
        write_history(&mut out, &entries);
        let bundle: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&bundle["type"], bundle["entry"].as_array().unwrap().len()), (&json!("history"), 2));
        assert_eq!(
            bundle["entry"][0],
            json!({
                "fullUrl": "urn:uuid:00000000-0000-0000-0000-000000000001",
                "request": {"method": "DELETE", "url": "Encounter/00000000-0000-0000-0000-000000000001"},
                "response": {"status": "204 No Content", "etag": "W/\"3\"", "lastModified": "2025-01-04T14:13:20Z"}
            })
        );
    }
}
