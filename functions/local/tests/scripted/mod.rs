//! A stand-in for AWS with a script at hand: what a test needs to be there, or wants to see, is said in Python.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::{emulators::Emulator, python::environment};

/// Where a stand-in answers.
pub(crate) fn endpoint(emulator: &Emulator) -> String {
    format!("http://{}", emulator.address())
}

/// Does something with the stand-in's own API, in Python: `client("s3")` is there. Gives what is printed.
pub(crate) fn python(emulator: &Emulator, script: &str) -> String {
    let head = format!(
        "import boto3, json\n\
         client = lambda service: boto3.client(service, endpoint_url={:?}, region_name='us-east-1', \
         aws_access_key_id='test', aws_secret_access_key='test')\n",
        endpoint(emulator)
    );
    let mut python = Command::new(environment("emulators").join("python"));
    let mut child =
        python.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("a pipe").write_all((head + script).as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}
