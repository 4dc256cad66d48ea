//! `metriccare report`: the whole lake on one page that needs nothing but itself.
//!
//! Three steps, each a folder: [`gather`] reads the lake's tables, [`page`] says in words, charts and tables what they
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
    failure::Failure,
    lake,
    output::{Output, size},
};

pub(crate) async fn report(arguments: &Report, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_existing(&arguments.lake.lake, NonZeroUsize::MIN).await?;
    let gathered = gather::gather(&worker).await?;
    let page = page::page(&gathered)?;
    let unwritable = |error: std::io::Error| Failure::usage(format!("{}: {error}", arguments.out.display()));
    std::fs::write(&arguments.out, &page).map_err(unwritable)?;
    output.line(format!("{}: {}", arguments.out.display(), size(page.len() as u64)))?;
    output.flush()
}
