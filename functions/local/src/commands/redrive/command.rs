//! The command: which dead letters or objects, and how many were sent again.

use metriccare_aws::{DeadLetters, RedriveProgress};
use metriccare_flow::Upstream;
use metriccare_ports::SystemClock;

use super::missing;
use crate::{
    arguments::{Redrive, RedriveSource, RedriveStage},
    cloud::AwsSession,
    output::{
        Output, count, counted,
        failure::Failure,
        progress::{Bars, note},
    },
};

/// `metriccare redrive`.
pub(crate) async fn redrive(arguments: &Redrive, output: &mut Output) -> Result<(), Failure> {
    let layer = match arguments.from {
        RedriveSource::DeadLetters => None,
        RedriveSource::Landing => Some((Upstream::Landing, "landing", RedriveStage::Bronze)),
        RedriveSource::Bronze => Some((Upstream::Bronze, "bronze", RedriveStage::Silver)),
        RedriveSource::Silver => Some((Upstream::Silver, "silver", RedriveStage::Gold)),
    };
    if let Some((_, from, only)) = layer
        && arguments.stage.is_some_and(|stage| stage != only)
    {
        let only = name(only);
        return Err(Failure::usage(format!(
            "--from {from} notifies the stage {only}, and no other: leave --stage out"
        )));
    }
    let session = AwsSession::logged_in(&arguments.cloud).await?;
    note(&format!("stack {} as {}", arguments.stack, session.describe_identity()));
    match layer {
        None => dead_letters(arguments, &session, output).await,
        Some((layer, ..)) => missing::notify(arguments, layer, &session, output).await,
    }
}

/// The dead letters of one stage or of all: every queue is checked before a message moves.
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
        let outcome = match waiting {
            0 => "no dead letters".to_owned(),
            _ if arguments.dry_run => counted(waiting, "dead letter"),
            _ => {
                let bars = MovedBar::new(waiting);
                let moved = letters.redrive(&SystemClock, arguments.per_second, &bars).await;
                bars.0.finish();
                let moved = moved.map_err(|error| Failure::failed(format!("{stage}: {error}")))?;
                let verb = if waiting == 1 { "is" } else { "are" };
                format!("{} of {} {verb} back in the queue", count(moved), counted(waiting, "dead letter"))
            }
        };
        rows.push(vec![stage.to_owned(), outcome]);
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

/// The progress bar of moved messages.
struct MovedBar(Bars);

impl MovedBar {
    fn new(waiting: u64) -> Self {
        let bars = Bars::new(false);
        bars.start("letters", usize::try_from(waiting).unwrap_or(usize::MAX));
        MovedBar(bars)
    }
}

impl RedriveProgress for MovedBar {
    fn moved(&self, letters: u64) {
        self.0.reach(letters);
    }
}
