//! Events among a number of cases.

/// Events among a number of cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ratio {
    pub(crate) of: u64,
    pub(crate) events: u64,
}

impl Ratio {
    pub(super) fn count(&mut self, event: bool) {
        self.of += 1;
        self.events += u64::from(event);
    }

    pub(super) fn add(&mut self, other: Ratio) {
        self.of += other.of;
        self.events += other.events;
    }
}
