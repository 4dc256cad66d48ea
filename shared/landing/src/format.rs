//! The forms of a file of resources: NDJSON, a JSON array, a Bundle; each also gzipped.
//!
//! A file is tens of megabytes, and fresh memory of that size is slow to come by: bytes are handed on instead of copied
//! where that can be, and the memory comes back for the next range.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use metriccare_fhir::write::write_history;
use metriccare_world::{FaultBatch, Resources};

use crate::{Failure, Format};

/// The folders of the three types.
const KINDS: [&str; 3] = ["patient", "encounter", "condition"];

/// A file to be.
pub(super) struct Written {
    /// The folder that it belongs to: its resource type, or `bundle`.
    pub(super) kind: &'static str,
    /// The end of its name.
    pub(super) ending: String,
    pub(super) bytes: Bytes,
    /// How many resources it holds.
    pub(super) records: u64,
    /// Where its memory came from, and goes back to.
    pub(super) memory: Memory,
}

/// Where a file's memory came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// The lines of this type.
    Lines(usize),
    /// The packer's own, of this type.
    Packer(usize),
    /// It is the file's alone.
    Own,
}

/// Packs resources into files, in memory that is used again.
#[derive(Debug, Default)]
pub(super) struct Packer {
    forms: [Vec<u8>; 3],
}

impl Packer {
    /// Packs a range's resources into files; types without resources make none. What becomes a file as it is, is taken
    /// out of the resources.
    pub(super) fn pack(
        &mut self,
        resources: &mut Resources,
        format: Format,
        gzip: bool,
    ) -> Result<Vec<Written>, Failure> {
        let records = resources.clean;
        if format == Format::Bundle {
            let all = records.iter().sum();
            if all == 0 {
                return Ok(Vec::new());
            }
            bundle(&mut self.forms[0], [&resources.patient, &resources.encounter, &resources.condition]);
            return Ok(vec![self.written(0, "bundle", ".json", all, gzip)?]);
        }
        let some = (0..3).filter(|&kind| records[kind] > 0);
        some.map(|kind| match format {
            Format::Ndjson if gzip => {
                let bytes = compress(lines_of(resources, kind))?.into();
                let ending = ".ndjson.gz".to_owned();
                Ok(Written { kind: KINDS[kind], ending, bytes, records: records[kind], memory: Memory::Own })
            }
            Format::Ndjson => {
                let bytes = std::mem::take(lines_of(resources, kind)).into();
                let (ending, memory) = (".ndjson".to_owned(), Memory::Lines(kind));
                Ok(Written { kind: KINDS[kind], ending, bytes, records: records[kind], memory })
            }
            Format::Json | Format::Bundle => {
                array(&mut self.forms[kind], lines_of(resources, kind));
                self.written(kind, KINDS[kind], ".json", records[kind], gzip)
            }
        })
        .collect()
    }

    /// A file of one of the packer's forms.
    fn written(
        &mut self,
        form: usize,
        kind: &'static str,
        ending: &str,
        records: u64,
        gzip: bool,
    ) -> Result<Written, Failure> {
        let (ending, bytes, memory) = if gzip {
            (format!("{ending}.gz"), compress(&self.forms[form])?.into(), Memory::Own)
        } else {
            (ending.to_owned(), std::mem::take(&mut self.forms[form]).into(), Memory::Packer(form))
        };
        Ok(Written { kind, ending, bytes, records, memory })
    }

    /// Takes a file's memory back, unless somebody still holds on to it.
    pub(super) fn take_back(&mut self, resources: &mut Resources, memory: Memory, bytes: Bytes) {
        let place = match memory {
            Memory::Lines(kind) => lines_of(resources, kind),
            Memory::Packer(form) => &mut self.forms[form],
            Memory::Own => return,
        };
        if let Ok(mut bytes) = bytes.try_into_mut() {
            bytes.clear();
            *place = bytes.into();
        }
    }
}

/// A batch of records with faults as a file of lines, whatever the format of the rest: in an array or a Bundle, a record that ends too
/// early would take those behind it along.
pub(super) fn pack_batch(kind: usize, batch: &FaultBatch, gzip: bool) -> Result<Written, Failure> {
    let (ending, bytes) = if gzip { (".ndjson.gz", compress(&batch.lines)?) } else { (".ndjson", batch.lines.clone()) };
    let (ending, bytes) = (ending.to_owned(), bytes.into());
    Ok(Written { kind: KINDS[kind], ending, bytes, records: batch.accepted, memory: Memory::Own })
}

/// The deletions as one Bundle, whatever the format of the rest: nothing else can say them.
pub(super) fn pack_deletions(resources: &Resources, gzip: bool) -> Result<Written, Failure> {
    let mut bytes = Vec::with_capacity(resources.deletions.len() + 100);
    write_history(&mut bytes, &resources.deletions);
    let (ending, bytes) = if gzip { (".json.gz", compress(&bytes)?) } else { (".json", bytes) };
    let (kind, ending, bytes) = ("bundle", ending.to_owned(), bytes.into());
    Ok(Written { kind, ending, bytes, records: resources.deleted, memory: Memory::Own })
}

fn lines_of(resources: &mut Resources, kind: usize) -> &mut Vec<u8> {
    match kind {
        0 => &mut resources.patient,
        1 => &mut resources.encounter,
        _ => &mut resources.condition,
    }
}

fn lines(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn array(bytes: &mut Vec<u8>, resources: &[u8]) {
    bytes.clear();
    for (at, line) in lines(resources).enumerate() {
        bytes.extend_from_slice(if at == 0 { b"[\n" } else { b",\n" });
        bytes.extend_from_slice(line);
    }
    bytes.extend_from_slice(b"\n]\n");
}

fn bundle(bytes: &mut Vec<u8>, types: [&Vec<u8>; 3]) {
    bytes.clear();
    bytes.extend_from_slice(br#"{"resourceType":"Bundle","type":"collection","entry":["#);
    for (at, line) in types.into_iter().flat_map(|resources| lines(resources)).enumerate() {
        bytes.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        bytes.extend_from_slice(br#"{"fullUrl":"urn:uuid:"#);
        bytes.extend_from_slice(id(line));
        bytes.extend_from_slice(br#"","resource":"#);
        bytes.extend_from_slice(line);
        bytes.push(b'}');
    }
    bytes.extend_from_slice(b"\n]}\n");
}

/// The id of a resource of ours, which stands right behind its type.
fn id(line: &[u8]) -> &[u8] {
    const MARK: &[u8] = br#""id":""#;
    let start = line.windows(MARK.len()).position(|window| window == MARK).map_or(line.len(), |at| at + MARK.len());
    let end = line[start..].iter().position(|byte| *byte == b'"').map_or(start, |at| start + at);
    &line[start..end]
}

/// Gzip without a time in its header, so that the same resources are the same bytes.
pub(crate) fn compress(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 6), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_holds_the_same_resources() {
        let mut resources = Resources {
            patient: b"{\"resourceType\":\"Patient\",\"id\":\"p\"}\n".to_vec(),
            encounter:
                b"{\"resourceType\":\"Encounter\",\"id\":\"e\"}\n{\"resourceType\":\"Encounter\",\"id\":\"f\"}\n"
                    .to_vec(),
            condition: Vec::new(),
            counts: [1, 2, 0],
            clean: [1, 2, 0],
            ..Resources::default()
        };
        let mut packer = Packer::default();
        let json = packer.pack(&mut resources, Format::Json, false).expect("memory");
        assert_eq!(json.len(), 2);
        let array: serde_json::Value = serde_json::from_slice(&json[1].bytes).expect("JSON");
        assert_eq!(array[1]["id"], "f");
        let packed = packer.pack(&mut resources, Format::Bundle, false).expect("memory");
        let bundle: serde_json::Value = serde_json::from_slice(&packed[0].bytes).expect("JSON");
        assert_eq!(bundle["entry"][2]["fullUrl"], "urn:uuid:f");
        assert_eq!(bundle["entry"][0]["resource"]["resourceType"], "Patient");
        let zipped = packer.pack(&mut resources, Format::Ndjson, true).expect("memory");
        assert_eq!(zipped[0].ending, ".ndjson.gz");
        let lines = packer.pack(&mut resources, Format::Ndjson, false).expect("memory");
        assert!(lines[1].bytes.ends_with(b"\"id\":\"f\"}\n"));
        for written in lines {
            packer.take_back(&mut resources, written.memory, written.bytes);
        }
        assert!(resources.encounter.is_empty() && resources.encounter.capacity() > 40, "its memory is back");
    }
}
