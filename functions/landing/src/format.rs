//! The forms of a file of resources: NDJSON, a JSON array, a Bundle; each also gzipped.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use metriccare_world::{Pile, Resources};

use crate::{Failure, Format};

/// A file to be.
pub(super) struct Written {
    /// The folder that it belongs to: its resource type, or `bundle`.
    pub(super) kind: &'static str,
    /// The end of its name.
    pub(super) ending: String,
    pub(super) bytes: Vec<u8>,
    /// How many resources it holds.
    pub(super) records: u64,
}

/// Packs a range's resources into files; types without resources make none.
pub(super) fn pack(resources: &Resources, format: Format, gzip: bool) -> Result<Vec<Written>, Failure> {
    let lines = [&resources.patient, &resources.encounter, &resources.condition];
    let some = (0..3).filter(|&at| !lines[at].is_empty());
    match format {
        Format::Bundle => {
            let bytes = bundle(some.map(|at| lines[at].as_slice()));
            let records = resources.clean.iter().sum();
            if records == 0 { Ok(Vec::new()) } else { Ok(vec![written("bundle", ".json", bytes, records, gzip)?]) }
        }
        Format::Ndjson => {
            some.map(|at| written(KINDS[at], ".ndjson", lines[at].clone(), resources.clean[at], gzip)).collect()
        }
        Format::Json => {
            some.map(|at| written(KINDS[at], ".json", array(lines[at]), resources.clean[at], gzip)).collect()
        }
    }
}

/// The folders of the three types.
const KINDS: [&str; 3] = ["patient", "encounter", "condition"];

/// A pile of dirt as a file of lines, whatever the format of the rest: in an array or a Bundle, a record that ends too
/// early would take those behind it along.
pub(super) fn pack_pile(kind: usize, pile: &Pile, gzip: bool) -> Result<Written, Failure> {
    written(KINDS[kind], ".ndjson", pile.lines.clone(), pile.accepted, gzip)
}

fn written(kind: &'static str, ending: &str, bytes: Vec<u8>, records: u64, gzip: bool) -> Result<Written, Failure> {
    let (ending, bytes) = if gzip { (format!("{ending}.gz"), squeeze(&bytes)?) } else { (ending.into(), bytes) };
    Ok(Written { kind, ending, bytes, records })
}

fn lines(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn array(resources: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(resources.len() + resources.len() / 100);
    for (at, line) in lines(resources).enumerate() {
        bytes.extend_from_slice(if at == 0 { b"[\n" } else { b",\n" });
        bytes.extend_from_slice(line);
    }
    bytes.extend_from_slice(b"\n]\n");
    bytes
}

fn bundle<'a>(types: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = br#"{"resourceType":"Bundle","type":"collection","entry":["#.to_vec();
    for (at, line) in types.flat_map(lines).enumerate() {
        bytes.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        bytes.extend_from_slice(br#"{"fullUrl":"urn:uuid:"#);
        bytes.extend_from_slice(id(line));
        bytes.extend_from_slice(br#"","resource":"#);
        bytes.extend_from_slice(line);
        bytes.push(b'}');
    }
    bytes.extend_from_slice(b"\n]}\n");
    bytes
}

/// The id of a resource of ours, which stands right behind its type.
fn id(line: &[u8]) -> &[u8] {
    const MARK: &[u8] = br#""id":""#;
    let start = line.windows(MARK.len()).position(|window| window == MARK).map_or(line.len(), |at| at + MARK.len());
    let end = line[start..].iter().position(|byte| *byte == b'"').map_or(start, |at| start + at);
    &line[start..end]
}

/// Gzip without a time in its header, so that the same resources are the same bytes.
fn squeeze(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 6), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_holds_the_same_resources() {
        let resources = Resources {
            patient: b"{\"resourceType\":\"Patient\",\"id\":\"p\"}\n".to_vec(),
            encounter:
                b"{\"resourceType\":\"Encounter\",\"id\":\"e\"}\n{\"resourceType\":\"Encounter\",\"id\":\"f\"}\n"
                    .to_vec(),
            condition: Vec::new(),
            counts: [1, 2, 0],
            clean: [1, 2, 0],
            ..Resources::default()
        };
        let json = pack(&resources, Format::Json, false).expect("memory");
        assert_eq!(json.len(), 2);
        let array: serde_json::Value = serde_json::from_slice(&json[1].bytes).expect("JSON");
        assert_eq!(array[1]["id"], "f");
        let packed = pack(&resources, Format::Bundle, false).expect("memory");
        let bundle: serde_json::Value = serde_json::from_slice(&packed[0].bytes).expect("JSON");
        assert_eq!(bundle["entry"][2]["fullUrl"], "urn:uuid:f");
        assert_eq!(bundle["entry"][0]["resource"]["resourceType"], "Patient");
        assert_eq!(pack(&resources, Format::Ndjson, true).expect("memory")[0].ending, ".ndjson.gz");
    }
}
