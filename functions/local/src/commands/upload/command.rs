//! The command: who we are, what goes where, and what became of it.

use std::path::Path;

use super::{
    files,
    send::{Amount, send},
};
use crate::{
    arguments::Upload,
    cloud::AwsSession,
    lake::location::{BucketLocation, DataLocation},
    output::{
        Output, count,
        failure::Failure,
        progress::{Bars, note},
        size,
    },
};

/// `metriccare upload`.
pub(crate) async fn upload(arguments: &Upload, output: &mut Output) -> Result<(), Failure> {
    let session = AwsSession::logged_in(&arguments.cloud).await?;
    let to = target(arguments, &session)?;
    let folder = files::of(&arguments.folder, &to)?;
    let mut places: Vec<_> = folder.files.iter().map(|file| &file.place).collect();
    places.push(&to);
    session.look_at(&places).await?;
    if !arguments.json {
        note(&format!("{} to {to} as {}", arguments.folder.display(), session.whom()));
    }
    let passed_over = folder.passed_over;
    let bars = Bars::new(arguments.json);
    let mut sendings = send(&session, folder.files, &bars).await;
    bars.finish();
    sendings.failures.extend(folder.failures);
    if arguments.json {
        output.json(&serde_json::json!({ "to": to.to_string(), "passed_over": passed_over, "files": sendings }))?;
    } else {
        let mut rows = Vec::new();
        for (what, amount) in [
            ("uploaded", sendings.new),
            ("replaced", sendings.replaced),
            ("there already", sendings.there),
            ("not sent, stopped", sendings.stopped),
        ] {
            if amount != Amount::default() || what == "uploaded" {
                rows.push(vec![what.to_owned(), count(amount.files), size(amount.bytes)]);
            }
        }
        if passed_over > 0 {
            rows.push(vec![
                "passed over".to_owned(),
                count(passed_over),
                "hidden, with variables, or links to folders".to_owned(),
            ]);
        }
        output.table(&rows)?;
    }
    output.flush()?;
    if sendings.failures.is_empty() && sendings.stopped.files == 0 {
        return Ok(());
    }
    let mut words = Vec::new();
    if sendings.stopped.files > 0 {
        words.push("stopped: the same command sends the rest".to_owned());
    }
    if !sendings.failures.is_empty() {
        let number = count(sendings.failures.len() as u64);
        words
            .push(format!("{number} failed; the same command tries them again:\n  {}", sendings.failures.join("\n  ")));
    }
    Err(Failure::failed(words.join("; ")))
}

/// Sends all files of a folder to a place; the first that fails is the failure.
pub(crate) async fn send_all(session: &AwsSession, folder: &Path, to: &BucketLocation) -> Result<(), Failure> {
    let folder = files::of(folder, to)?;
    let bars = Bars::new(false);
    let sendings = send(session, folder.files, &bars).await;
    bars.finish();
    match sendings.failures.first() {
        None if sendings.stopped.files == 0 => Ok(()),
        None => Err(Failure::failed("stopped before everything was sent: the same command sends the rest")),
        Some(failure) => Err(Failure::failed(format!("not everything could be sent: {failure}"))),
    }
}

fn target(arguments: &Upload, session: &AwsSession) -> Result<BucketLocation, Failure> {
    match &arguments.to {
        Some(DataLocation::Bucket(place)) => return Ok(place.clone()),
        Some(DataLocation::Folder(folder)) => {
            let folder = folder.display();
            return Err(Failure::usage(format!("{folder} is no place on S3: a target is s3://bucket/prefix")));
        }
        None => {}
    }
    let bucket = session.variable("S3_BUCKET_NAME").ok_or_else(|| {
        Failure::usage(
            "there is no target: name one as s3://bucket/prefix, or set S3_BUCKET_NAME in the environment or .env",
        )
    })?;
    match format!("s3://{bucket}").parse() {
        Ok(DataLocation::Bucket(place)) => Ok(place),
        Ok(DataLocation::Folder(_)) => {
            Err(Failure::usage(format!("S3_BUCKET_NAME is {bucket}: it must be a bucket's name")))
        }
        Err(reason) => Err(Failure::usage(format!("S3_BUCKET_NAME: {reason}"))),
    }
}
