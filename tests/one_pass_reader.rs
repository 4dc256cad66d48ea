//! The one-pass reader against serde, on real lines and on what is left of them after damage: whatever the first accepts,
//! the second accepts with the same values. The rest is read by serde itself, so rows and faults are the same.
//!
//! `METRICCARE_MUTATIONS=500000` makes it thorough, `METRICCARE_SEED` repeats a run.

#![expect(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a property test prints and takes its seed")]

use std::{
    env,
    fmt::Debug,
    fs,
    hash::{BuildHasher, Hasher, RandomState},
    path::Path,
};

use metriccare_fhir::{
    read::{
        Condition, Encounter, Identified, Named, Patient,
        pull::{self, Pull},
    },
    write::FhirVersion,
};
use metriccare_world::{FhirWriter, Known, Resources, Spec, World};
use serde::Deserialize;

/// Random numbers that anybody can repeat: splitmix64.
struct Random(u64);

impl Random {
    /// A number from 0 up to, and without, the bound.
    fn number_less_than(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % bound as u64) as usize
    }
}

fn generated(version: FhirVersion) -> Vec<String> {
    let world = World::new(Spec { patients: 40, ..Spec::default() }).expect("a possible world");
    let mut out = Resources::default();
    FhirWriter::new(&world, version, Known::YearEnd).write(0..40, &mut out, None);
    let all = [out.patient, out.encounter, out.condition].concat();
    String::from_utf8(all).expect("FHIR is UTF-8").lines().map(str::to_owned).collect()
}

/// Files with a resource on every line, and files that are one resource.
fn real() -> Vec<String> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let mut texts = Vec::new();
    for folder in ["synthea", "hl7/R4", "hl7/R5"] {
        for entry in fs::read_dir(data.join(folder)).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            let Ok(text) = fs::read_to_string(&path) else { continue };
            if path.extension().is_some_and(|ending| ending == "ndjson") {
                texts.extend(text.lines().map(str::to_owned));
            } else {
                texts.push(text);
            }
        }
    }
    texts
}

/// What damage puts in: JSON's own bytes, and values that are nearly good.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\t",
    "\u{1}",
    "\u{0}",
    "é",
    "\u{a0}",
    "0",
    "-",
    ".",
    "e",
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "\"\"",
    "01",
    "1e5",
    "-0",
    "1.",
    "\\u00e9",
    "\\ud800",
    "\\x",
    "\\\"",
    "nul",
    "[[[[",
    "]]]]",
    "\"id\":\"x\",",
    "\"status\":null,",
    "\"meta\":{},",
    "\"period\":[],",
    "\"class\":{\"code\":\"IMP\"},",
    "\"gender\":1,",
    "\"x\":[1,{\"y\":null}],",
    "\"subject\":[\"Patient/1\",null],",
    ",\"coding\":[]",
    "\"subject\":{\"type\":\"Patient\",\"identifier\":{\"system\":\"a\",\"value\":\"b\"}},",
    "\"identifier\":{\"value\":null},",
    "\"type\":\"x\",",
];

fn damaged(random: &mut Random, texts: &[String]) -> String {
    let mut bytes = texts[random.number_less_than(texts.len())].clone().into_bytes();
    for _ in 0..=random.number_less_than(3) {
        let at = random.number_less_than(bytes.len() + 1);
        let length = random.number_less_than(24).min(bytes.len() - at);
        match random.number_less_than(7) {
            0 => drop(bytes.drain(at..at + length)),
            1 => bytes.truncate(at),
            2 => {
                let copy = bytes[at..at + length].to_vec();
                let to = random.number_less_than(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            3 => {
                let other = texts[random.number_less_than(texts.len())].as_bytes();
                let from = random.number_less_than(other.len());
                let to = (from + random.number_less_than(200)).min(other.len());
                bytes.splice(at..at + length, other[from..to].iter().copied());
            }
            4 if at < bytes.len() => bytes[at] = u8::try_from(random.number_less_than(128)).expect("below 128"),
            5 => twice(random, &mut bytes),
            _ => {
                let piece = PIECES[random.number_less_than(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Repeats what stands between two commas, so that a key may stand twice in JSON that is otherwise good.
fn twice(random: &mut Random, bytes: &mut Vec<u8>) {
    let commas: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b',').collect();
    if commas.len() > 1 {
        let first = random.number_less_than(commas.len() - 1);
        let member = bytes[commas[first]..commas[first + 1]].to_vec();
        let to = commas[random.number_less_than(commas.len())];
        bytes.splice(to..to, member);
    }
}

/// Whether the one-pass reader accepts the text; panics where serde reads it otherwise.
fn agrees<'a, T: Pull<'a> + Deserialize<'a> + Debug>(text: &'a str) -> bool {
    let Ok(read) = pull::one_pass::<T>(text) else { return false };
    match serde_json::from_str::<T>(text) {
        Ok(wanted) => assert_eq!(format!("{read:?}"), format!("{wanted:?}"), "{text}"),
        Err(error) => panic!("serde refuses what the one-pass reader accepts ({error}): {text}"),
    }
    true
}

fn accepted(text: &str, kind: usize) -> bool {
    match kind {
        0 => agrees::<Patient<'_>>(text),
        1 => agrees::<Encounter<'_>>(text),
        2 => agrees::<Condition<'_>>(text),
        3 => agrees::<Named<'_>>(text),
        _ => agrees::<Identified<'_>>(text),
    }
}

fn kind(text: &str) -> usize {
    let kinds = ["\"Patient\"", "\"Encounter\"", "\"Condition\""];
    kinds.iter().position(|kind| text.contains(kind)).unwrap_or(kinds.len())
}

#[test]
fn the_generators_lines_are_read_in_one_pass() {
    for line in [generated(FhirVersion::R5), generated(FhirVersion::R4)].concat() {
        assert!(accepted(&line, kind(&line)), "{line}");
    }
}

#[test]
fn what_is_read_in_one_pass_is_what_serde_reads() {
    let setting = |name: &str| env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    let seed = setting("METRICCARE_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let mutations = setting("METRICCARE_MUTATIONS").unwrap_or(20_000);
    println!("METRICCARE_SEED={seed} METRICCARE_MUTATIONS={mutations}");
    let texts = [real(), generated(FhirVersion::R5), generated(FhirVersion::R4)].concat();
    let undamaged = texts.iter().filter(|text| accepted(text, kind(text))).count();
    let mut random = Random(seed);
    let mut read = 0_u64;
    for _ in 0..mutations {
        let text = damaged(&mut random, &texts);
        let kind = if random.number_less_than(10) == 0 { random.number_less_than(5) } else { kind(&text) };
        read += u64::from(accepted(&text, kind));
    }
    println!("{undamaged} of {} undamaged and {read} of {mutations} damaged texts were read in one pass", texts.len());
    assert!(undamaged * 2 > texts.len() && read * 20 > mutations, "hardly anything was read in one pass");
}
