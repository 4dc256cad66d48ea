//! The calibration report: what a world turned out to be, beside the published figures that it is meant to match.
//!
//! The lives are simulated a second time for it, since neither view holds all that is measured (device-days are in no
//! resource, wards in no table). Figures that are off are no failure: a small population scatters, and exact shares
//! are asked for to be unlike the world.

use std::num::NonZeroUsize;

use metriccare_landing::{Shard, cut};
use metriccare_world::{Calibration, Figure, Life, World};
use serde::Serialize;

use super::in_order::in_order;
use crate::{
    arguments::ReportFlags,
    output::{Output, count, failure::Failure, progress::Bars},
};

/// The population that the bands are meant for.
const MEANT_FOR: u64 = 100_000;
/// Patients in a part of the work.
const PATIENTS_PER_PART: u64 = 2_000;

/// The JSON output of a generator.
#[derive(Serialize)]
struct GeneratorOutput<'a, W> {
    written: &'a W,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<Vec<Row>>,
}

#[derive(Serialize)]
struct Row {
    figure: &'static str,
    low: f64,
    high: f64,
    got: Option<f64>,
    holds: bool,
    source: &'static str,
}

/// Prints what was written, and the calibration if it is asked for.
pub(super) fn print<W: Serialize>(
    world: &World,
    (written, words): (&W, &str),
    flags: ReportFlags,
    threads: NonZeroUsize,
    bars: &Bars,
    output: &mut Output,
) -> Result<(), Failure> {
    let figures = if flags.report { Some(figures(world, threads, bars)?) } else { None };
    if flags.json {
        let calibration = figures.map(|figures| figures.iter().map(Row::of).collect());
        output.json(&GeneratorOutput { written, calibration })?;
    } else {
        output.line(words)?;
        if let Some(figures) = figures {
            print_figures(&figures, world.spec().patients, output)?;
        }
    }
    output.flush()
}

/// Refuses a report of a shard: beds and the costliest twentieth are those of the whole world.
pub(super) fn check(flags: ReportFlags, shard: Shard) -> Result<(), Failure> {
    if flags.report && shard.of > 1 {
        return Err(Failure::usage("--report is about the whole population: ask for it without --shard"));
    }
    Ok(())
}

/// Refuses flags that print on standard output beside the data.
pub(super) fn check_stdout(flags: ReportFlags) -> Result<(), Failure> {
    if flags.report || flags.json {
        let words = "--report and --json print on standard output, where the data goes: name a folder with --out";
        return Err(Failure::usage(words));
    }
    Ok(())
}

fn figures(world: &World, threads: NonZeroUsize, bars: &Bars) -> Result<Vec<Figure>, Failure> {
    let ranges = cut(0..world.spec().patients, PATIENTS_PER_PART);
    bars.start("report", ranges.len());
    let measure = |(sums, life): &mut (Calibration, Life), at: usize| {
        for index in ranges[at].clone() {
            life.simulate(world, index);
            sums.add(world, life);
        }
        Ok(())
    };
    let step = |_: &mut (Calibration, Life)| {
        bars.step(1);
        Ok(())
    };
    let parts = in_order(ranges.len(), threads, || (Calibration::new(world), Life::new()), measure, step)?;
    bars.finish();
    let mut all = Calibration::new(world);
    parts.iter().for_each(|(sums, _)| all.merge(sums));
    Ok(all.figures())
}

fn print_figures(figures: &[Figure], patients: u64, output: &mut Output) -> Result<(), Failure> {
    let off = figures.iter().filter(|figure| !figure.holds()).count();
    output.line("")?;
    output.line("Calibration: the world beside the published figures")?;
    let mut rows = vec![["figure", "target", "got", "", "source"].map(str::to_owned).to_vec()];
    for figure in figures {
        let got = figure.got.map_or_else(|| "no case".to_owned(), |got| format!("{got:.2}"));
        let verdict = if figure.holds() { "" } else { "off" };
        let target = format!("{} to {}", figure.low, figure.high);
        rows.push(vec![figure.name.to_owned(), target, got, verdict.to_owned(), figure.source.to_owned()]);
    }
    output.table(&rows)?;
    output.line(format!("  {} of {} figures are inside their bands", figures.len() - off, figures.len()))?;
    if patients < MEANT_FOR {
        let (meant, few) = (count(MEANT_FOR), count(patients));
        output.line(format!("  the bands are meant for {meant} patients: {few} scatter more widely"))?;
    }
    Ok(())
}

impl Row {
    fn of(figure: &Figure) -> Self {
        let Figure { name, low, high, got, source } = *figure;
        Row { figure: name, low, high, got, holds: figure.holds(), source }
    }
}
