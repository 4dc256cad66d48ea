//! Real files, broken as real files break: in their JSON values, in their text, in their container.
//!
//! A mangled object follows from its number and the seed alone, and says what was done to it, so that one that breaks a
//! law can be made once more by itself.

mod container;
mod json;
mod samples;
mod tables;
mod text;

pub use samples::{Form, Sample, samples};

use crate::crowded::Draw;

/// What a real file became.
#[derive(Debug, Clone)]
pub struct Mangled {
    /// The key it lands under.
    pub key: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The sample, and what was done to it, step by step.
    pub steps: Vec<String>,
}

/// The mangled object with this number.
pub fn mangled(samples: &[Sample], seed: u64, number: u64) -> Mangled {
    let mut draw = Draw(seed ^ number.wrapping_mul(0xD6E8_FEB8_6659_FD93));
    let sample = &samples[draw.number_less_than(samples.len())];
    let mut mangled = Mangled {
        key: format!("{}/{}", draw.one_of(&["any", "source=north", "encounter/2025/12/31"]), sample.name),
        bytes: sample.bytes.clone(),
        steps: vec![sample.name.clone()],
    };
    if sample.form == Form::Json && draw.percent(75) {
        json::mangle(&mut draw, &mut mangled);
    }
    if sample.form == Form::Csv && draw.percent(75) {
        tables::mangle(&mut draw, &mut mangled);
    }
    if sample.form != Form::Parquet && draw.percent(50) {
        text::mangle(&mut draw, &mut mangled, samples);
    }
    if sample.form == Form::Parquet || draw.percent(40) {
        container::mangle(&mut draw, &mut mangled);
    }
    mangled
}

/// The input with this number for a parser: one of the examples, mangled as a text is, or bytes without an example.
pub fn fuzzed(examples: &[&[u8]], seed: u64, number: u64) -> Vec<u8> {
    let mut draw = Draw(seed ^ number.wrapping_mul(0xD6E8_FEB8_6659_FD93));
    if draw.percent(5) {
        return (0..draw.number_less_than(60)).map(|_| draw.number_less_than(256) as u8).collect();
    }
    let mut bytes = draw.one_of(examples).to_vec();
    for _ in 0..=draw.number_less_than(3) {
        text::step(&mut draw, &mut bytes);
    }
    bytes
}

/// A mutation: its name, and what it does.
type Step<T> = (&'static str, fn(&mut Draw, &mut T));

/// Makes up to three of these mutations, and writes down which.
fn some<T>(draw: &mut Draw, steps: &[Step<T>], what: &mut T, done: &mut Vec<String>) {
    for _ in 0..=draw.number_less_than(3) {
        let (name, step) = draw.one_of(steps);
        step(draw, what);
        done.push(name.to_owned());
    }
}

/// A place in so many bytes; 0 where there are none.
fn place(draw: &mut Draw, bytes: &[u8]) -> usize {
    draw.number_less_than(bytes.len().max(1))
}

/// Puts bytes into others.
fn insert(bytes: &mut Vec<u8>, at: usize, more: &[u8]) {
    bytes.splice(at..at, more.iter().copied());
}

/// Turns one bit over.
fn flip(draw: &mut Draw, bytes: &mut [u8]) {
    let at = place(draw, bytes);
    let bit = draw.number_less_than(8);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
}
