//! `metriccare report`: the whole lake on one page that needs nothing but itself.
//!
//! Three steps, each a folder: [`gather`] reads the lake's tables, [`page`] describes in text, charts and tables what they
//! hold, [`chart`] draws. The page has no script and asks no network; it is a function of the lake alone, so that the
//! same lake gives the same bytes.

mod chart;
mod gather;
mod html;
mod numbers;
mod page;
mod periods;

use std::num::NonZeroUsize;

use crate::{
    arguments::Report,
    cloud,
    lake::{self, location::DataLocation},
    output::{Output, failure::Failure, size},
};

pub(crate) async fn report(arguments: &Report, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_with_tables(&arguments.lake, &arguments.tables, NonZeroUsize::MIN).await?;
    let gathered = gather::gather(&worker).await?;
    let page = page::page(&gathered);
    let bytes = size(page.len() as u64);
    match &arguments.out {
        DataLocation::Folder(file) => {
            std::fs::write(file, &page).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
        }
        DataLocation::Bucket(place) => cloud::put(place, &arguments.lake.cloud, page.into()).await?,
    }
    output.line(format!("{}: {bytes}", arguments.out))?;
    output.flush()
}
