//! A stand-in for AWS on the loopback, ended with the test; the command reaches it as a person's would, by an `.env`.

use std::{
    fs::File,
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A stand-in that is running.
pub(crate) struct Emulator {
    child: Child,
    address: SocketAddr,
    programs: PathBuf,
}

impl Emulator {
    /// ministack: S3, SQS, DynamoDB, Glue, STS; it takes any credentials.
    pub(crate) fn ministack() -> Self {
        Self::start("ministack", |programs, port| {
            let mut command = Command::new(programs.join("ministack"));
            command.envs([("BIND_HOST", "127.0.0.1"), ("MINISTACK_HOST", "127.0.0.1"), ("IOT_MTLS_ENABLED", "0")]);
            command.env("GATEWAY_PORT", port);
            command
        })
    }

    /// moto, which knows whose credentials are whose after so many requests.
    pub(crate) fn moto(open_requests: u32) -> Self {
        Self::start("moto", |programs, port| {
            let mut command = Command::new(programs.join("moto_server"));
            command.args(["-H", "127.0.0.1", "-p", port]);
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", open_requests.to_string());
            command
        })
    }

    fn start(name: &str, command: impl Fn(&Path, &str) -> Command) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/local-cloud/environment");
        let made = Command::new(script).arg("emulators").stderr(Stdio::inherit()).output().expect("bash runs");
        assert!(made.status.success(), "the Python environment could not be made; what is missing stands above");
        let programs = PathBuf::from(String::from_utf8(made.stdout).expect("a path").trim());
        // The port is free now; who else would want it in the meantime?
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let log = File::create(place.join(format!("{name}-{}.log", address.port()))).expect("a log");
        let child = command(&programs, &address.port().to_string())
            .current_dir(place)
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the same log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let mut emulator = Emulator { child, address, programs };
        for _ in 0..600 {
            if TcpStream::connect(emulator.address).is_ok() {
                return emulator;
            }
            let ended = emulator.child.try_wait().ok().flatten();
            assert!(ended.is_none(), "{name} ended: see its log in {}", place.display());
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{name} does not answer at {}", emulator.address);
    }

    /// Where it answers.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Does something with the stand-in's own API, in Python: `client("s3")` is there. Gives what is printed.
    pub(crate) fn python(&self, script: &str) -> String {
        let head = format!(
            "import boto3, json\n\
             client = lambda service: boto3.client(service, endpoint_url={:?}, region_name='us-east-1', \
             aws_access_key_id='test', aws_secret_access_key='test')\n",
            self.endpoint()
        );
        let mut python = Command::new(self.programs.join("python"));
        let mut child = python
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        child.stdin.take().expect("a pipe").write_all((head + script).as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // ministack does not always heed a polite signal.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
