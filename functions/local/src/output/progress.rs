//! Progress bars on a terminal, silence on a pipe.

use std::{
    io::{self, Write},
    sync::Mutex,
};

use indicatif::{ProgressBar, ProgressStyle};
use metriccare_flow::Progress;

/// Prints a line on standard error.
pub(crate) fn note(words: &str) {
    // A closed standard error is no failure.
    let _ = writeln!(io::stderr(), "{words}");
}

/// The progress bar of the current stage.
pub(crate) struct Bars {
    bar: Mutex<ProgressBar>,
    quiet: bool,
}

impl Bars {
    /// Bars on standard error if it is a terminal; none if `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        Bars { bar: Mutex::new(ProgressBar::hidden()), quiet }
    }

    /// Starts a new bar.
    pub(crate) fn start(&self, what: &'static str, total: usize) {
        let fresh = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new(total as u64) };
        let style = ProgressStyle::with_template("{msg:>9} {bar:32} {pos}/{len} {elapsed}");
        fresh.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        fresh.set_message(what);
        let before = std::mem::replace(&mut *self.lock(), fresh);
        before.finish_and_clear();
    }

    /// Advances the bar.
    pub(crate) fn step(&self, by: usize) {
        self.lock().inc(by as u64);
    }

    /// Sets the bar's position.
    #[cfg(feature = "aws")]
    pub(crate) fn reach(&self, done: u64) {
        self.lock().set_position(done);
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.lock().finish_and_clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Progress for Bars {
    fn begin(&self, stage: &'static str, objects: usize) {
        self.start(stage, objects);
    }

    fn advance(&self, objects: usize) {
        self.step(objects);
    }
}

impl metriccare_landing::Progress for Bars {
    fn begin(&self, steps: usize) {
        self.start("generate", steps);
    }

    fn step(&self) {
        Bars::step(self, 1);
    }
}
