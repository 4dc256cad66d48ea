//! The command: which letters or objects, and how many came back.

use std::time::Duration;

use metriccare_aws::{DeadLetters, RedriveProgress};
use metriccare_ports::SystemClock;

use super::landing;
use crate::{
    arguments::{Lost, Redrive, RedriveStage},
    cloud::AwsSession,
    output::{
        Output, count,
        failure::Failure,
        progress::{Bars, note},
    },
};

/// `metriccare redrive`.
pub(crate) async fn redrive(arguments: &Redrive, output: &mut Output) -> Result<(), Failure> {
    if arguments.from == Lost::Landing && arguments.stage.is_some_and(|stage| stage != RedriveStage::Bronze) {
        return Err(Failure::usage("--from landing tells the stage bronze, and no other: leave --stage out"));
    }
    let session = AwsSession::logged_in(&arguments.cloud).await?;
    note(&format!("stack {} as {}", arguments.stack, session.whom()));
    match arguments.from {
        Lost::DeadLetters => dead_letters(arguments, &session, output).await,
        Lost::Landing => landing::tell(arguments, &session, output).await,
    }
}

/// The letters of one stage or of all: every stage is looked at before one letter moves.
async fn dead_letters(arguments: &Redrive, session: &AwsSession, output: &mut Output) -> Result<(), Failure> {
    let all = [RedriveStage::Generator, RedriveStage::Bronze, RedriveStage::Silver, RedriveStage::Gold];
    let stages = all.into_iter().filter(|stage| arguments.stage.is_none_or(|only| only == *stage));
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for stage in stages {
        match DeadLetters::of(&session.account.clients, &format!("{}-{}", arguments.stack, name(stage))).await {
            Ok(letters) => found.push((name(stage), letters)),
            Err(error) => faults.push(error.to_string()),
        }
    }
    if !faults.is_empty() {
        return Err(Failure::usage(format!("the queues cannot be used:\n  {}", faults.join("\n  "))));
    }
    let mut rows = Vec::new();
    for (stage, letters) in found {
        let waiting = letters.waiting();
        let became = match waiting {
            0 => "no dead letters".to_owned(),
            _ if arguments.dry_run => format!("{} dead letters", count(waiting)),
            _ => {
                let bars = Moved::new(waiting);
                let moved = letters.redrive(&SystemClock, arguments.per_second, &bars).await;
                bars.0.finish();
                let moved = moved.map_err(|error| Failure::failed(format!("{stage}: {error}")))?;
                format!("{} of {} dead letters are back in the queue", count(moved), count(waiting))
            }
        };
        rows.push(vec![stage.to_owned(), became]);
    }
    output.table(&rows)?;
    output.flush()
}

fn name(stage: RedriveStage) -> &'static str {
    match stage {
        RedriveStage::Generator => "generator",
        RedriveStage::Bronze => "bronze",
        RedriveStage::Silver => "silver",
        RedriveStage::Gold => "gold",
    }
}

/// How long to wait between messages, where a stage should not be flooded.
pub(super) fn pause(per_second: Option<i32>) -> Option<Duration> {
    let rate = u32::try_from(per_second?).ok()?;
    Duration::from_secs(1).checked_div(rate)
}

/// The bar of letters on their way.
struct Moved(Bars);

impl Moved {
    fn new(waiting: u64) -> Self {
        let bars = Bars::new(false);
        bars.start("letters", usize::try_from(waiting).unwrap_or(usize::MAX));
        Moved(bars)
    }
}

impl RedriveProgress for Moved {
    fn moved(&self, letters: u64) {
        self.0.reach(letters);
    }
}
