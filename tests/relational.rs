//! The relational set through the pipeline: the generator's own tables, landed, become the star.

use std::collections::BTreeMap;

use metriccare_lake::{cells::Cell, relational::RELATIONAL};
use metriccare_tests::{Cloud, LakeContents, Landed, landed::object};
use metriccare_world::view::tables as view;

/// The tables as the generator declares them.
const GENERATED: [view::Table; 8] = [
    view::PATIENTS,
    view::PROVIDERS,
    view::FACILITIES,
    view::ENCOUNTERS,
    view::CLAIMS,
    view::REGISTRY,
    view::CMS_MEASURES,
    view::HAI_DATA,
];

#[test]
fn the_lake_reads_the_columns_that_the_generator_writes() {
    for (generated, read) in GENERATED.iter().zip(RELATIONAL) {
        let generated_columns: Vec<&str> = generated.columns.iter().map(|(name, _)| *name).collect();
        let read_columns: Vec<&str> = read.columns.iter().map(|(name, _)| *name).collect();
        assert_eq!((generated.name, generated_columns), (read.name, read_columns));
    }
}
