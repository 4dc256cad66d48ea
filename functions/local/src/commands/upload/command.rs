//! The command: checks, target, and the printed result.

use std::path::Path;

use metriccare_ports::{Clock, SystemClock};

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
    let folder = files::of(&arguments.folder, &to, arguments.source.as_ref(), SystemClock.now_micros())?;
    let mut places: Vec<_> = folder.files.iter().map(|file| &file.place).collect();
    places.push(&to);
    session.check_buckets(&places).await?;
    if !arguments.json {
        note(&format!("{} to {to} as {}", arguments.folder.display(), session.describe_identity()));
    }
    let passed_over = folder.passed_over;
    let bars = Bars::new(arguments.json);
    let mut uploads = send(&session, folder.files, &bars).await;
    bars.finish();
    uploads.failures.extend(folder.failures);
    if arguments.json {
        output.json(&serde_json::json!({ "to": to.to_string(), "passed_over": passed_over, "files": uploads }))?;
    } else {
        let mut rows = Vec::new();
        for (what, amount) in [
            ("uploaded", uploads.new),
            ("replaced", uploads.replaced),
            ("there already", uploads.there),
            ("not sent, stopped", uploads.stopped),
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
    if uploads.failures.is_empty() && uploads.stopped.files == 0 {
        return Ok(());
    }
    let mut words = Vec::new();
    if uploads.stopped.files > 0 {
        words.push("stopped: the same command sends the rest".to_owned());
    }
    if !uploads.failures.is_empty() {
        let number = count(uploads.failures.len() as u64);
        words.push(format!("{number} failed; the same command tries them again:\n  {}", uploads.failures.join("\n  ")));
    }
    Err(Failure::failed(words.join("; ")))
}

/// Uploads all files of a folder; the first that fails is the error.
pub(crate) async fn send_all(session: &AwsSession, folder: &Path, to: &BucketLocation) -> Result<(), Failure> {
    let folder = files::of(folder, to, None, SystemClock.now_micros())?;
    let bars = Bars::new(false);
    let uploads = send(session, folder.files, &bars).await;
    bars.finish();
    match uploads.failures.first() {
        None if uploads.stopped.files == 0 => Ok(()),
        None => Err(Failure::failed("stopped before everything was sent: the same command sends the rest")),
        Some(failure) => Err(Failure::failed(format!("not everything could be sent: {failure}"))),
    }
}

/// The bucket that `S3_BUCKET_NAME` names.
pub(crate) fn default_bucket(session: &AwsSession) -> Result<BucketLocation, Failure> {
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

fn target(arguments: &Upload, session: &AwsSession) -> Result<BucketLocation, Failure> {
    match &arguments.to {
        Some(DataLocation::Bucket(place)) => Ok(place.clone()),
        Some(DataLocation::Folder(folder)) => {
            let folder = folder.display();
            Err(Failure::usage(format!("{folder} is no location on S3: a target is s3://bucket/prefix")))
        }
        None => default_bucket(session),
    }
}
