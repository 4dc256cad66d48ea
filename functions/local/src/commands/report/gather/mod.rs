//! Everything that the page shows, read from the lake's tables.
//!
//! Nothing is computed here that gold has computed; sums over hospitals or months are sums of gold's counts.

mod records;
mod stays;
mod warehouse;

use metriccare_flow::Worker;
use metriccare_lake::schema;

pub(super) use self::{
    records::Records,
    stays::Stays,
    warehouse::{Compared, Warehouse},
};
pub(super) use crate::lake::rows::{Row, Rows};
use crate::{
    commands::verify::{self, Origin},
    output::failure::Failure,
};

/// The lake's tables.
pub(super) struct Gathered {
    pub(super) summary: Rows,
    pub(super) readmission: Rows,
    pub(super) mortality: Rows,
    pub(super) length_of_stay: Rows,
    pub(super) infection: Rows,
    pub(super) occupancy: Rows,
    pub(super) department_load: Rows,
    pub(super) demographics: Rows,
    pub(super) census: Rows,
    pub(super) stays: Stays,
    pub(super) records: Records,
    pub(super) warehouse: Warehouse,
    /// Whose data it is: that an answer key is there does not make synthetic what else was ingested.
    pub(super) origin: Origin,
}

pub(super) async fn gather(worker: &Worker) -> Result<Gathered, Failure> {
    let ledger = Rows::read(worker, &schema::GOLD_STAY).await?;
    let log = Rows::read(worker, &schema::BRONZE_INGEST_LOG).await?;
    let commits = verify::commits(worker).await?;
    Ok(Gathered {
        summary: Rows::read(worker, &schema::GOLD_SUMMARY).await?,
        readmission: Rows::read(worker, &schema::GOLD_READMISSION).await?,
        mortality: Rows::read(worker, &schema::GOLD_MORTALITY).await?,
        length_of_stay: Rows::read(worker, &schema::GOLD_LENGTH_OF_STAY).await?,
        infection: Rows::read(worker, &schema::GOLD_INFECTION).await?,
        occupancy: Rows::read(worker, &schema::GOLD_OCCUPANCY).await?,
        department_load: Rows::read(worker, &schema::GOLD_DEPARTMENT_LOAD).await?,
        demographics: Rows::read(worker, &schema::GOLD_DEMOGRAPHICS).await?,
        census: Rows::read(worker, &schema::GOLD_CENSUS).await?,
        stays: Stays::count(&ledger),
        records: Records::count(&log, &commits),
        warehouse: Warehouse::read(worker).await?,
        origin: verify::origin(worker, &commits).await?,
    })
}

impl Gathered {
    /// A row of gold/summary.
    pub(super) fn metric(&self, metric: &str, definition: &str) -> Option<Row<'_>> {
        self.summary
            .iter()
            .find(|row| row.text("metric") == Some(metric) && row.text("definition").unwrap_or_default() == definition)
    }

    /// A plain count of gold/summary.
    pub(super) fn plain(&self, metric: &str) -> i64 {
        self.metric(metric, "").map_or(0, |row| row.count("numerator"))
    }
}
