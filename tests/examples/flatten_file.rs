//! Flattens one landed file into bronze files below a folder and says how long it took, to be held against another engine.
//!
//! `cargo run --release -p metriccare-tests --example flatten_file -- FILE OUT [THREADS]`

#![expect(clippy::disallowed_macros, clippy::disallowed_methods, reason = "it measures, and talks to whoever runs it")]

use std::{
    env,
    fs::{self, File},
    io::{self, BufWriter, Read},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use metriccare_lake::bronze::{Limits, Sinks, Source, flatten};

/// Files below a folder, numbered as they are opened.
struct Numbered {
    folder: PathBuf,
    opened: usize,
}

impl Sinks for Numbered {
    type File = BufWriter<File>;

    fn create(&mut self) -> io::Result<BufWriter<File>> {
        self.opened += 1;
        Ok(BufWriter::new(File::create(self.folder.join(format!("{:06}.parquet", self.opened)))?))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (Some(file), Some(out)) = (arguments.first(), arguments.get(1)) else {
        return fail("usage: flatten_file FILE OUT [THREADS]");
    };
    let given = arguments.get(2).and_then(|threads| threads.parse().ok());
    let threads = given.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    match timed(Path::new(file), Path::new(out), threads) {
        Ok(line) => say(&line),
        Err(error) => fail(&error.to_string()),
    }
}

fn timed(file: &Path, out: &Path, threads: NonZeroUsize) -> Result<String, Box<dyn std::error::Error>> {
    fs::create_dir_all(out)?;
    let source = Source {
        key: file.display().to_string(),
        object_id: "object".to_owned(),
        etag: "etag".to_owned(),
        landed_micros: 1_767_225_600_000_000,
    };
    let open = || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(File::open(file)?)) };
    let mut sinks = Numbered { folder: out.to_owned(), opened: 0 };
    let begun = Instant::now();
    let flat = flatten(&source, open, &mut sinks, threads, Limits::default())?;
    let (rows, files) = (flat.counts.accepted(), flat.files.len());
    let bytes = flat.measured.bytes;
    for (_, file) in flat.files {
        file.into_inner().map_err(|error| error.into_error())?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let speed = bytes as f64 / seconds / 1e6;
    Ok(format!("engine=metriccare rows={rows} files={files} bytes={bytes} seconds={seconds:.3} MB_per_s={speed:.0}"))
}

#[expect(clippy::print_stdout, reason = "the line is what it is run for")]
fn say(line: &str) -> ExitCode {
    println!("{line}");
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "a command says on standard error what went wrong")]
fn fail(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
