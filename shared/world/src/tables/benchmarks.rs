//! The national values beside which measures are set, each with its source.

use std::sync::LazyLock;

use serde::Deserialize;

use super::tsv::{TableError, rows};

/// The national value of a measure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// CMS's id, `READM_30_HF` for example, or the type of infection in hai_data.
    pub measure: String,
    /// What is measured.
    pub name: String,
    /// The national value, in `unit`.
    pub national: f64,
    /// The unit: `%`, `ratio`, `per 1000` or `per 10000`.
    pub unit: String,
    /// The period that was measured.
    pub period: String,
    /// Who published it, and where.
    pub source: String,
}

static ALL: LazyLock<Vec<Benchmark>> = LazyLock::new(|| read().expect("the shipped benchmarks are valid"));

fn read() -> Result<Vec<Benchmark>, TableError> {
    let lines = rows::<Benchmark>("benchmarks.tsv", include_str!("../../data/benchmarks.tsv"))?;
    Ok(lines.into_iter().map(|line| line.row).collect())
}

/// All benchmarks.
pub fn benchmarks() -> &'static [Benchmark] {
    &ALL
}

/// The benchmark of a measure, where it has one.
pub(crate) fn benchmark(measure: &str) -> Option<&'static Benchmark> {
    ALL.iter().find(|benchmark| benchmark.measure == measure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_benchmark_names_its_source() {
        assert!(benchmarks().len() > 20);
        assert!(benchmarks().iter().all(|benchmark| !benchmark.source.is_empty() && benchmark.national > 0.0));
        assert_eq!(benchmark("READM_30_HOSP_WIDE").unwrap().national, 14.6);
    }
}
