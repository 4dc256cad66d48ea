//! Programs that stand in for AWS on this machine, started on the loopback and ended with the test. The command's tests
//! include this file as well.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::python::environment;

/// A stand-in that is running.
pub(crate) struct Emulator {
    child: Child,
    address: SocketAddr,
    name: &'static str,
}

impl Emulator {
    /// moto's server: S3, DynamoDB, SQS and Glue in memory; after so many requests it asks whose credentials they bring.
    pub(crate) fn moto(open_requests: u32) -> Self {
        Self::start("moto", |programs, port| {
            let mut command = Command::new(programs.join("moto_server"));
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", open_requests.to_string());
            command
        })
    }

    /// ministack: the same and much more.
    pub(crate) fn ministack() -> Self {
        Self::start("ministack", |programs, port| {
            let mut command = Command::new(programs.join("ministack"));
            command.envs([("BIND_HOST", "127.0.0.1"), ("MINISTACK_HOST", "127.0.0.1"), ("IOT_MTLS_ENABLED", "0")]);
            command.env("GATEWAY_PORT", port.to_string());
            command
        })
    }

    fn start(name: &'static str, command: impl Fn(&Path, u16) -> Command) -> Self {
        let programs = environment("emulators");
        // The port is free now; who else would want it in the meantime?
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let log = File::create(place.join(format!("{name}-{}.log", address.port()))).expect("a log");
        let child = command(&programs, address.port())
            .current_dir(place)
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the same log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let mut emulator = Emulator { child, address, name };
        emulator.wait();
        emulator
    }

    fn wait(&mut self) {
        for _ in 0..600 {
            if TcpStream::connect(self.address).is_ok() {
                return;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{} ended with {status}: see its log in {}", self.name, env!("CARGO_TARGET_TMPDIR"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{} does not answer at {}", self.name, self.address);
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // ministack does not always react to a polite signal.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
