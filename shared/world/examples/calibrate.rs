//! Prints the calibration of a world: `calibrate [PATIENTS] [SEED]`.

use std::io::Write as _;

use metriccare_world::{Calibration, Life, Spec, World};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let patients = arguments.get(1).map_or(Ok(100_000), |n| n.parse())?;
    let seed = arguments.get(2).map_or(Ok(42), |n| n.parse())?;
    let world = World::new(Spec { patients, seed, ..Spec::default() })?;
    let (mut sums, mut life) = (Calibration::new(&world), Life::new());
    for index in 0..patients {
        world.live(index, &mut life);
        sums.add(&world, &life);
    }
    let mut out = std::io::stdout().lock();
    for figure in sums.figures() {
        let (got, verdict) = (figure.got.unwrap_or(f64::NAN), if figure.holds() { "" } else { "OFF" });
        writeln!(
            out,
            "{:<58} {:>8.2} {:>8.2} {:>9.3} {verdict:>4}  {}",
            figure.name, figure.low, figure.high, got, figure.source
        )?;
    }
    Ok(())
}
