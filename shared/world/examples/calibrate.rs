//! Prints the calibration of a world: `calibrate [SPEC]`, the spec as JSON, 100,000 patients without one.

use std::io::Write as _;

use metriccare_world::{Calibration, Life, Spec, World};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec = match std::env::args().nth(1) {
        Some(text) => serde_json::from_str(&text)?,
        None => Spec { patients: 100_000, ..Spec::default() },
    };
    let patients = spec.patients;
    let world = World::new(spec)?;
    let (mut sums, mut life) = (Calibration::new(&world), Life::new());
    for index in 0..patients {
        world.live(index, &mut life);
        sums.add(&world, &life);
    }
    let mut out = std::io::stdout().lock();
    for figure in sums.figures() {
        let (got, verdict) = (figure.got.unwrap_or(f64::NAN), if figure.holds() { "" } else { "OFF" });
        let (name, low, high, source) = (figure.name, figure.low, figure.high, figure.source);
        writeln!(out, "{name:<58} {low:>8.2} {high:>8.2} {got:>9.3} {verdict:>4}  {source}")?;
    }
    Ok(())
}
